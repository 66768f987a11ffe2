"""The files of identities: key and certificates in one, readable by their owner only."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pooltrust.pki.identity import BadIdentity, Identity
from pooltrust.trust import canonical
from pooltrust.trust.store.files import replace_file, storing, sync_folder

IDENTITY_LIMIT = canonical.MIB
_PROBE = b"pooltrust: does this key belong to this certificate?"


@dataclass(frozen=True, slots=True)
class IdentityFile:
    """An identity and the file it lies in, which TLS reads."""

    path: Path
    identity: Identity


def write_identity(path: Path, identity: Identity) -> IdentityFile:
    """Store key and certificates in one file, mode 0400.

    They are read back from the very bytes before the rename.  Raises BadIdentity; then the old file
    is still there.  Raises CannotStore; then it is too, unless the words say that it was replaced
    and a power cut may bring it back: to be written again, which is harmless, before the old
    identity is given up.
    """
    pem = identity.pem()
    written = Identity.read(pem)
    if written != identity or not identity.certificate.verify(identity.sign(_PROBE), _PROBE):
        raise BadIdentity("the private key is not that of the certificate")
    with storing(path):
        replace_file(path, pem, 0o400)
    return IdentityFile(path, identity)


def read_identity(path: Path) -> IdentityFile:
    """Read what `write_identity` wrote.  Raises BadIdentity, OSError."""
    with path.open("rb") as file:
        pem = file.read(IDENTITY_LIMIT + 1)
    if len(pem) > IDENTITY_LIMIT:
        raise BadIdentity(f"{path} is too large for an identity")
    return IdentityFile(path, Identity.read(pem))


def delete_identity(path: Path) -> None:
    """Remove an identity for good; twice is once.  Raises CannotStore."""
    with storing(path):
        path.unlink(missing_ok=True)
        sync_folder(path.parent)
