"""A server identity out of whatever was given: its leaf, key and chain, and every finding.

The rules are the hosts' own (pki/offered), which the host applies once more.  Pure: the time comes
in.  The key is in `Offer.key` and in nothing that is told.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from pooltrust.console.reading.pieces import Asked, Piece, RevocationList
from pooltrust.console.reading.sealed import Key, Sealed, Unfit
from pooltrust.pki.certificate import Certificate
from pooltrust.pki.expiry import Validity, days_left, validity
from pooltrust.pki.offered import chain as rules
from pooltrust.pki.offered import refusals
from pooltrust.pki.offered.coverage import covers
from pooltrust.pki.offered.leaf import faults, warnings

SOON_DAYS = 30


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, worth a thought, or right: ``error``, ``advice`` or ``good``.

    `field`: ``certificate``, ``key``, ``chain``, ``names`` or ``passphrase``.
    """

    field: str
    level: str
    words: str


@dataclass(frozen=True, slots=True)
class Target:
    """The host that it is for: what clients call it, and what it has already."""

    names: tuple[str, ...] = ()
    request: bytes | None = None
    """The public key (DER) of a request whose private key waits on the host."""
    published: bool = False
    """It follows the published rules only, which know no keys but RSA ones."""
    present: Certificate | None = None
    """What clients meet now."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What would be installed, and what there is to say of it."""

    leaf: Certificate | None = None
    chain: tuple[Certificate, ...] = ()
    key: Key | None = field(default=None, repr=False)
    findings: tuple[Finding, ...] = ()

    @property
    def ready(self) -> bool:
        """Whether a host can be asked to install it."""
        return self.leaf is not None and all(one.level != "error" for one in self.findings)


def offered(given: Iterable[Piece], target: Target, now: datetime) -> Offer:
    """Everything at once: what fits together, and each finding about it."""
    found = list(dict.fromkeys(given))
    certificates = [one for one in found if isinstance(one, Certificate)]
    keys = [one for one in found if isinstance(one, Key)]
    spkis = [target.request] if target.request else [one.spki for one in keys]
    leaf = _leaf(certificates, spkis)
    key = next((one for one in keys if leaf and one.spki == leaf.spki), keys[0] if keys else None)
    spki = target.request or (key.spki if key else None)
    offer = Offer(leaf, _chain(leaf, certificates) if leaf else (), key)
    said = [
        *_unusable(found),
        *_missing(found, offer, target, keys),
        *(_judged(offer, spki, target, now) if leaf else ()),
        *_left_out(offer, certificates, keys),
    ]
    return replace(offer, findings=tuple(dict.fromkeys(said)))


def answered(given: Iterable[Piece], target: Target, now: datetime) -> Offer:
    """The same for one of several requests: what belongs to the others is no matter of this one."""
    found = [one for one in given if isinstance(one, Certificate)]
    own = [one for one in found if one.spki == target.request]
    if not own:
        return Offer()
    leaf = max(own, key=lambda one: one.not_after)
    return offered([leaf, *_chain(leaf, found)], target, now)


def _leaf(certificates: Sequence[Certificate], spkis: Sequence[bytes]) -> Certificate | None:
    """The one of the key's, the longest valid of several; without it the one that issued none."""
    own = [one for one in certificates if one.spki in spkis]
    if own:
        return max(own, key=lambda one: one.not_after)
    last = [
        one
        for one in certificates
        if not any(other is not one and other.issued_by(one) for other in certificates)
    ]
    plain = [one for one in last if not one.is_ca] or last
    return plain[0] if plain else None


def _chain(leaf: Certificate, certificates: Sequence[Certificate]) -> tuple[Certificate, ...]:
    chain: list[Certificate] = []
    below = leaf
    while len(chain) < rules.LONGEST and below.issuer != below.subject:
        left = [one for one in certificates if one != leaf and one not in chain]
        above = [one for one in left if below.issued_by(one)]
        if not above:
            break
        below = max(above, key=lambda one: one.not_after)
        chain.append(below)
    return tuple(chain)


def _unusable(found: Sequence[Piece]) -> Iterator[Finding]:
    for one in found:
        match one:
            case Unfit(field=where, words=words):
                yield Finding(where, "error", words)
            case Sealed(what=what, wrong=False):
                words = (
                    f"{what} is encrypted: give its passphrase.  It does not leave this machine."
                )
                yield Finding("passphrase", "error", words)
            case Sealed(what=what):
                yield Finding("passphrase", "error", f"{what} does not open with this passphrase.")
            case RevocationList():
                yield Finding("certificate", "advice", "A revocation list among it is left out.")


def _missing(
    found: Sequence[Piece], offer: Offer, target: Target, keys: Sequence[Key]
) -> Iterator[Finding]:
    sealed = any(isinstance(one, Sealed) for one in found)
    unfit = {one.field for one in found if isinstance(one, Unfit)}
    if offer.leaf is None and not sealed and "certificate" not in unfit:
        if any(isinstance(one, Asked) for one in found):
            words = "That is the request.  Give the certificate that the authority made of it."
        else:
            words = "No certificate was given."
        yield Finding("certificate", "error", words)
    if target.request is None and not keys and not sealed and "key" not in unfit:
        yield Finding("key", "error", "No private key was given.")
    if target.request is not None and keys:
        words = "The private key that was given is left out: the host has the one of its request."
        yield Finding("key", "advice", words)


_FIELDS = {refusals.KeyMismatch: "key", refusals.ChainInvalid: "chain"}


def _judged(offer: Offer, spki: bytes | None, target: Target, now: datetime) -> Iterator[Finding]:
    leaf, chain = offer.leaf, offer.chain
    assert leaf is not None
    refused = list(faults(leaf, spki, "".join(one.pem() for one in chain), now))
    for why in refused:
        yield Finding(_FIELDS.get(type(why), "certificate"), "error", str(why))
    if target.published and not leaf.key.startswith("RSA"):
        yield Finding("key", "error", f"The key is {leaf.key}; this host takes RSA keys only.")
    for about, words in warnings(leaf, chain, target.names):
        if not (about == "key" and target.published):
            yield Finding(about, "advice", words)
    yield from _praised(offer, spki, target, now)
    yield from _compared(leaf, target)
    days = days_left(leaf, now)
    if 0 <= days < SOON_DAYS:
        yield Finding("certificate", "advice", f"It ends in {int(days)} days.")
    if leaf.self_signed:
        words = "It is self-signed: clients must know its thumbprint."
        yield Finding("certificate", "advice", words)


def _praised(offer: Offer, spki: bytes | None, target: Target, now: datetime) -> Iterator[Finding]:
    leaf, chain = offer.leaf, offer.chain
    assert leaf is not None
    if spki == leaf.spki:
        yield Finding("key", "good", f"The key ({leaf.key}) belongs to the certificate.")
    if validity(leaf, now) is Validity.VALID:
        words = (
            f"Valid until {leaf.not_after:%Y-%m-%d %H:%M} UTC, {int(days_left(leaf, now))} days."
        )
        yield Finding("certificate", "good", words)
    covered = [one for one in dict.fromkeys(target.names) if one and covers(leaf, one)]
    if covered:
        yield Finding("names", "good", f"It covers {', '.join(covered)}.")
    if chain:
        top = chain[-1]
        end = "a root" if top.self_signed else f"signed by {top.issuer}, which clients must trust"
        yield Finding("chain", "good", f"{len(chain)} in the chain, the last is {end}.")


def _compared(leaf: Certificate, target: Target) -> Iterator[Finding]:
    present = target.present
    if present is None:
        return
    if leaf == present:
        yield Finding("certificate", "advice", "Clients meet this very certificate already.")
        return
    lost = [one for one in (*present.names, *present.addresses) if not covers(leaf, one)]
    lost = [one for one in lost if one not in target.names]
    if lost:
        words = f"The present certificate covers {', '.join(lost)}, and this one does not."
        yield Finding("names", "advice", words)


def _left_out(
    offer: Offer, certificates: Sequence[Certificate], keys: Sequence[Key]
) -> Iterator[Finding]:
    used = {offer.leaf, *offer.chain}
    left = [one.subject for one in certificates if one not in used]
    if left and offer.leaf:
        words = f"Left out, as they are not in its chain: {'; '.join(left)}."
        yield Finding("chain", "advice", words)
    if len(keys) > 1:
        words = f"{len(keys)} private keys were given; the one of the certificate is taken."
        yield Finding("key", "advice", words)
