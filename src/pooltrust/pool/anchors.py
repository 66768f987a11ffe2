"""What a pool may come to trust, and stop trusting: each decision as the entry that it takes.

Pure: a roster and what an administrator gives make one entry of the log, or a refusal.  There is
one anchor for each certificate.  Installed again for another purpose it is trusted for both, and
it is removed for all of them at once.
"""

from __future__ import annotations

from collections.abc import Iterable

from pooltrust.errors import InvalidValue, OperationNotAllowed, Refused, aside, failure
from pooltrust.pki.certificate import Certificate
from pooltrust.terms import Thumbprint
from pooltrust.trust.entries import AnchorInstalled, AnchorRemoved
from pooltrust.trust.roster import Anchor, Roster

CA, PINNED = "ca", "pinned"

APPLIANCE, CLIENT, GENERAL = "appliance", "client", "general"
"""Purposes in the log: appliances that hosts dial, clients that log in by a certificate, and
whatever has no authority of its own.  The published ones stand beside them by their own names."""

BY_NAME = frozenset((APPLIANCE, CLIENT))
"""What an authority that is installed by name is trusted for."""

MOST_ANCHORS = 256
"""So many are brought to a pool by a joiner, and compared, without effort."""


@failure("CERTIFICATE_ALREADY_EXISTS", cure="See what is installed: xe certificate-list")
class CertificateAlreadyExists(Refused):
    """The pool has a certificate {name} already{why}."""

    name: str
    why: str = aside()


@failure("CERTIFICATE_DOES_NOT_EXIST", cure="See what is installed: xe certificate-list")
class CertificateDoesNotExist(Refused):
    """The pool has no certificate {name}."""

    name: str


@failure("TRUSTED_CERTIFICATE_ALREADY_EXISTS", cure="See what is installed: xe certificate-list")
class TrustedAlreadyExists(Refused):
    """Certificate {fingerprint} is trusted already{why}."""

    fingerprint: str
    why: str = aside()


@failure("NOT_TRUSTED_CERTIFICATE", cure="A host's own certificate is replaced, not uninstalled.")
class NotTrustedCertificate(Refused):
    """{ref} is no certificate that was installed in the pool."""

    ref: str


@failure("CERTIFICATE_LACKS_PURPOSE", cure="Name at least one purpose: ldaps or licensing.")
class LacksPurpose(Refused):
    """A single certificate is trusted for a purpose, and none was given."""


def install_by_name(roster: Roster, name: str, certificate: Certificate) -> AnchorInstalled:
    """Trust an authority for appliances and clients, under this name.

    Raises CertificateAlreadyExists.
    """
    known = named(roster, name)
    if known is not None:
        raise CertificateAlreadyExists(name)
    same = roster.anchors.get(certificate.thumbprint)
    if same is not None and same.name:
        raise CertificateAlreadyExists(name, f": it is {same.name}")
    if same is not None and same.sort != CA:
        raise CertificateAlreadyExists(name, ": it is trusted as a single certificate")
    return _installed(roster, certificate, CA, name, BY_NAME)


def install_for(
    roster: Roster, sort: str, certificate: Certificate, purposes: Iterable[str]
) -> AnchorInstalled:
    """Trust an authority, or a single certificate, for these purposes; an authority without any
    for all that have none of their own.

    Raises LacksPurpose; TrustedAlreadyExists if it is trusted for one of them.
    """
    wanted = wanted_for(sort, purposes)
    known = roster.anchors.get(certificate.thumbprint)
    if known is not None and known.sort != sort:
        words = {CA: ": as an authority", PINNED: ": as a single certificate"}[known.sort]
        raise TrustedAlreadyExists(str(certificate.thumbprint), words)
    if known is not None and wanted & set(known.purposes):
        raise TrustedAlreadyExists(str(certificate.thumbprint))
    return _installed(roster, certificate, sort, known.name if known else "", wanted)


def wanted_for(sort: str, purposes: Iterable[str]) -> frozenset[str]:
    """What one is trusted for that is installed for these.  Raises LacksPurpose."""
    wanted = frozenset(purposes)
    if sort == PINNED and not wanted:
        raise LacksPurpose
    return wanted or frozenset((GENERAL,))


def without_purposes(anchor: Anchor, purposes: Iterable[str]) -> AnchorInstalled | None:
    """The same for what is left without these; None if that is nothing.

    The log has no entry that narrows: its removal goes before this one.
    """
    left = sorted(set(anchor.purposes).difference(purposes))
    if not left:
        return None
    return AnchorInstalled(anchor.name, anchor.sort, anchor.certificate.der, tuple(left))


def pin_appliance(roster: Roster, certificate: Certificate) -> AnchorInstalled | None:
    """Trust this single certificate for appliances; None if it is.  Raises TrustedAlreadyExists
    for one that is an authority."""
    if certificate.thumbprint in pinned(roster, APPLIANCE):
        return None
    return install_for(roster, PINNED, certificate, (APPLIANCE,))


def former_pin(roster: Roster, certificate: Certificate) -> AnchorRemoved | None:
    """One that was pinned for appliances and nothing else, before this one took its place."""
    for thumbprint in pinned(roster, APPLIANCE):
        if thumbprint != certificate.thumbprint and _only_for_appliances(roster, thumbprint):
            return AnchorRemoved(thumbprint)
    return None


def remove_by_name(roster: Roster, name: str, *, force: bool = False) -> AnchorRemoved:
    """Trust the authority of this name no longer.

    Raises CertificateDoesNotExist; InvalidValue with `force`, as published servers do.
    """
    known = named(roster, name)
    if known is not None:
        return AnchorRemoved(known.certificate.thumbprint)
    if force:
        raise InvalidValue("certificate:name", name)
    raise CertificateDoesNotExist(name)


def named(roster: Roster, name: str) -> Anchor | None:
    """The anchor that was installed by this name."""
    return next((one for one in roster.anchors.values() if name and one.name == name), None)


def check_room(roster: Roster, *thumbprints: Thumbprint) -> None:
    """Whether these may be installed, all of them.  Raises OperationNotAllowed."""
    more = set(thumbprints).difference(roster.anchors)
    if more and len(roster.anchors) + len(more) > MOST_ANCHORS:
        raise OperationNotAllowed(
            f"{MOST_ANCHORS} certificates are installed in the pool, and that is all there may be: "
            "uninstall one that is no longer needed"
        )


def pinned(roster: Roster, purpose: str) -> tuple[Thumbprint, ...]:
    """The single certificates that are trusted for this."""
    return tuple(
        thumbprint
        for thumbprint, anchor in sorted(roster.anchors.items())
        if anchor.sort == PINNED and purpose in anchor.purposes
    )


def authorities(roster: Roster, purpose: str) -> tuple[bytes, ...]:
    """The authorities (DER) that are trusted for this; those for everything if it has none."""
    of_it = _authorities(roster, purpose)
    return of_it or (() if purpose in BY_NAME else _authorities(roster, GENERAL))


def issuers(roster: Roster, purpose: str) -> tuple[Certificate, ...]:
    """The authorities that were installed for this very purpose."""
    return tuple(
        anchor.certificate
        for _, anchor in sorted(roster.anchors.items())
        if anchor.sort == CA and purpose in anchor.purposes
    )


def _only_for_appliances(roster: Roster, thumbprint: Thumbprint) -> bool:
    return roster.anchors[thumbprint].purposes == (APPLIANCE,)


def _authorities(roster: Roster, purpose: str) -> tuple[bytes, ...]:
    return tuple(one.der for one in issuers(roster, purpose))


def _installed(
    roster: Roster, certificate: Certificate, sort: str, name: str, more: frozenset[str]
) -> AnchorInstalled:
    known = roster.anchors.get(certificate.thumbprint)
    check_room(roster, certificate.thumbprint)
    purposes = more | set(known.purposes if known else ())
    return AnchorInstalled(name, sort, certificate.der, tuple(sorted(purposes)))
