"""The server identity of a host, which clients meet: installing and resetting it."""

from __future__ import annotations

from typing import Annotated

from pooltrust.api import roles
from pooltrust.api.classes.pool import TheHost
from pooltrust.api.context import Context
from pooltrust.api.declare.call import Doc, NamedHost, Secret, Where, call
from pooltrust.api.sessions import Caller
from pooltrust.errors import CannotContactHost, HandleInvalid, OperationSuspended
from pooltrust.pki.offered import refusals

Leaf = Annotated[str, Doc("The certificate, in PEM.")]
Key = Annotated[str, Secret(), Doc("Its private key, in unencrypted PKCS#8 PEM.")]
Chain = Annotated[str, Doc("The authorities between it and the root, in PEM; may be empty.")]

INSTALL_ERRORS = (
    refusals.KeyInvalid,
    refusals.KeyMultiNotSupported,
    refusals.KeyAlgorithmNotSupported,
    refusals.KeyLengthNotSupported,
    refusals.LeafInvalid,
    refusals.LeafNotValidYet,
    refusals.LeafExpired,
    refusals.KeyMismatch,
    refusals.SignatureNotSupported,
    refusals.ChainInvalid,
    CannotContactHost,
    HandleInvalid,
    OperationSuspended,
)


@call(
    "host.install_server_certificate",
    role=roles.POOL_ADMIN,
    runs=NamedHost("host"),
    raises=INSTALL_ERRORS,
    is_async=True,
    cli="host-server-certificate-install",
)
async def install_server_certificate(
    context: Context,
    caller: Caller,
    host: TheHost,
    certificate: Leaf,
    private_key: Key,
    certificate_chain: Chain = "",
) -> None:
    """Have a host show its clients a certificate of yours.

    Everything is checked before anything is moved.  Clients are disconnected after their present
    call; connections between members are not.
    """
    await context.install_server_certificate(certificate, private_key, certificate_chain, caller)


@call(
    "pooltrust.install_server_certificate",
    role=roles.POOL_ADMIN,
    runs=NamedHost("host"),
    raises=INSTALL_ERRORS,
)
async def install_with_warnings(
    context: Context,
    caller: Caller,
    host: TheHost,
    certificate: Leaf,
    private_key: Key,
    certificate_chain: Chain = "",
) -> list[str]:
    """The same, and say what clients may have against it.

    Returns the new thumbprint, then each warning in words.
    """
    thumbprint, warnings = await context.install_server_certificate(
        certificate, private_key, certificate_chain, caller
    )
    return [thumbprint, *warnings]


@call(
    "host.reset_server_certificate",
    role=roles.POOL_ADMIN,
    runs=NamedHost("host"),
    raises=(CannotContactHost, HandleInvalid, OperationSuspended),
    is_async=True,
    cli="host-reset-server-certificate",
)
async def reset_server_certificate(context: Context, caller: Caller, host: TheHost) -> None:
    """Delete the certificate that a host shows its clients, and put a new self-signed one there.

    Clients are disconnected after their present call; the old key is deleted.
    """
    await context.reset_server_certificate(caller)


@call(
    "host.emergency_reset_server_certificate",
    role=None,
    runs=Where.HERE,
    emergency=True,
    cli="host-emergency-reset-server-certificate",
)
async def emergency_reset_server_certificate(context: Context, caller: Caller) -> None:
    """The same on the host that is asked, while it can't reach its coordinator.

    The trust log hears of it when there is a coordinator again.
    """
    await context.emergency_reset_server_certificate(caller)
