"""The emergency switch of one host, for whoever sits at its console."""

from __future__ import annotations

from typing import Annotated

from pooltrust.api.context import Context
from pooltrust.api.declare.call import Doc, Where, call
from pooltrust.api.sessions import Caller
from pooltrust.errors import InvalidValue

LONGEST_REASON = 200
LONGEST = 30 * 24 * 3600
"""Seconds for which the switch may stay on by a time limit."""


@call(
    "host.emergency_disable_tls_verification",
    role=None,
    runs=Where.HERE,
    emergency=True,
    cli="host-emergency-disable-tls-verification",
)
async def emergency_disable_tls_verification(context: Context, caller: Caller) -> None:
    """Stop verifying whom this host dials, until it is switched back.

    It needs neither coordinator nor network.  What the host answers is not loosened.
    """
    await context.disable_verification_here("", None, caller)


@call(
    "host.emergency_reenable_tls_verification",
    role=None,
    runs=Where.HERE,
    emergency=True,
    cli="host-emergency-reenable-tls-verification",
)
async def emergency_reenable_tls_verification(context: Context, caller: Caller) -> None:
    """Verify again whom this host dials."""
    await context.reenable_verification_here(caller)


@call(
    "pooltrust.emergency_disable_tls_verification",
    role=None,
    runs=Where.HERE,
    raises=(InvalidValue,),
    emergency=True,
)
async def disable_for_a_while(
    context: Context,
    caller: Caller,
    reason: Annotated[str, Doc("Why, for whoever sees the alert.")],
    lifetime: Annotated[int, Doc("After so many seconds it switches itself back.")] = 3600,
) -> None:
    """The same with a reason and a time limit.

    After that time every member is probed; if none of them shows a wrong certificate the switch
    goes back, and otherwise the journal says which does, and it is tried again.
    """
    if len(reason) > LONGEST_REASON:
        raise InvalidValue(field="reason", value=reason[:LONGEST_REASON])
    if not 0 < lifetime <= LONGEST:
        raise InvalidValue(field="lifetime", value=str(lifetime))
    await context.disable_verification_here(reason, lifetime, caller)
