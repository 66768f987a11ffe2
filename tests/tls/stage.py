"""The stage of these tests: a listener that records every byte, and peers that break the rules."""

from __future__ import annotations

import asyncio
import inspect
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.name import _ASN1Type
from cryptography.x509.oid import NameOID

from pooltrust.pki.identity import Identity
from pooltrust.terms import Thumbprint
from pooltrust.tls.answer import Arrival, Faces, Listener, Refusal
from pooltrust.tls.contexts import join_context, pool_context, server_context
from pooltrust.tls.peek import Limits
from pooltrust.trust.expect import Member


@dataclass(frozen=True)
class Player:
    """Somebody with an identity."""

    path: Path
    identity: Identity

    @property
    def der(self) -> bytes:
        return self.identity.certificate.der

    @property
    def thumbprint(self) -> Thumbprint:
        return self.identity.certificate.thumbprint


@dataclass(frozen=True)
class Cast:
    """`a` and `b` are members, `a_new` is a's next identity; the others are what they are called.

    The `authority` may certify others as far as OpenSSL is concerned.
    """

    a: Player
    a_new: Player
    b: Player
    stranger: Player
    impostor_of_b: Player
    b_signed_by_a: Player
    expired: Player
    early: Player
    authority: Player
    server: Player
    server_new: Player
    server_expired: Player


def member(host: str, *accepted: Player) -> Member:
    return Member(host, "h1", frozenset(p.thumbprint for p in accepted))  # type: ignore[arg-type]


def faces(cast: Cast, *accepted: Player, pool: Player | None = None, dates: bool = False) -> Faces:
    """What host a serves while the roster accepts these."""
    shown = pool or cast.a
    return Faces(
        server=server_context(cast.server.path),
        pool=pool_context(shown.path, [p.der for p in accepted], check_dates=dates),
        join=join_context(shown.path),
    )


@dataclass
class Spot:
    """A listener at work, and everything that happened there."""

    port: int = 0
    listener: Listener | None = None
    arrivals: list[tuple[Arrival, bytes | None]] = field(default_factory=list)
    decrypted: bytearray = field(default_factory=bytearray)
    refusals: list[Refusal] = field(default_factory=list)

    async def refusal(self) -> Refusal:
        """Wait for the first refusal."""
        async with asyncio.timeout(5):
            while not self.refusals:
                await asyncio.sleep(0.005)
        return self.refusals[0]


class Recorder(asyncio.Protocol):
    """Greets, records what it is told, and answers each time with what it has heard."""

    def __init__(self, spot: Spot, arrival: Arrival) -> None:
        self._spot = spot
        self._arrival = arrival

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        certificate = transport.get_extra_info("ssl_object").getpeercert(True)
        self._spot.arrivals.append((self._arrival, certificate))
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._spot.decrypted += data
        self._transport.write(b"heard " + data)  # type: ignore[attr-defined]


@asynccontextmanager
async def answering(
    served: Faces | Callable[[], Faces],
    limits: Limits = Limits(),  # noqa: B008
    protocol: Callable[[Arrival], asyncio.BaseProtocol] | None = None,
) -> AsyncIterator[Spot]:
    spot = Spot()
    listener = await Listener.open(
        "127.0.0.1",
        0,
        served if callable(served) else lambda: served,
        protocol or (lambda arrival: Recorder(spot, arrival)),
        refused=spot.refusals.append,
        limits=limits,
    )
    spot.listener, spot.port = listener, listener.port
    try:
        yield spot
    finally:
        await listener.close()


def lax_client(show: Player | None = None, newest: bool = True) -> ssl.SSLContext:
    """A client context that verifies nobody, as an attacker's would."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if not newest:
        context.maximum_version = ssl.TLSVersion.TLSv1_2
    if show is not None:
        context.load_cert_chain(show.path)
    return context


async def ask(
    port: int, name: str | None, show: Player | None = None, *, newest: bool = True
) -> tuple[bytes, bytes]:
    """Say something under this name; the certificate met, and the answer.  Raises OSError."""
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", port, ssl=lax_client(show, newest), server_hostname=name or ""
    )
    try:
        writer.write(b"secret")
        answer = await reader.read(100)
        return writer.get_extra_info("ssl_object").getpeercert(True), answer
    finally:
        writer.transport.abort()


async def refused(port: int, name: str | None, show: Player | None = None) -> bool:
    """Whether what is said under this name gets no answer."""
    try:
        _, answer = await ask(port, name, show)
    except OSError:
        return True
    return answer == b""


async def s_client(port: int, *options: str, say: bytes = b"") -> tuple[int, str]:
    """Run ``openssl s_client``: its exit code and all its output."""
    process = await asyncio.create_subprocess_exec(
        "openssl", "s_client", "-connect", f"127.0.0.1:{port}", *options,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    assert process.stdin is not None and process.stdout is not None
    process.stdin.write(say)
    output = bytearray()
    async with asyncio.timeout(5):
        while chunk := await process.stdout.read(4096):
            output += chunk
            if b"heard " in output or (not say and b"Verify return code" in output):
                break
        process.stdin.close()
        output += await process.stdout.read()
        code = await process.wait()
    return code, output.decode(errors="replace")


def client_hello(name: str | None = None) -> bytes:
    """The first flight of a real client."""
    outgoing = ssl.MemoryBIO()
    tls = lax_client().wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname=name)
    try:
        tls.do_handshake()
    except ssl.SSLWantReadError:
        return outgoing.read()
    raise AssertionError("a handshake with nobody")


def in_records(hello: bytes, size: int) -> bytes:
    """The same ClientHello, `size` bytes of it in each TLS record."""
    message = hello[5:]
    parts = [message[i : i + size] for i in range(0, len(message), size)]
    return b"".join(hello[:3] + len(part).to_bytes(2) + part for part in parts)


def impostor(of: Identity) -> Identity:
    """The very subject of somebody, serial number and all, with another key."""
    key = ec.generate_private_key(ec.SECP256R1())
    return _copied(of, key, key, _x509(of).subject)


def leaf_signed_by(issuer: Identity, like: Identity) -> Identity:
    """A certificate in the name of `like`, signed by the key of `issuer`."""
    key = ec.generate_private_key(ec.SECP256R1())
    signing = load_pem_private_key(issuer.pem(), None)
    made = _copied(like, key, signing, _x509(issuer).subject)  # type: ignore[arg-type]
    chained = made.pem() + issuer.certificate.pem().encode()
    return Identity.read(chained)


def authority() -> Identity:
    """Says that it may certify others, in a way that only OpenSSL takes for enough."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "authority")])
    usage = dict.fromkeys(inspect.signature(x509.KeyUsage).parameters, False)
    usage |= {"digital_signature": True, "key_cert_sign": True}
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), 7)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.KeyUsage(**usage), critical=True)
        .sign(key, SHA256())
    )
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return Identity.read(pem + signed.public_bytes(Encoding.PEM))


def unloadable(like: Identity) -> bytes:
    """A certificate (DER) that OpenSSL can't load: its name has half of a character."""
    real = _x509(like)
    smile = x509.NameAttribute(NameOID.ORGANIZATION_NAME, "\U0001f600", _ASN1Type.BMPString)
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([*real.subject, smile])
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), 7)
        .not_valid_before(real.not_valid_before_utc)
        .not_valid_after(real.not_valid_after_utc)
        .sign(key, SHA256())
    )
    return signed.public_bytes(Encoding.DER)


def _x509(identity: Identity) -> x509.Certificate:
    return x509.load_der_x509_certificate(identity.certificate.der)


def _copied(
    of: Identity,
    key: ec.EllipticCurvePrivateKey,
    signing: ec.EllipticCurvePrivateKey,
    issuer: x509.Name,
) -> Identity:
    real = _x509(of)
    signed = (
        x509.CertificateBuilder(issuer, real.subject, key.public_key(), real.serial_number)
        .not_valid_before(real.not_valid_before_utc)
        .not_valid_after(real.not_valid_after_utc)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(signing, SHA256())
    )
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return Identity.read(pem + signed.public_bytes(Encoding.PEM))
