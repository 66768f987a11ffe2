"""What the pool trusts beside its members: authorities, by name or purpose, single certificates."""

from __future__ import annotations

from typing import Annotated

from pooltrust.api import roles
from pooltrust.api.classes.certificate import Certificate
from pooltrust.api.classes.fields.choices import CertificatePurpose, CertificateType
from pooltrust.api.classes.fields.refs import CertificateRef, PoolRef
from pooltrust.api.context import Context
from pooltrust.api.declare.call import Doc, call
from pooltrust.api.sessions import Caller
from pooltrust.errors import CannotContactHost, HandleInvalid, InvalidValue, OperationNotAllowed
from pooltrust.pki.offered import refusals
from pooltrust.pool import anchors
from pooltrust.terms import Thumbprint

ThePool = Annotated[PoolRef, Doc("The pool.")]
Name = Annotated[str, Doc("Its name, a file name that ends in .pem.")]
Pem = Annotated[str, Doc("The certificate, in PEM; the first one counts.")]
Force = Annotated[bool, Doc("Do it although there is none, as far as that goes.")]
Ca = Annotated[bool, Doc("Whether it is an authority that issues others; else it stands alone.")]
Purposes = Annotated[list[CertificatePurpose], Doc("What it is trusted for.")]

INSTALL = (
    refusals.CaInvalid,
    refusals.CaNotValidYet,
    refusals.CaExpired,
    refusals.CertificateNameInvalid,
    anchors.CertificateAlreadyExists,
    OperationNotAllowed,
)
UNINSTALL = (
    refusals.CertificateNameInvalid,
    anchors.CertificateDoesNotExist,
    InvalidValue,
)


@call(
    "pool.install_ca_certificate",
    role=roles.POOL_OPERATOR,
    client_cert=True,
    raises=INSTALL,
    is_async=True,
    cli="pool-install-ca-certificate",
)
async def install_ca_certificate(context: Context, caller: Caller, name: Name, cert: Pem) -> None:
    """Trust an authority for appliances that hosts dial, and for clients with certificates.

    An appliance's own self-signed certificate is installed in the same way.
    """
    await context.trusting.install_by_name(name, cert, caller)


@call("pool.certificate_install", role=roles.POOL_OPERATOR, raises=INSTALL, is_async=True)
async def certificate_install(context: Context, caller: Caller, name: Name, cert: Pem) -> None:
    """The older name of pool.install_ca_certificate."""
    await context.trusting.install_by_name(name, cert, caller)


@call(
    "pool.uninstall_ca_certificate",
    role=roles.POOL_OPERATOR,
    client_cert=True,
    raises=UNINSTALL,
    is_async=True,
    cli="pool-uninstall-ca-certificate",
)
async def uninstall_ca_certificate(
    context: Context, caller: Caller, name: Name, force: Force = False
) -> None:
    """Trust an authority no longer.

    If the same certificate was installed for other purposes too, it is gone for all of them.
    """
    await context.trusting.remove_by_name(name, force, caller)


@call("pool.certificate_uninstall", role=roles.POOL_OPERATOR, raises=UNINSTALL, is_async=True)
async def certificate_uninstall(context: Context, caller: Caller, name: Name) -> None:
    """The older name of pool.uninstall_ca_certificate."""
    await context.trusting.remove_by_name(name, False, caller)


@call("pool.certificate_list", role=roles.POOL_OPERATOR, is_async=True)
async def certificate_list(context: Context) -> list[str]:
    """The name of each authority that the pool trusts; empty for one installed by purpose."""
    of_type = CertificateType.CA
    return [one.name for one in context.records(Certificate).values() if one.type is of_type]


@call(
    "pool.certificate_sync",
    role=roles.POOL_OPERATOR,
    raises=(CannotContactHost,),
    is_async=True,
    cli="pool-certificate-sync",
)
async def certificate_sync(context: Context) -> None:
    """Bring the trust log and the revocation lists to every member, and wait for all of them.

    That is done by itself after each change; this says which member lacks something still.
    """
    await context.trusting.sync()


@call(
    "pool.install_trusted_certificate",
    role=roles.POOL_OPERATOR,
    client_cert=True,
    raises=(
        refusals.TrustedInvalid,
        refusals.TrustedNotValidYet,
        refusals.TrustedExpired,
        anchors.LacksPurpose,
        anchors.TrustedAlreadyExists,
        OperationNotAllowed,
    ),
    is_async=True,
    cli="pool-install-trusted-certificate",
)
async def install_trusted_certificate(
    context: Context, caller: Caller, self: ThePool, ca: Ca, cert: Pem, purpose: Purposes
) -> None:
    """Trust an authority, or one certificate, for these purposes.

    An authority without any is trusted for those that have none of their own.  A second time, for
    other purposes, it is trusted for both.
    """
    await context.trusting.install_for(_sort(ca), cert, [str(one) for one in purpose], caller)


@call(
    "pool.uninstall_trusted_certificate",
    role=roles.POOL_OPERATOR,
    client_cert=True,
    raises=(HandleInvalid, anchors.NotTrustedCertificate),
    is_async=True,
    cli="pool-uninstall-trusted-certificate",
)
async def uninstall_trusted_certificate(
    context: Context,
    caller: Caller,
    self: ThePool,
    certificate: Annotated[CertificateRef, Doc("The installed certificate.")],
) -> None:
    """Trust a certificate no longer, for anything."""
    found = context.records(Certificate).get(certificate)
    if found is None:
        raise HandleInvalid(type="Certificate", handle=certificate)
    if found.type not in (CertificateType.CA, CertificateType.PINNED):
        raise anchors.NotTrustedCertificate(certificate)
    await context.trusting.remove(Thumbprint.parse(found.fingerprint_sha256), caller)


def _sort(ca: bool) -> str:
    return anchors.CA if ca else anchors.PINNED
