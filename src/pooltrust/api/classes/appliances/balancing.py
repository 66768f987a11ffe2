"""The Workload Balancing appliance: connecting the pool to it, and asking it."""

from __future__ import annotations

import re
from typing import Annotated

from pooltrust.api import roles
from pooltrust.api.classes.appliances.dialling import Credentials
from pooltrust.api.classes.fields.refs import HostRef, VmRef
from pooltrust.api.classes.pool import named_host
from pooltrust.api.context import Context
from pooltrust.api.declare.call import Doc, Secret, call
from pooltrust.api.sessions import Caller
from pooltrust.errors import (
    CannotConnect,
    CannotVerify,
    HandleInvalid,
    HostIsSlave,
    InvalidValue,
    OperationNotAllowed,
)
from pooltrust.errors import appliances as failures
from pooltrust.pki.offered import refusals
from pooltrust.pool import anchors
from pooltrust.terms import Thumbprint

TALKING = (
    CannotVerify,
    failures.WlbUrlInvalid,
    failures.WlbConnectionRefused,
    failures.WlbUnknownHost,
    failures.WlbConnectionReset,
    failures.WlbTimeout,
    failures.WlbAuthenticationFailed,
    failures.WlbMalformedResponse,
    failures.WlbInternalError,
)
ASKING = (*TALKING, failures.WlbNotInitialized)
MOST_PORT = 65535
_HOST = re.compile(r"[A-Za-z0-9._-]{1,253}|[0-9A-Fa-f:.]{2,45}(%[A-Za-z0-9._-]{1,15})?")
"""A name or an address.  It is dialled and said: uvloop takes any text behind an address's %."""

Url = Annotated[str, Doc("Where the appliance is: host:port, without a scheme.")]
Recommended = dict[VmRef, list[str]]


@call(
    "pool.initialize_wlb",
    role=roles.POOL_OPERATOR,
    raises=(*TALKING, HostIsSlave),
    is_async=True,
    forwarded=False,
)
async def initialize_wlb(
    context: Context,
    caller: Caller,
    wlb_url: Url,
    wlb_username: Annotated[str, Doc("The user at the appliance.")],
    wlb_password: Annotated[str, Secret(), Doc("The password there.")],
    xenserver_username: Annotated[str, Doc("A user of this pool, for the appliance to log in.")],
    xenserver_password: Annotated[str, Secret(), Doc("That user's password.")],
) -> None:
    """Connect the pool to a Workload Balancing appliance.

    Its certificate is verified before any of these passwords is said.  It must be installed first,
    or its authority's: pool.install_ca_certificate, or pooltrust.pin_wlb_certificate.  The
    passwords are given to the coordinator, at no other host.
    """
    there = Credentials(wlb_username, wlb_password)
    here = Credentials(xenserver_username, xenserver_password)
    await context.dialling.initialize(wlb_url, there, here, caller)


@call(
    "pool.deconfigure_wlb",
    role=roles.POOL_OPERATOR,
    raises=(failures.WlbNotInitialized,),
    is_async=True,
    cli="pool-deconfigure-wlb",
)
async def deconfigure_wlb(context: Context, caller: Caller) -> None:
    """Disconnect the pool from its Workload Balancing appliance, and forget the password.

    It is told, and the pool forgets it even if it can't be told.  Its certificate stays installed.
    """
    await context.dialling.deconfigure(caller)


@call(
    "pool.send_wlb_configuration",
    role=roles.POOL_OPERATOR,
    raises=ASKING,
    is_async=True,
    cli="pool-send-wlb-configuration",
)
async def send_wlb_configuration(
    context: Context,
    config: Annotated[dict[str, str], Doc("Settings, as the appliance names them.")],
) -> None:
    """Send settings to the Workload Balancing appliance."""
    await context.dialling.configure(config)


@call(
    "pool.retrieve_wlb_configuration",
    role=roles.READ_ONLY,
    raises=ASKING,
    is_async=True,
    cli="pool-retrieve-wlb-configuration",
)
async def retrieve_wlb_configuration(context: Context) -> dict[str, str]:
    """The settings of the Workload Balancing appliance."""
    return dict(await context.dialling.configuration())


@call(
    "pool.retrieve_wlb_recommendations",
    role=roles.READ_ONLY,
    raises=(*ASKING, failures.WlbDisabled),
    is_async=True,
    cli="pool-retrieve-wlb-recommendations",
)
async def retrieve_wlb_recommendations(context: Context) -> Recommended:
    """What the Workload Balancing appliance would move, by machine.

    A pool of pooltrust has no machines, so an answer that is sound is empty.
    """
    found = await context.dialling.recommendations()
    return {machine: list(words) for machine, words in found.items()}


@call(
    "host.retrieve_wlb_evacuate_recommendations",
    role=roles.READ_ONLY,
    raises=(*ASKING, failures.WlbDisabled, HandleInvalid),
    is_async=True,
)
async def retrieve_wlb_evacuate_recommendations(
    context: Context, self: Annotated[HostRef, Doc("The host that is to be emptied.")]
) -> Recommended:
    """Where the Workload Balancing appliance would move the machines of a host."""
    found = await context.dialling.evacuation(named_host(context, self))
    return {machine: list(words) for machine, words in found.items()}


@call(
    "pooltrust.pin_wlb_certificate",
    role=roles.POOL_OPERATOR,
    raises=(
        *TALKING,
        InvalidValue,
        OperationNotAllowed,
        anchors.TrustedAlreadyExists,
        refusals.TrustedInvalid,
        refusals.TrustedNotValidYet,
        refusals.TrustedExpired,
    ),
)
async def pin_wlb_certificate(
    context: Context,
    caller: Caller,
    wlb_url: Url,
    thumbprint: Annotated[str, Doc("The SHA-256 thumbprint to expect; empty: only look.")] = "",
) -> dict[str, str]:
    """Fetch the certificate of a Workload Balancing appliance, and trust exactly it.

    Without a thumbprint nothing changes: compare the one that is returned with the appliance's
    own console, and call again with it.  The pin that was there before is replaced.  Returns
    thumbprint, subject, issuer, not_before, not_after, names, self_signed, and pinned (true or
    false).
    """
    expected = _thumbprint(thumbprint) if thumbprint else None
    return dict(await context.dialling.look(wlb_url, expected, caller))


@call(
    "pool.send_test_post",
    role=roles.POOL_ADMIN,
    raises=(CannotConnect, CannotVerify, InvalidValue),
    is_async=True,
)
async def send_test_post(
    context: Context,
    host: Annotated[str, Doc("Whom to send it to: a name or an address.")],
    port: Annotated[int, Doc("The port there.")],
    body: Annotated[str, Doc("What to send.")],
) -> str:
    """Send a text to a web server over TLS, and return its answer.

    A host of the pool must show its server identity as the trust log has it; anybody else must be
    believed as an appliance is.  Whoever is not believed is sent nothing.
    """
    if not _HOST.fullmatch(host):
        raise InvalidValue("host", host[:256])
    if not 0 < port <= MOST_PORT:
        raise InvalidValue("port", str(port))
    return await context.dialling.post(host, port, body)


def _thumbprint(text: str) -> Thumbprint:
    try:
        return Thumbprint.parse(text)
    except ValueError:
        raise InvalidValue("thumbprint", text[:256]) from None
