"""What is ours alone: join codes, the trust log, who verifies whom."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Annotated, Any

from pooltrust.api import roles
from pooltrust.api.classes.fields.refs import HostRef
from pooltrust.api.classes.pool import JOIN_ERRORS
from pooltrust.api.context import Context, Observation
from pooltrust.api.declare.call import Call, Doc, NamedHost, Secret, Where, call, find
from pooltrust.api.declare.record import CLASSES
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
    cli="host-status",
)
async def get_host_status(context: Context, host: Annotated[HostRef, Doc("The host.")]) -> Text:
    """How a host is, by its own account: role, version of the log, certificates, validity."""
    return dict(context.host_status())


@call(
    "pooltrust.probe_members",
    role=roles.READ_ONLY,
    runs=NamedHost("host"),
    raises=(HandleInvalid, CannotContactHost),
    cli="host-probe-members",
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


@call(
    "pooltrust.get_observed",
    role=roles.READ_ONLY,
    runs=NamedHost("host"),
    raises=(HandleInvalid, CannotContactHost),
    cli="host-observed",
)
async def get_observed(
    context: Context, host: Annotated[HostRef, Doc("The host that tells.")]
) -> list[Text]:
    """What a host has observed of its TLS connections since it was started: with whom, and how.

    One map for each kind of endpoint, way (dialled or answered), outcome and other side, with the
    last one: observer, kind, way, outcome (verified, let in, not verified, refused or no
    connection), host (if it is a member), peer, address, says (what it calls itself), met and shown
    (thumbprints, its own and this host's), tls_version, expected, refused_by (this host, the other
    side, or empty), reason, cure, at, first, count, forgotten (how many others gave way to newer
    ones), since (when the host began to observe).  It is kept in memory, and bounded.
    """
    known = context.roster.members
    return [
        {
            "observer": ref_of("host", context.this_host),
            "host": ref_of("host", row["peer"]) if row["peer"] in known else "",
            **row,
        }
        for row in context.observed()
    ]


@call("pooltrust.get_endpoints", role=roles.READ_ONLY, runs=Where.HERE, cli="endpoint-list")
async def get_endpoints(context: Context) -> list[Text]:
    """Every kind of connection on the management network, with what is expected there.

    One map for each: kind (as `pooltrust.get_observed` has it), dials, answers, direction (as seen
    from a host), server_name, expects, client_proof, rule, reason.
    """
    return [dict(row) for row in context.endpoints()]


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


@call("pooltrust.get_command_line", role=roles.READ_ONLY, raises=(InvalidValue,))
async def get_command_line(
    context: Context,
    method: Annotated[str, Doc("The call, such as pool.eject.")],
    arguments: Annotated[str, Doc("Its arguments after the session: a JSON list in text.")] = "[]",
) -> str:
    """The line of xe, for a shell, that does what a call does; empty if no command does it.

    No secret and no file's content is in it: a word in capitals stands for each.  So none needs to
    be given either, an empty text will do.
    """
    # The command line is loaded when somebody asks for it: most hosts never hear of it.
    from pooltrust.api.cli import run, typed

    assert run, "which declares every command"
    declared = find(method.removeprefix("Async."))
    if declared is None or declared.hidden or declared.internal:
        raise InvalidValue(field="method", value=method)
    values = _read(declared, arguments)
    return typed.command_line(declared, values, lambda cls: _uuids(context, cls))


def _read(declared: Call, text: str) -> list[Any]:
    """Arguments as the call takes them.  Raises InvalidValue."""
    try:
        given = json.loads(text)
        pairs = zip(declared.parameters, given, strict=False)
        values = [one.type.read(value) for one, value in pairs]
    except (ValueError, TypeError, RecursionError):
        # They are not repeated: there may be a password among them.
        raise InvalidValue(field="arguments", value="not what the call takes") from None
    if not declared.required <= len(given) <= len(declared.parameters):
        raise InvalidValue(field="arguments", value=f"{len(given)} of them")
    return values


def _uuids(context: Context, cls: str) -> dict[str, str]:
    declared = CLASSES.get(cls)
    rows = declared.rows(context) if declared else {}
    return {ref: record.uuid for ref, record in rows.items()}


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
