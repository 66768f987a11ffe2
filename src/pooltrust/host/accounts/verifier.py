"""What is stored instead of a password: one slow, salted verifier for every way to log in.

Values and arithmetic; deriving one takes a good part of a second, so it belongs in a worker thread.
It is SCRAM-SHA-256's (RFC 5802 section 3, RFC 7677), and a plain login is checked against it too.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pooltrust.errors import PasswordRejected

ITERATIONS = 600_000
"""Rounds of PBKDF2 with HMAC-SHA-256 for a new verifier."""

LONGEST_PASSWORD = 1024
"""Characters."""

# No 0 and o, no 1, l and i: a person may have to read it aloud.
_ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"


@dataclass(frozen=True, slots=True)
class Verifier:
    """Enough to check a password and to prove that one knows its verifier; not to log in."""

    salt: bytes
    iterations: int
    stored_key: bytes = field(repr=False)
    server_key: bytes = field(repr=False)

    @classmethod
    def derive(cls, prepared: bytes, salt: bytes, iterations: int) -> Verifier:
        """The verifier of a `prepared` password.  Slow on purpose: call it in a thread."""
        salted = hashlib.pbkdf2_hmac("sha256", prepared, salt, iterations)
        client_key = hmac.digest(salted, b"Client Key", "sha256")
        server_key = hmac.digest(salted, b"Server Key", "sha256")
        return cls(salt, iterations, hashlib.sha256(client_key).digest(), server_key)

    def matches(self, prepared: bytes) -> bool:
        """Whether this is the password.  Slow on purpose, and compared in constant time."""
        derived = Verifier.derive(prepared, self.salt, self.iterations)
        return hmac.compare_digest(derived.stored_key, self.stored_key)

    def row(self) -> dict[str, Any]:
        """As a record."""
        return {
            "salt": base64.b64encode(self.salt).decode(),
            "iterations": self.iterations,
            "stored_key": base64.b64encode(self.stored_key).decode(),
            "server_key": base64.b64encode(self.server_key).decode(),
        }

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Verifier:
        """Read a record.  Raises ValueError, KeyError or TypeError for any other."""
        salt, stored_key, server_key = (
            base64.b64decode(row[name], validate=True)
            for name in ("salt", "stored_key", "server_key")
        )
        iterations = row["iterations"]
        if type(iterations) is not int or not 1 <= iterations <= 10_000_000:
            raise ValueError("not a number of iterations")
        if len(salt) < 12 or len(stored_key) != 32 or len(server_key) != 32:
            raise ValueError("not the keys of a verifier")
        return cls(salt, iterations, stored_key, server_key)


def prepared(password: str) -> bytes:
    """A password as it is hashed, by SASLprep (RFC 4013): equal however a keyboard composed it.

    Raises PasswordRejected, which never shows it.
    """
    if len(password) > LONGEST_PASSWORD:
        raise PasswordRejected(f"it has more than {LONGEST_PASSWORD} characters")
    if not password:
        raise PasswordRejected("it is empty")
    if password.isascii() and password.isprintable():
        return password.encode()  # SASLprep leaves it as it is
    return _saslprepped(password)


def _saslprepped(password: str) -> bytes:
    from scramp.utils import ScramException, saslprep  # most daemons never need it: 5 MB

    try:
        data = str(saslprep(password)).encode()
    except ScramException as why:
        raise PasswordRejected("it has characters that SASLprep (RFC 4013) forbids") from why
    if not data:
        raise PasswordRejected("it is empty")
    return data


def generate_password() -> str:
    """A password to write down: five groups of five characters, 123 bits."""
    groups = ("".join(secrets.choice(_ALPHABET) for _ in range(5)) for _ in range(5))
    return "-".join(groups)
