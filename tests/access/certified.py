"""An authority, the client certificates that it issues, and a client over TLS that shows one."""

from __future__ import annotations

import asyncio
import http.client
import json
import socket
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from daemons import Host

from .stage import Told

DAY = timedelta(days=1)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


class Authority:
    """Issues certificates; `folder` takes the files that ssl wants."""

    def __init__(
        self, folder: Path, name: str = "An Authority", by: Authority | None = None
    ) -> None:
        self._folder = folder
        self._name = name
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._issued = 0
        usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
        above = by or self
        self.certificate = (
            above._builder(name, self._key.public_key(), datetime.now(UTC) - DAY)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(usage, critical=True)
            .sign(above._key, SHA256())
        )

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)

    def issue(
        self,
        *names: str,
        common_name: str = "a client",
        usage: x509.ObjectIdentifier = ExtendedKeyUsageOID.CLIENT_AUTH,
        since: datetime | None = None,
    ) -> Path:
        """A file with the key and certificate of a client that has these DNS names."""
        key = ec.generate_private_key(ec.SECP256R1())
        builder = self._builder(common_name, key.public_key(), since or datetime.now(UTC) - DAY)
        builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        if names:
            alternatives = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
            builder = builder.add_extension(alternatives, critical=False)
        certificate = builder.sign(self._key, SHA256())
        self._issued += 1
        path = self._folder / f"{self._name}-{self._issued}.pem"
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        path.write_bytes(pem + certificate.public_bytes(Encoding.PEM))
        return path

    def revocation_of(self, *shown: Path) -> str:
        """Its list (PEM) of these, which it takes back."""
        certificates = (x509.load_pem_x509_certificate(path.read_bytes()) for path in shown)
        return self.revoking(*(one.serial_number for one in certificates))

    def revoking(self, *serials: int) -> str:
        """Its list (PEM) of these numbers."""
        now = datetime.now(UTC)
        name = self.certificate.subject
        builder = x509.CertificateRevocationListBuilder(name, now - DAY, now + DAY)
        for serial in serials:
            one = x509.RevokedCertificateBuilder(serial, now - DAY).build()
            builder = builder.add_revoked_certificate(one)
        return builder.sign(self._key, SHA256()).public_bytes(Encoding.PEM).decode()

    def _builder(
        self, subject: str, key: ec.EllipticCurvePublicKey, since: datetime
    ) -> x509.CertificateBuilder:
        return x509.CertificateBuilder(
            issuer_name=_name(self._name),
            subject_name=_name(subject),
            public_key=key,
            serial_number=x509.random_serial_number(),
            not_valid_before=since,
            not_valid_after=since + 10 * DAY,
        )


class Caller:
    """One connection over TLS from elsewhere on this machine, kept open."""

    def __init__(
        self,
        host: Host,
        shows: Path | None = None,
        newest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3,
    ) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.maximum_version = newest
        served = host.daemon.belief.identities.server.identity.certificate
        context.load_verify_locations(cadata=served.pem())
        if shows is not None:
            context.load_cert_chain(shows)
        config = host.config
        self._http = http.client.HTTPSConnection(
            config.address,
            config.port,
            context=context,
            timeout=20,
            source_address=("127.0.7.9", 0),
        )
        self.session = ""

    async def login(self, username: str = "anybody", password: str = "anything") -> None:
        """Open a session.  Raises Told, OSError."""
        self.session = await self.send("session.login_with_password", username, password)

    async def ask(self, method: str, *parameters: Any) -> Any:
        """Call in this session."""
        return await self.send(method, self.session, *parameters)

    async def send(self, method: str, *parameters: Any) -> Any:
        """Call without one."""
        return await asyncio.to_thread(self._send, method, parameters)

    def close(self) -> None:
        self._http.close()

    def is_connected(self) -> bool:
        return self._http.sock is not None

    def _send(self, method: str, parameters: tuple[Any, ...]) -> Any:
        body = json.dumps({"jsonrpc": "2.0", "method": method, "params": parameters, "id": 1})
        self._http.request("POST", "/jsonrpc", body, {"Content-Type": "application/json"})
        answer = json.loads(self._http.getresponse().read())
        if "error" in answer:
            raise Told(answer["error"]["message"], *answer["error"]["data"])
        return answer["result"]


class Stalled:
    """A client that holds back the last flight of its handshake, certificate included."""

    def __init__(self, host: Host, shows: Path) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.load_cert_chain(shows)
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._in, self._out)
        self._socket = socket.create_connection((host.config.address, host.config.port), 20)
        while not self._done():
            self._socket.sendall(self._out.read())
            self._in.write(self._socket.recv(65536))

    def _done(self) -> bool:
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            return False
        return True

    def finish(self, request: bytes) -> bytes:
        """Send what was held back, and this; what is answered."""
        self._tls.write(request)
        self._socket.sendall(self._out.read())
        while True:
            data = self._socket.recv(65536)
            self._in.write(data)
            try:
                return self._tls.read()
            except ssl.SSLWantReadError:
                if not data:
                    return b""

    def close(self) -> None:
        self._socket.close()
