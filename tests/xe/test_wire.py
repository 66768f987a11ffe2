"""The thin protocol byte by byte, by a probe that shares no code with either side; and hostile
bytes."""

from __future__ import annotations

import asyncio
import random
import socket
import ssl
import struct
from collections.abc import Callable

import pytest

from daemons import PASSWORD, Host, run, running
from operations.stage import Pool
from pooltrust.pki.mint import KeyKind

MAGIC = b"XenSource thin CLI protocol"
HELLO = MAGIC + b"\x00\x00\x00\x00\x02\x00\x00\x00"


class Probe:
    """A client in a few lines of `struct`."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        sock.settimeout(20)

    @classmethod
    def local(cls, host: Host) -> Probe:
        sock = socket.socket(socket.AF_UNIX)
        sock.connect(str(host.config.socket))
        return cls(sock)

    @classmethod
    def like_the_original(cls, host: Host) -> Probe:
        """TLS 1.2, ECDHE-RSA with AES-GCM, on P-384: all that the original client offers."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers("ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-AES128-GCM-SHA256")
        context.set_ecdh_curve("secp384r1")
        plain = socket.create_connection((host.config.listen, host.config.port))
        return cls(context.wrap_socket(plain))

    def post(self, *words: str, newline: str = "\n", length: int | None = None) -> None:
        body = newline.join([*words, "username=root", f"password={PASSWORD}"]).encode()
        size = len(body) if length is None else length
        head = f"POST /cli HTTP/1.0\r\nUser-agent: probe\r\ncontent-length: {size}\r\n\r\n"
        self.sock.sendall(head.encode() + body)

    def exactly(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            piece = self.sock.recv(count - len(data))
            assert piece, f"closed after {data!r}"
            data += piece
        return data

    def greet(self) -> None:
        assert self.exactly(35) == HELLO  # 27 bytes and two numbers; no line of HTTP before it
        self.sock.sendall(HELLO)

    def frame(self) -> bytes:
        (size,) = struct.unpack("<i", self.exactly(4))
        return self.exactly(size)

    def frames(self) -> list[bytes]:
        """All of them, to the exit."""
        found = [self.frame()]
        while found[-1][:8] != struct.pack("<ii", 9, 4):
            found.append(self.frame())
        assert self.sock.recv(1) == b""
        return found


def printed(frame: bytes) -> str:
    kind, tag, size = struct.unpack_from("<iii", frame)
    assert (kind, tag) == (9, 0) and size == len(frame) - 12
    return frame[12:].decode()


async def in_thread(work: Callable[[], None]) -> None:
    await asyncio.to_thread(work)


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_every_byte_of_a_command_is_as_the_original_expects_it(pool: Pool, newline: str) -> None:
    (h1,) = pool(1)

    def talk(make: Callable[[Host], Probe]) -> None:
        probe = make(h1)
        probe.post("host-list", "params=name-label", "--minimal", newline=newline)
        probe.greet()
        line, end = probe.frames()
        assert line == bytes.fromhex("09000000 00000000 02000000") + b"h1"
        assert end == bytes.fromhex("09000000 04000000 00000000")

    async def story() -> None:
        async with running(h1):
            await in_thread(lambda: talk(Probe.local))

    run(story())


def test_the_original_client_s_tls_is_answered_by_a_host_with_an_rsa_identity(pool: Pool) -> None:
    (h1,) = pool(1, server_key=KeyKind.RSA2048)

    def talk() -> None:
        probe = Probe.like_the_original(h1)
        probe.post("pool-list", "params=master", "--minimal")
        probe.greet()
        assert printed(probe.frames()[0]) == h1.me

    async def story() -> None:
        async with running(h1):
            await in_thread(talk)

    run(story())


def test_a_file_may_come_in_many_pieces_and_with_waits_between(pool: Pool) -> None:
    (h1,) = pool(1)

    def talk() -> None:
        probe = Probe.local(h1)
        probe.post("host-server-certificate-install", "certificate=a", "private-key=b")
        probe.greet()
        assert probe.frame() == struct.pack("<iii", 9, 1, 1) + b"a"
        respond = struct.pack("<iii", 8, 10, 5)
        wait = struct.pack("<iii", 8, 10, 18)
        probe.sock.sendall(wait + respond + wait)
        for piece in (b"no ", b"", b"certificate"):
            probe.sock.sendall(struct.pack("<iiii", 12, 11, 7, len(piece)) + piece)
        probe.sock.sendall(struct.pack("<iii", 8, 11, 8))
        assert probe.frame() == struct.pack("<iii", 9, 1, 1) + b"b"
        probe.sock.sendall(struct.pack("<iii", 8, 10, 6))  # it can't read that one
        words, end = probe.frames()
        assert words[:8] == struct.pack("<ii", 9, 16)
        assert b"Failed to read private key" in words
        assert end == struct.pack("<iii", 9, 4, 1)

    async def story() -> None:
        async with running(h1):
            await in_thread(talk)

    run(story())


@pytest.mark.parametrize(
    "body",
    [
        b"POST /cli HTTP/1.0\r\n\r\n",
        b"POST /cli HTTP/1.0\r\ncontent-length: 99999999\r\n\r\n",
        b"POST /cli HTTP/1.0\r\ncontent-length: -1\r\n\r\n",
        b"POST /cli HTTP/1.0\r\n" + b"x: y\r\n" * 5000 + b"\r\n",
    ],
)
def test_a_request_that_is_none_is_not_answered(pool: Pool, body: bytes) -> None:
    (h1,) = pool(1)

    def talk() -> None:
        probe = Probe.local(h1)
        try:
            probe.sock.sendall(body)
            assert probe.sock.recv(1) == b""
        except ConnectionError:
            return

    async def story() -> None:
        async with running(h1):
            await in_thread(talk)

    run(story())


def test_another_protocol_or_version_is_hung_up_on(pool: Pool) -> None:
    (h1,) = pool(1)

    def talk() -> None:
        for wrong in (
            b"GET / HTTP/1.1\r\nHost: here\r\n\r\n" + bytes(10),
            HELLO[:27] + b"\1" + HELLO[28:],
        ):
            probe = Probe.local(h1)
            probe.post("host-list")
            assert probe.exactly(35) == HELLO
            probe.sock.sendall(wrong)
            assert probe.sock.recv(1) == b""

    async def story() -> None:
        async with running(h1):
            await in_thread(talk)

    run(story())


def test_whatever_bytes_come_the_host_lives_and_forgets_them(pool: Pool) -> None:
    (h1,) = pool(1)
    chance = random.Random(7)

    def noise() -> bytes:
        numbers = [chance.choice([0, 1, 5, 8, 9, 10, 11, 12, 18, -1, 2**31 - 1]) for _ in range(6)]
        return struct.pack("<6i", *numbers) + chance.randbytes(chance.randrange(40))

    def talk() -> None:
        for _ in range(60):
            probe = Probe.local(h1)
            probe.post(chance.choice(["host-server-certificate-install", "pool-eject", "x=y", "\0"]),
                       "certificate=a", "private-key=b", f"host-uuid={h1.me}")  # fmt: skip
            probe.greet()
            try:
                probe.sock.sendall(noise())
                probe.sock.shutdown(socket.SHUT_WR)
                while probe.sock.recv(65536):
                    pass
            except ConnectionError:
                continue

    async def story() -> None:
        async with running(h1):
            await in_thread(talk)
            assert not h1.lines("command-line-defect")
            assert not [line for line in h1.told.lines if line.level == "error"]
            assert await h1.ask("pool.get_all")

    run(story(), 60)
