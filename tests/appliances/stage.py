"""A Workload Balancing appliance that is not one: its web service, behind a real nginx with TLS.

It keeps every request that came through, so that a test can see what was said to it, and nginx
keeps a line for each that began.
"""

from __future__ import annotations

import re
import socket
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from machine import find_free_port
from pki.offered.stage import Maker, made, private, revocation
from pooltrust.pki.certificate import Certificate, read_pem
from pooltrust.pki.pemtext import write
from pooltrust.terms import Thumbprint

ADDRESS, BEHIND = "127.0.7.8", "127.0.7.9"
NOW = datetime.now(UTC)
DATES = NOW - timedelta(days=1), NOW + timedelta(days=90)
AUTHORITY = Maker.named("appliances")
CA = made("appliances", AUTHORITY.key, ca=True, names=(), dates=DATES)
USER, SECRET = "wlbuser", "wisteria & <7> herons"
CONFIGURATION = """
worker_processes 1;
daemon off;
pid {folder}/pid;
error_log {folder}/error.log warn;
events {{ worker_connections 64; }}
http {{
  access_log {folder}/access.log;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  server {{
    listen {address}:{port} ssl;
    ssl_certificate {folder}/shown.pem;
    ssl_certificate_key {folder}/shown.pem;
    ssl_protocols TLSv1.2 TLSv1.3;
    location / {{ proxy_pass http://{behind}:{backend}; proxy_buffering off; }}
  }}
}}
"""


def soap(method: str, inside: str) -> bytes:
    """Its answer to a method."""
    return (
        '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>'
        f'<{method}Response xmlns="http://schemas.citrix.com/DWM">'
        f'<{method}Result xmlns:a="urn:x">{inside}</{method}Result>'
        f"</{method}Response></s:Body></s:Envelope>"
    ).encode()


@dataclass(frozen=True)
class Said:
    """A request that it understood."""

    path: str
    headers: dict[str, str]
    body: str

    @property
    def method(self) -> str:
        return self.headers.get("SOAPAction", "").strip('"').rpartition("/")[2]


@dataclass
class Appliance:
    """Running; `answers` are the results by method, as XML, or status and bytes."""

    folder: Path
    port: int
    answers: dict[str, Any] = field(default_factory=dict)
    said: list[Said] = field(default_factory=list)
    delay: float = 0.0
    _nginx: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"{ADDRESS}:{self.port}"

    @property
    def thumbprint(self) -> Thumbprint:
        return read_pem((self.folder / "shown.pem").read_text())[0].thumbprint

    @property
    def pem(self) -> str:
        return read_pem((self.folder / "shown.pem").read_text())[0].pem()

    @property
    def began(self) -> Sequence[str]:
        """nginx' line for each request of which it saw a byte."""
        return (self.folder / "access.log").read_text().splitlines()

    @classmethod
    @contextmanager
    def at(cls, folder: Path) -> Iterator[Appliance]:
        """Start one in this folder, and end it."""
        folder.mkdir()
        appliance = cls(folder, find_free_port(ADDRESS, BEHIND))
        server = ThreadingHTTPServer((BEHIND, 0), _handler(appliance))
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            values = {"folder": folder, "address": ADDRESS, "port": appliance.port}
            text = CONFIGURATION.format(behind=BEHIND, backend=server.server_port, **values)
            (folder / "nginx.conf").write_text(text)
            appliance.shows(made("wlb", private("rsa-2048"), names=(ADDRESS,), dates=DATES))
            yield appliance
        finally:
            appliance.stop()
            server.shutdown()
            thread.join()
            server.server_close()

    def shows(self, certificate: str, key: str = "rsa-2048") -> None:
        """(Re)start nginx with this certificate."""
        self.stop()
        pkcs8 = private(key).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (self.folder / "shown.pem").write_text(pkcs8.decode() + certificate)
        command = ["nginx", "-e", f"{self.folder}/error.log", "-p", str(self.folder)]
        command += ["-c", str(self.folder / "nginx.conf")]
        self._nginx = subprocess.Popen(command, stdin=subprocess.DEVNULL)
        ends = time.monotonic() + 20
        while not _listens(self.port):
            assert self._nginx.poll() is None and time.monotonic() < ends, self._errors()
            time.sleep(0.005)

    def stop(self) -> None:
        if self._nginx is not None:
            self._nginx.terminate()
            self._nginx.wait(10)
            self._nginx = None

    def _errors(self) -> str:
        return (self.folder / "error.log").read_text()


def _listens(port: int) -> bool:
    try:
        socket.create_connection((ADDRESS, port), 1).close()
    except OSError:
        return False
    return True


def certified(*names: str, key: str = "rsa-2048") -> str:
    """A certificate by the authority."""
    return made("wlb", private(key), AUTHORITY, names=names or (ADDRESS,), dates=DATES)


def revoking(certificate: Certificate) -> str:
    """The authority's list that takes it back."""
    return write("X509 CRL", revocation(AUTHORITY, certificate, dates=DATES))


def _handler(appliance: Appliance) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            said = Said(self.path, dict(self.headers), body)
            appliance.said.append(said)
            time.sleep(appliance.delay)
            given = appliance.answers.get(said.method, b"" if said.method else body.encode())
            if isinstance(given, str):
                given = soap(said.method, given)
            status, answer = given if isinstance(given, tuple) else (200, given)
            self.send_response(status)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            with suppress(OSError):
                self.wfile.write(answer)

        def log_message(self, *_: Any) -> None:
            pass

    return Handler


def inner(xml: str, tag: str) -> str:
    """The text of the one element of this name, as it was sent."""
    [found] = re.findall(f"<{tag}>(.*?)</{tag}>", xml)
    return str(found)
