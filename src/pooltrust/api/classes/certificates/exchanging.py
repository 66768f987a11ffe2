"""Trusted certificates and revocation lists from one pool to another, as published clients do it.

The published join makes these calls itself; ours does not need them (see
host/trusting/bringing.py), but clients may.  Everything is judged before anything is written.  The
one that would have a pool believe a host that it has not admitted is not here: see decision 15.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated

from pooltrust.api import roles
from pooltrust.api.classes.certificate import Certificate
from pooltrust.api.classes.certificates.anchors import INSTALL, ThePool
from pooltrust.api.classes.fields.choices import CertificatePurpose
from pooltrust.api.classes.fields.refs import CertificateRef, SessionRef
from pooltrust.api.context import Context
from pooltrust.api.declare.call import Doc, Secret, call
from pooltrust.api.declare.values import Ref
from pooltrust.api.sessions import Caller
from pooltrust.errors import (
    CannotConnect,
    CannotVerify,
    HandleInvalid,
    HostIsSlave,
    InvalidValue,
    OperationNotAllowed,
    Suspended,
)
from pooltrust.pki.offered import refusals, trusted
from pooltrust.pki.pemtext import write
from pooltrust.pool import anchors, revocations
from pooltrust.terms import Thumbprint
from pooltrust.trust.roster import Anchor

Named = dict[str, str]
ForPurposes = dict[str, list[str]]
Purposes = dict[Thumbprint, frozenset[str]]
Refs = Annotated[list[CertificateRef], Doc("Which installed certificates are to be returned.")]
Ca = Annotated[bool, Doc("Whether they are authorities that issue others.")]
TRUST = (
    refusals.TrustedInvalid,
    refusals.TrustedNotValidYet,
    refusals.TrustedExpired,
    anchors.LacksPurpose,
    OperationNotAllowed,
    InvalidValue,
)


@call(
    "pool.exchange_ca_certificates_on_join",
    role=roles.POOL_OPERATOR,
    raises=(*INSTALL, HandleInvalid),
    is_async=True,
    hidden=True,
)
async def exchange_ca_certificates(
    context: Context,
    caller: Caller,
    import_: Annotated[Named, Doc("Authorities to trust: PEM by name.")],
    export: Refs,
) -> Named:
    """Trust these authorities, and return others by their names."""
    now, roster = context.now(), context.roster
    wanted = {}
    for name, pem in import_.items():
        certificate = trusted.authority(pem, now)
        known = anchors.named(roster, trusted.certificate_name(name))
        if known is None or known.certificate != certificate:
            anchors.install_by_name(roster, name, certificate)
            wanted[name] = pem
    given = {one.name: one.certificate.pem() for one in _anchors(context, export)}
    for name, pem in wanted.items():
        await context.trusting.install_by_name(name, pem, caller)
    return given


@call(
    "pool.exchange_trusted_certificates_on_join",
    role=roles.POOL_OPERATOR,
    client_cert=True,
    raises=(*TRUST, HandleInvalid),
    is_async=True,
    hidden=True,
)
async def exchange_trusted_certificates(
    context: Context,
    caller: Caller,
    self: ThePool,
    ca: Ca,
    import_: Annotated[ForPurposes, Doc("Certificates to trust: purposes by PEM.")],
    export: Refs,
) -> ForPurposes:
    """Trust these certificates for these purposes, and return others with theirs.

    What is trusted already is passed over.
    """
    given = {one.certificate.pem(): _published(one) for one in _anchors(context, export)}
    await _trust(context, ca, import_, caller, {})
    return given


@call(
    "pool.exchange_crls_on_join",
    role=roles.POOL_OPERATOR,
    client_cert=True,
    raises=(
        refusals.CrlNameInvalid,
        refusals.CrlCorrupt,
        revocations.CrlAlreadyExists,
        revocations.CrlDoesNotExist,
        OperationNotAllowed,
    ),
    is_async=True,
    hidden=True,
)
async def exchange_crls(
    context: Context,
    caller: Caller,
    self: ThePool,
    import_: Annotated[Named, Doc("Revocation lists to install: PEM by name.")],
    export: Annotated[list[str], Doc("The names of those that are to be returned.")],
) -> Named:
    """Install these revocation lists, and return others."""
    known = dict(context.trusting.lists())
    given = {name: write("X509 CRL", _list(known, name)) for name in export}
    wanted = {}
    for name, pem in import_.items():
        der = trusted.revocation_list(trusted.crl_name(name), pem)
        if known.get(name) != der:
            revocations.check_room(known, name, der)
            known[name], wanted[name] = der, pem
    for name, pem in wanted.items():
        await context.trusting.install_list(name, pem, caller)
    return given


@call(
    "pool.sync_trusted_certificates_from",
    role=roles.POOL_OPERATOR,
    client_cert=True,
    raises=(*TRUST, CannotConnect, CannotVerify, HostIsSlave),
    is_async=True,
    forwarded=False,
)
async def sync_trusted_certificates_from(
    context: Context,
    caller: Caller,
    self: ThePool,
    remote_pool: Annotated[str, Doc("Where the other pool's coordinator is: address[:port].")],
    remote_session: Annotated[SessionRef, Secret(), Doc("A session there, said to it alone.")],
    remote_certificate: Annotated[str, Doc("The certificate that it must show, in PEM.")],
    ca: Ca,
) -> list[CertificateRef]:
    """Trust what another pool trusts by purpose; returns what was not trusted here before."""
    believed = context.trusting.judged(remote_certificate).thumbprint
    found = await context.trusting.of_other_pool(remote_pool, remote_session, believed, ca)
    done: Purposes = {}
    try:
        await _trust(context, ca, found, caller, done)
    except Suspended:
        raise  # what is written counts once enough members are back; a call goes on with the rest
    except BaseException:
        for thumbprint, purposes in done.items():
            await context.trusting.take_back(thumbprint, purposes, caller)
        raise
    return _refs(context, done)


async def _trust(
    context: Context,
    ca: bool,
    wanted: Mapping[str, Sequence[str]],
    caller: Caller,
    done: Purposes,
) -> None:
    """Trust them; `done` has for what they are now, also if it ends with a failure."""
    sort, roster = anchors.CA if ca else anchors.PINNED, context.roster
    missing = []
    for pem, purposes in wanted.items():
        certificate, known = context.trusting.judged(pem), _known(purposes)
        try:
            anchors.install_for(roster, sort, certificate, known)
        except anchors.TrustedAlreadyExists:
            continue
        missing.append((pem, certificate.thumbprint, known))
    anchors.check_room(roster, *(thumbprint for _, thumbprint, _ in missing))
    for pem, thumbprint, known in missing:
        await context.trusting.install_for(sort, pem, known, caller)
        done[thumbprint] = anchors.wanted_for(sort, known)


def _known(purposes: Iterable[str]) -> list[str]:
    for one in purposes:
        if one not in CertificatePurpose.__members__.values():
            raise InvalidValue("purpose", one[:256])
    return [str(one) for one in purposes]


def _anchors(context: Context, refs: Iterable[Ref]) -> Iterable[Anchor]:
    """What these references name, which was installed.  Raises HandleInvalid."""
    records, found = context.records(Certificate), []
    for ref in refs:
        record = records.get(ref)
        anchor = record and context.roster.anchors.get(Thumbprint.parse(record.fingerprint_sha256))
        if not anchor:
            raise HandleInvalid("Certificate", ref)
        found.append(anchor)
    return found


def _published(anchor: Anchor) -> list[str]:
    return [str(one) for one in CertificatePurpose if one in anchor.purposes]


def _list(known: Mapping[str, bytes], name: str) -> bytes:
    if name not in known:
        raise revocations.CrlDoesNotExist(name[:256])
    return known[name]


def _refs(context: Context, thumbprints: Iterable[Thumbprint]) -> list[CertificateRef]:
    added = set(map(str, thumbprints))
    records = context.records(Certificate).items()
    return [ref for ref, one in records if one.fingerprint_sha256 in added]
