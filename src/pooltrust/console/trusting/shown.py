"""A certificate that was met, as it is shown to a person who is to judge it.

Pure: the time comes in.  It says why the certificate is not yet trusted, and of a changed one what
differs and what may be the reason; whether to trust it is for the person to say.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pooltrust.console.trusting.authorities import WEAK
from pooltrust.console.trusting.known import Known
from pooltrust.console.trusting.vouching import Proof, everything, exactly, missing, older
from pooltrust.pki.certificate import BadCertificate, Certificate, read_pem


@dataclass(frozen=True, slots=True)
class Ordered:
    """A change of a host's certificate that was ordered from this console."""

    host: str
    what: str
    """``reset`` or ``installed``."""
    seconds: float
    """How long ago."""


def facts(certificate: Certificate, now: datetime) -> dict[str, Any]:
    """Everything that a person compares."""
    return {
        "thumbprint": str(certificate.thumbprint),
        "subject": certificate.subject,
        "issuer": certificate.issuer,
        "self_signed": certificate.self_signed,
        "names": list(certificate.names),
        "addresses": list(certificate.addresses),
        "not_before": f"{certificate.not_before:%Y-%m-%dT%H:%M:%SZ}",
        "not_after": f"{certificate.not_after:%Y-%m-%dT%H:%M:%SZ}",
        "days_left": int((certificate.not_after - now).total_seconds() // 86400),
        "key": certificate.key,
        "pem": certificate.pem(),
    }


def doubts(certificate: Certificate, address: str, now: datetime, unvouched: str = "") -> list[str]:
    """Why it is not trusted without being asked for, each reason in words.

    `unvouched`: why the authorities of this console do not count, if it has any.
    """
    return list(_doubts(certificate, address, now, unvouched))


def _doubts(certificate: Certificate, address: str, now: datetime, unvouched: str) -> Iterator[str]:
    yield "This console has never met this server."
    if certificate.self_signed:
        yield "Its certificate is self-signed: nobody but the server itself vouches for it."
    else:
        yield (
            f"It was issued by {certificate.issuer}.  "
            + (unvouched or "This console believes no authority that it was not given.")
            + "  Compare the thumbprint."
        )
    if now >= certificate.not_after:
        yield "It has expired."
    if now < certificate.not_before:
        yield "It is not valid yet: compare the clocks of the server and of this machine."
    if not exactly(certificate, address):
        yield f"It is not made out to {address}, which is where you connect to."
    if certificate.key in WEAK:
        yield f"Its key is weak ({certificate.key})."


def differences(old: Known, new: Certificate, now: datetime) -> list[dict[str, Any]]:
    """Old and new side by side, field by field; old is unknown where it was never seen whole."""
    before = before_of(old)
    then = facts(before, now) if before else {"thumbprint": old.thumbprint}
    rows = []
    for name, value in facts(new, now).items():
        if name in ("pem", "days_left"):
            continue
        was = then.get(name)
        rows.append({"field": name, "old": _text(was), "new": _text(value), "same": was == value})
    return rows


def before_of(old: Known) -> Certificate | None:
    """The certificate that was known, if it was kept whole."""
    try:
        kept = read_pem(old.certificate)[0] if old.certificate else None
    except BadCertificate:
        return None
    return kept if kept and str(kept.thumbprint) == old.thumbprint else None


Verdict = tuple[str, str]
"""How bad it looks (``expected``, ``proven``, ``plausible``, ``hostile``), and why, in words."""


def verdict(
    old: Known, new: Certificate, ordered: Ordered | None, proof: Proof | None, now: datetime
) -> Verdict:
    """What is to be thought of a changed certificate.

    `proof`: whose signature for one of its names was verified.
    """
    before = before_of(old)
    proven = _by_signature(before, new, proof) if before and proof else None
    if ordered is not None:
        return "expected", _ordered(ordered, proven)
    if proven is not None:
        return proven
    return (_plausible(before, new, now) if before else None) or (
        "hostile",
        "No known reason: treat this as hostile.  Somebody may be between you and the server.  "
        "Refuse, unless whoever runs the server confirms the new thumbprint.",
    )


def _ordered(ordered: Ordered, proven: Verdict | None) -> str:
    words = f"You {ordered.what} it from here {_ago(ordered.seconds)} ago.  "
    if proven is not None and proven[0] == "proven":
        return words + proven[1]
    return words + (
        "The console could not hear the new thumbprint from the server itself before the "
        "connection ended: compare it with the one shown on the host."
    )


def _by_signature(before: Certificate, new: Certificate, proof: Proof) -> Verdict:
    """What follows from a signature that was verified."""
    issuer = proof.issuer.subject
    if lacks := missing(before, new):
        return (
            "hostile",
            f"Another server's certificate, as it seems: {issuer} did sign it, but it is not made "
            f"out to {_some(lacks)}, as the one before was.  Treat this as hostile, unless whoever "
            "runs the server confirms the new thumbprint.",
        )
    if older(before, new):
        return (
            "hostile",
            f"{issuer} did sign it, but before the one that is known: it is an older certificate, "
            "and whoever stole its key could show it.  Treat this as hostile, unless whoever runs "
            "the server confirms the thumbprint.",
        )
    names = _some(everything(before))
    if before.issued_by(proof.issuer):
        return (
            "proven",
            f"Renewed by the same issuer: {issuer} signed it, as it did the one before, for the "
            f"same names ({names}).  The signature was checked here.",
        )
    if proof.given:
        return (
            "proven",
            f"Issued by {issuer}, for the same names ({names}) as before: "
            f"{proof.anchor.subject} vouches for it, an authority of this console.  The one before "
            "had another issuer.",
        )
    return (
        "plausible",
        f"The issuer before, {proof.anchor.subject}, had {issuer} sign it for the same names "
        f"({names}).  Compare the thumbprint.",
    )


def _plausible(before: Certificate, new: Certificate, now: datetime) -> Verdict | None:
    """What may be a reason, though nothing proves it."""
    if not before.self_signed and new.issuer == before.issuer and new.subject == before.subject:
        return (
            "plausible",
            f"It names the same issuer as before, {new.issuer}: it looks like a renewal.  The "
            "console has nothing to check the issuer's signature with; compare the thumbprint.",
        )
    if now >= before.not_after:
        return (
            "plausible",
            f"The old certificate expired on {before.not_after:%Y-%m-%d}, so it was due to be "
            "replaced.  Nothing proves by whom: compare the thumbprint.",
        )
    return None


def _some(names: tuple[str, ...]) -> str:
    return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")


def _ago(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.0f} h"


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        return ", ".join(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)
