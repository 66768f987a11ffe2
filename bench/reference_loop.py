"""The bare loop: accept, handshake, read, reply, one connection after another, blocking.

The least that a Python process can do for a verified connection: what ours costs beyond it is ours.
"""

from __future__ import annotations

import argparse
import socket
import ssl
import sys
from contextlib import suppress
from pathlib import Path

from bench.processes import ADDRESS, Server, free_port, start


def serve(folder: Path, identity: Path, reply: str, *, clients: Path | None = None) -> Server:
    """Start the loop in a process of its own; with `clients` a client certificate is required."""
    folder.mkdir(parents=True)
    port = free_port()
    command = [sys.executable, "-m", "bench.reference_loop", str(port), str(identity), reply]
    if clients:
        command += ["--clients", str(clients)]
    return start("bare loop", command, port, folder / "log")


def main() -> None:
    """Serve until ended."""
    read = argparse.ArgumentParser()
    read.add_argument("port", type=int)
    read.add_argument("identity")
    read.add_argument("reply")
    read.add_argument("--clients")
    given = read.parse_args()
    context = _context(given.identity, given.clients)
    reply = _http(given.reply.encode())
    with socket.create_server((ADDRESS, given.port), backlog=512) as listener:
        while True:
            connection, _ = listener.accept()
            with connection, suppress(OSError):  # a client that hangs up ends its own connection
                _answer(connection, context, reply)


def _answer(plain: socket.socket, context: ssl.SSLContext, reply: bytes) -> None:
    plain.settimeout(5)
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with context.wrap_socket(plain, server_side=True) as connection:
        data = connection.recv(65536)
        while data:
            head, end, body = data.partition(b"\r\n\r\n")
            if end and len(body) >= int(head.lower().partition(b"content-length: ")[2].split()[0]):
                connection.sendall(reply)
                data = b""
            more = connection.recv(65536)
            if not more:
                return
            data += more


def _context(identity: str, clients: str | None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(identity)
    if clients:
        context.num_tickets = 0
        context.verify_mode = ssl.CERT_REQUIRED
        context.verify_flags |= ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN
        context.load_verify_locations(clients)
    return context


def _http(body: bytes) -> bytes:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    return head % len(body) + body


if __name__ == "__main__":
    main()
