"""A server identity that its user installed stays with the host, chain and all."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import NameOID

from daemons import run, running
from pooltrust.pki.identity import Identity
from pooltrust.trust.store import write_identity

from .stage import Pool, eject


def installed(name: str) -> Identity:
    """A server identity signed by an authority, with the authority's certificate behind it."""
    keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(2)]
    subjects = [x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, n)]) for n in ("CA", name)]
    now = datetime.now(UTC)
    pem = keys[1].private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    for key, subject in ((keys[1], subjects[1]), (keys[0], subjects[0])):
        certificate = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subjects[0])
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(days=30))
            .add_extension(x509.BasicConstraints(subject == subjects[0], None), critical=True)
            .sign(keys[0], SHA256())
        )
        pem += certificate.public_bytes(serialization.Encoding.PEM)
    return Identity.read(pem)


def test_an_installed_server_identity_is_kept_with_its_chain(pool: Pool) -> None:
    h1, h2 = pool(2)
    theirs = installed("h2")
    assert len(theirs.chain) == 1
    [path] = h2.folder.identity_files("server")
    path.unlink()
    write_identity(h2.folder.identity("server", theirs.certificate.thumbprint), theirs)

    async def story() -> None:
        async with running(h1, h2):
            assert h2.daemon.belief.identities.server.identity == theirs
            await eject(h1, h2)
            assert h2.daemon.belief.identities.server.identity == theirs
            assert h2.roster.members[h2.me].server == theirs.certificate
            await h2.restart()
            assert h2.daemon.belief.identities.server.identity == theirs
            assert len(h2.folder.identity_files("server")) == 1

    run(story())
