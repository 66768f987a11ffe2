"""What is ours alone: join codes, the trust log, who verifies whom."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Annotated, Any

from pooltrust.api import roles
from pooltrust.api.classes.fields.refs import HostRef
from pooltrust.api.classes.pool import JOIN_ERRORS
from pooltrust.api.context import Context, Observation
from pooltrust.api.declare.call import Doc, NamedHost, Secret, Where, call
from pooltrust.api.declare.values import compact, ref_of
from pooltrust.api.sessions import Caller
from pooltrust.errors import CannotContactHost, HandleInvalid, HostIsSlave, InvalidValue

if TYPE_CHECKING:
    from pooltrust.trust.entry import SignedEntry

LONGEST_PAGE = 1000
LONGEST_CODE = 30 * 24 * 3600
"""Seconds for which a join code may be good."""

Text = dict[str, str]


@call(
    "pooltrust.get_host_status",
    role=roles.READ_ONLY,
    runs=NamedHost("host"),
    raises=(HandleInvalid, CannotContactHost),
)
async def get_host_status(context: Context, host: Annotated[HostRef, Doc("The host.")]) -> Text:
    """How a host is, by its own account: role, version of the log, certificates, validity."""
    return dict(context.host_status())


@call(
    "pooltrust.probe_members",
    role=roles.READ_ONLY,
    runs=NamedHost("host"),
    raises=(HandleInvalid, CannotContactHost),
)
async def probe_members(
    context: Context, host: Annotated[HostRef, Doc("The host that probes.")]
) -> list[Text]:
    """Have a host make one handshake with every member, now, and say whom it met.

    One map for each member: observer, host, uuid, address, met (the thumbprint, empty if nobody
    answered), tls_version, verified (true or false), reason, cure, at.
    """
    return [_seen(observation) for observation in await context.probe()]


def _seen(observation: Observation) -> Text:
    return {
        "observer": ref_of("host", observation.observer),
        "host": ref_of("host", observation.host),
        "uuid": observation.host,
        "address": observation.address,
        "met": observation.met,
        "tls_version": observation.tls_version,
        "verified": "true" if observation.verified else "false",
        "reason": observation.reason,
        "cure": observation.cure,
        "at": observation.at,
    }


@call("pooltrust.get_last_failure", role=roles.READ_ONLY, runs=Where.HERE)
async def get_last_failure(context: Context, caller: Caller) -> Text:
    """How this session's last failed call failed: code and words, both empty if none did.

    Published failures have a code and fixed parameters; the words say who was expected, who was
    met, why, every other reason, and what to do next.
    """
    told = context.sessions.last_failure(caller.session) if caller.session else None
    return {"code": told.code if told else "", "words": told.words if told else ""}


@call(
    "pooltrust.create_join_code",
    role=roles.POOL_OPERATOR,
    raises=(InvalidValue, HostIsSlave),
    forwarded=False,
    cli="pool-join-code-create",
)
async def create_join_code(
    context: Context,
    caller: Caller,
    lifetime: Annotated[int, Doc("For how many seconds it is good, at most 30 days.")] = 3600,
) -> str:
    """Make a code with which one host can join this pool once.

    It is made on the coordinator only: a supporter's word is not enough to let somebody in.  It
    says where the pool is and which certificate to expect there, so that the joiner trusts
    nobody on first use; it is a secret.
    """
    if not 0 < lifetime <= LONGEST_CODE:
        raise InvalidValue(field="lifetime", value=str(lifetime))
    return await context.create_join_code(lifetime, caller)


@call(
    "pooltrust.join_with_code",
    role=roles.POOL_OPERATOR,
    runs=Where.HERE,
    raises=JOIN_ERRORS,
    is_async=True,
)
async def join_with_code(
    context: Context,
    caller: Caller,
    code: Annotated[str, Secret(), Doc("The join code, as the pool's administrator gave it.")],
) -> None:
    """Make this host a member of the pool that made this code."""
    await context.join_with_code(code, caller)


@call("pooltrust.get_alerts", role=roles.READ_ONLY)
async def get_alerts(context: Context) -> list[Text]:
    """What an administrator should know now, the most urgent first; gone when its cause is gone.

    One map for each: uuid, name, about (Host, Pool or Certificate), object, priority (1 is the most
    urgent), words, body (as published clients are sent it), date (that it speaks of, or empty),
    raised.  Times are UTC in ISO 8601.
    """
    return [{name: str(value) for name, value in row.items()} for row in context.alerts()]


@call("pooltrust.get_log", role=roles.READ_ONLY, raises=(InvalidValue,))
async def get_log(
    context: Context,
    after: Annotated[int, Doc("Begin after the entry of this number.")] = 0,
    count: Annotated[int, Doc("At most so many entries, 1000 at most.")] = 100,
) -> list[Text]:
    """A page of the trust log, oldest first.

    One map for each entry: number, hash, previous, at, by, call, kind, alone, signer; and payload
    and signature (base64) as they were signed, so that a client can check them itself.
    """
    if after < 0:
        raise InvalidValue(field="after", value=str(after))
    if not 0 < count <= LONGEST_PAGE:
        raise InvalidValue(field="count", value=str(count))
    return [_entry(signed) for signed in context.log_entries(after, count)]


def _entry(signed: SignedEntry) -> Text:
    entry: Any = signed.entry
    return {
        "number": str(entry.number),
        "hash": signed.hash,
        "previous": entry.previous,
        "at": compact(entry.at),
        "by": entry.by,
        "call": entry.call,
        "kind": entry.kind,
        "alone": "true" if entry.alone else "false",
        "signer": str(entry.signer),
        "payload": signed.payload.decode(),
        "signature": base64.b64encode(signed.signature).decode(),
    }
