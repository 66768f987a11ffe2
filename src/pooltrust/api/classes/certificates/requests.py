"""Having an authority sign what a host shows its clients; the key never leaves the host."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Protocol

from pooltrust.api import roles
from pooltrust.api.classes.certificates.server_certificate import INSTALL_ERRORS, Chain, Leaf
from pooltrust.api.classes.pool import TheHost
from pooltrust.api.context import Context
from pooltrust.api.declare.call import Doc, NamedHost, call
from pooltrust.api.sessions import Caller
from pooltrust.errors import CannotContactHost, HandleInvalid, InvalidValue, Refused, failure

NO_NAMES: list[str] = []


@failure(
    "NO_CERTIFICATE_REQUEST",
    cure="Make one, and have it signed: xe host-certificate-request-create",
)
class NoRequest(Refused):
    """{host} has no certificate request that waits for its answer."""

    host: str


class CertificateRequests(Protocol):
    """What these calls may ask of the daemon.  Each raises what its call declares."""

    async def create(self, names: Sequence[str], kind: str, caller: Caller) -> str:
        """Make a key and a request; returns the request in PEM."""

    async def pending(self) -> str:
        """The request that waits for its answer, in PEM; empty if there is none."""

    async def install(self, leaf: str, chain: str, caller: Caller) -> tuple[str, Sequence[str]]:
        """Serve clients the answer; returns its thumbprint and what its user should know."""

    async def discard(self) -> None:
        """Delete key and request."""


@call(
    "pooltrust.create_certificate_request",
    role=roles.POOL_ADMIN,
    runs=NamedHost("host"),
    raises=(CannotContactHost, HandleInvalid, InvalidValue),
    cli="host-certificate-request-create",
)
async def create_certificate_request(
    context: Context,
    caller: Caller,
    host: TheHost,
    names: Annotated[list[str], Doc("More DNS names than the host's own.")] = NO_NAMES,
    key: Annotated[str, Doc("rsa-2048, rsa-3072, p-256 or p-384; else as configured.")] = "",
) -> str:
    """Make a key on a host, and return a request (PKCS#10, PEM) for an authority to sign.

    The key stays there.  It replaces an earlier request; what clients meet does not change yet.
    """
    return await context.certificate_requests.create(names, key, caller)


@call(
    "pooltrust.get_certificate_request",
    role=roles.READ_ONLY,
    runs=NamedHost("host"),
    raises=(CannotContactHost, HandleInvalid),
    cli="host-certificate-request-get",
)
async def get_certificate_request(context: Context, host: TheHost) -> str:
    """The request of a host that waits for its answer, in PEM; empty if there is none."""
    return await context.certificate_requests.pending()


@call(
    "pooltrust.install_requested_certificate",
    role=roles.POOL_ADMIN,
    runs=NamedHost("host"),
    raises=(*INSTALL_ERRORS, NoRequest),
)
async def install_requested_certificate(
    context: Context,
    caller: Caller,
    host: TheHost,
    certificate: Leaf,
    certificate_chain: Chain = "",
) -> list[str]:
    """Have a host show its clients what an authority answered to its request.

    It is judged, and clients are told, as with host.install_server_certificate.  Returns the new
    thumbprint, then each warning in words.
    """
    thumbprint, warnings = await context.certificate_requests.install(
        certificate, certificate_chain, caller
    )
    return [thumbprint, *warnings]


@call(
    "pooltrust.discard_certificate_request",
    role=roles.POOL_ADMIN,
    runs=NamedHost("host"),
    raises=(CannotContactHost, HandleInvalid),
    cli="host-certificate-request-discard",
)
async def discard_certificate_request(context: Context, host: TheHost) -> None:
    """Delete a host's request and its key; an answer to it can't be installed any more."""
    await context.certificate_requests.discard()
