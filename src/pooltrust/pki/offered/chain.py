"""The chain of a server identity: from the leaf's issuer towards the root, each in its place."""

from __future__ import annotations

from datetime import datetime

from pooltrust.pki.certificate import BadCertificate, Certificate, read_pem
from pooltrust.pki.offered.refusals import ChainInvalid

LONGEST = 10
"""So many authorities stand between a leaf and its root at the most."""


def linked(leaf: Certificate, text: str, now: datetime) -> tuple[Certificate, ...]:
    """The certificates of a PEM text as the chain of this leaf, in the order TLS sends them.

    They may stand in any order, and the leaf among them.  Raises ChainInvalid.
    """
    left = [one for one in _read(text) if one != leaf]
    if len(left) > LONGEST:
        raise ChainInvalid(f"it has {len(left)} certificates; at most {LONGEST} are read")
    chain: list[Certificate] = []
    below = leaf
    while left:
        issuer = next((one for one in left if below.issued_by(one)), None)
        if issuer is None:
            shown = ", ".join(one.subject for one in left)
            raise ChainInvalid(f"{below.subject} was issued by {below.issuer}, not by: {shown}")
        _judge(issuer, now)
        left.remove(issuer)
        chain.append(issuer)
        below = issuer
    return tuple(chain)


def _read(text: str) -> list[Certificate]:
    try:
        return list(dict.fromkeys(read_pem(text)))
    except BadCertificate as why:
        raise ChainInvalid(str(why)) from why


def may_issue(one: Certificate) -> bool:
    """Whether it says that it is an authority, and does not say that it may not issue."""
    return one.is_ca and (not one.usages or "keyCertSign" in one.usages)


def _judge(authority: Certificate, now: datetime) -> None:
    if not may_issue(authority):
        raise ChainInvalid(f"{authority.subject} is no authority that may issue certificates")
    if now < authority.not_before:
        raise ChainInvalid(f"{authority.subject} is valid from {authority.not_before:%F %T} UTC on")
    if now > authority.not_after:
        raise ChainInvalid(f"{authority.subject} has expired on {authority.not_after:%F %T} UTC")
