"""Certificates and lists that a pool is to trust: what was given, and what to say of it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from cryptography import x509

from pooltrust.console.reading.offer import Finding
from pooltrust.console.reading.pieces import Piece, RevocationList, pem_of_list
from pooltrust.console.reading.sealed import Key, Sealed, Unfit
from pooltrust.errors import Refused
from pooltrust.pki import revocation
from pooltrust.pki.certificate import Certificate
from pooltrust.pki.offered.trusted import authority, trusted

LONGEST_NAME = 60


def certificates(given: Iterable[Piece], purpose: str) -> list[Certificate]:
    """Those among it, each once; for an ``authority`` those that may issue come first."""
    found = [one for one in dict.fromkeys(given) if isinstance(one, Certificate)]
    return sorted(found, key=lambda one: not one.is_ca) if purpose == "authority" else found


def of_certificate(one: Certificate, purpose: str, now: datetime) -> Iterator[Finding]:
    """What a host would refuse it for, and what its user should know."""
    try:
        (authority if purpose == "authority" else trusted)(one.pem(), now)
    except Refused as why:
        yield Finding("certificate", "error", str(why))
    if purpose == "authority" and not one.is_ca:
        words = "It is no authority: it vouches for itself only.  Pin it instead."
        yield Finding("certificate", "advice", words)
    if purpose == "authority" and one.is_ca and not one.self_signed:
        words = f"It is an intermediate authority, issued by {one.issuer}."
        yield Finding("certificate", "advice", words)
    if purpose == "pinned" and one.is_ca:
        words = "It is an authority.  Pinned, it is believed itself, and none that it issued."
        yield Finding("certificate", "advice", words)


def lists(given: Iterable[Piece], now: datetime) -> list[dict[str, Any]]:
    """Each revocation list among it, as it is shown."""
    return [_shown(one.der, now) for one in dict.fromkeys(given) if isinstance(one, RevocationList)]


def _shown(der: bytes, now: datetime) -> dict[str, Any]:
    parsed = x509.load_der_x509_crl(der)
    until = revocation.renewal(der)
    old = until is not None and until < now
    words = "Its issuer promised a newer one by now.  It still revokes whom it names."
    return {
        "issuer": revocation.issuer(der),
        "made": f"{parsed.last_update_utc:%Y-%m-%dT%H:%M:%SZ}",
        "next": f"{until:%Y-%m-%dT%H:%M:%SZ}" if until else "",
        "revoked": len(parsed),
        "thumbprint": hashlib.sha256(der).digest().hex(":").upper(),
        "pem": pem_of_list(der),
        "name": file_name(revocation.issuer(der)),
        "findings": [Finding("certificate", "advice", words)] if old else [],
    }


def nothing(given: Iterable[Piece], what: str, any_found: bool) -> Iterator[Finding]:
    """Why there is nothing to install."""
    found = list(given)
    for one in found:
        if isinstance(one, Unfit):
            yield Finding("certificate", "error", one.words)
        if isinstance(one, Sealed):
            yield Finding("passphrase", "error", f"{one.what} needs {_passphrase(one)}.")
        if isinstance(one, Key):
            words = "A private key is among it: nobody needs it here, and it is sent nowhere."
            yield Finding("certificate", "advice", words)
    if not any_found and not any(isinstance(one, Unfit | Sealed) for one in found):
        yield Finding("certificate", "error", f"There is no {what} in it.")


def _passphrase(one: Sealed) -> str:
    return "another passphrase" if one.wrong else "its passphrase"


def file_name(subject: str) -> str:
    """A name under which it may be installed, from its common name."""
    found = re.search(r"CN=((?:[^,\\]|\\.)*)", subject)
    plain = re.sub(r"[^A-Za-z0-9-]+", "-", found[1] if found else subject).strip("-").lower()
    return f"{plain[:LONGEST_NAME].strip('-') or 'unnamed'}.pem"
