"""One request from bytes to bytes, in the order in which clients can see it fail.

Parse, find the call, the emergency gate, count the parameters, check the session, the role, read
the parameters, then run it here or have another host do so.  Whatever no call declares becomes an
INTERNAL_ERROR with an id; its story is in the host's log.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pooltrust.api import classes as _classes
from pooltrust.api import roles
from pooltrust.api.classes.absent.reader import absent_calls, find_absent
from pooltrust.api.classes.fields.host import Host
from pooltrust.api.classes.telling.working import as_task
from pooltrust.api.context import Context
from pooltrust.api.declare.call import CALLS, Call, NamedHost, Where, find
from pooltrust.api.declare.values import VOID, Ref, WrongType
from pooltrust.api.sessions import Caller, Origin, Principal
from pooltrust.api.wire.message import Answer, Request, Wire
from pooltrust.errors import (
    Failure,
    HandleInvalid,
    HostIsSlave,
    InternalError,
    InvalidValue,
    MessageMethodUnknown,
    MessageParameterCountMismatch,
    NoAsyncForm,
    SessionInvalid,
)
from pooltrust.terms import HostId, host_id

ASK_THUMBPRINT = "x-xenapi-request-host-certificate-thumbprint"
"""A request's header, ``sha-256:master`` or ``sha-1:master``: whom do I meet if I am sent on?"""

TELL_THUMBPRINT = "x-xenapi-response-host-certificate-thumbprint"
"""The answer's: the thumbprint of the coordinator's server identity."""

ASYNC = "Async."
_ALIVE = "system.isAlive"

assert _classes, "imported for its declarations"


async def dispatch(
    context: Context, wire: Wire, body: bytes, origin: Origin, ask_thumbprint: str = ""
) -> Answer:
    """Answer one request.

    `ask_thumbprint` is the value of its `ASK_THUMBPRINT` header.  Raises MalformedRequest for a
    body that is no request, and nothing else.
    """
    request = wire.read(body)
    headers: Mapping[str, str] = {}
    try:
        if request.method == "system.listMethods":
            answer = wire.bare(request, [*CALLS, *absent_calls()])
        else:
            answer = wire.success(request, await _value(context, request, origin))
    except Failure as why:
        answer = wire.failure(request, [why.code, *why.parameters()])
        if isinstance(why, HostIsSlave):
            headers = _thumbprint(context, ask_thumbprint)
        if request.parameters:
            context.sessions.failed(request.parameters[0], why.code, str(why))
    except Exception as why:  # noqa: BLE001 - the one place where no exception may pass
        failure = _defect(context, why)
        answer = wire.failure(request, [failure.code, *failure.parameters()])
    return Answer(answer, wire.content_type, headers)


async def carry_out(
    context: Context, name: str, arguments: Sequence[Any], principal: Principal
) -> Any:
    """Run a call that another member forwarded, here.

    `arguments` are one for each parameter, as JSON carries them; the answer is the call's value,
    which `jsonrpc.encode` writes and the `read` of the call's result reads.  Raises what the call
    raises, and InternalError for anything that no call declares.
    """
    call = CALLS.get(name)
    if call is None or not call.forwarded or not call.session or call.runs is Where.HERE:
        raise MessageMethodUnknown(method=name)
    if len(arguments) != len(call.parameters):
        raise MessageParameterCountMismatch(name, len(call.parameters), len(arguments))
    roles.check(call, principal, arguments)
    values = _read(call, arguments)
    if _elsewhere(context, call, values) is not None:
        raise InternalError(f"{name} was forwarded to {context.this_host}, where it does not run")
    try:
        return await call.run(context, Caller(name, principal.origin, principal), values)
    except Failure:
        raise
    except Exception as why:
        raise _defect(context, why) from why


async def invoke(context: Context, method: str, parameters: Sequence[Any], origin: Origin) -> Any:
    """Make one call as a client does, the session first; its value as the call returned it.

    Raises what the client would be told.
    """
    return await _value(context, Request(method, list(parameters)), origin)


async def _value(context: Context, request: Request, origin: Origin) -> Any:
    if request.method.startswith(_ALIVE):
        return request.parameters[0] if request.parameters else ""
    name = request.method.removeprefix(ASYNC)
    call = find(name) or find_absent(name)
    if call is None:
        if request.parameters:
            _authenticated(context, name, request.parameters[0], origin)
        raise MessageMethodUnknown(method=request.method)
    if context.emergency is not None and not call.emergency:
        raise context.emergency
    given = _counted(call, request.parameters)
    caller = Caller(call.name, origin)
    if call.session:
        alone = call.emergency or call.runs is Where.HERE
        caller = _authenticated(context, call.name, request.parameters[0], origin, alone=alone)
        assert caller.principal is not None
        roles.check(call, caller.principal, given)
    if request.method != name and not call.is_async:
        raise NoAsyncForm(f"No async mode for this operation (rpc: {call.name})")
    arguments = _read(call, given)
    to = _elsewhere(context, call, arguments)
    if to == "coordinator" and not call.forwarded:
        raise HostIsSlave(address=context.coordinator_address)

    async def run(caller: Caller) -> Any:
        if to is None:
            value = await call.run(context, caller, arguments)
        else:
            value = await _forwarded(context, call, arguments, caller, to)
        return "" if call.result is VOID else value

    if request.method != name:
        return as_task(context, caller, request.method, run, _defect)
    return await run(caller)


def _counted(call: Call, parameters: Sequence[Any]) -> Sequence[Any]:
    """The parameters without the session, if their number is right."""
    given = parameters[1:] if call.session else parameters
    received = len(parameters) - 1 if call.session else len(parameters)
    most = len(call.parameters)
    if received < call.required or (received > most and call.required == most):
        raise MessageParameterCountMismatch(call.name, call.required, received)
    return given[:most]


def _authenticated(
    context: Context, call: str, given: Any, origin: Origin, *, alone: bool = False
) -> Caller:
    """The caller behind a session reference.

    A supporter serves only its own local users and members; everybody else it sends on.  `alone`:
    the call needs no other host, so that a session for this host alone is enough for it.
    """
    session = None
    if isinstance(given, str):
        session = context.sessions.use(Ref(given), context.now(), context.monotonic())
    principal = session.principal if session else None
    if session is not None and session.here and not alone:
        session = principal = None
    served = origin.local or (principal and (principal.pool or principal.origin.local))
    served = served or (session is not None and session.here)
    if not context.is_coordinator and not served:
        raise HostIsSlave(address=context.coordinator_address)
    if session is None:
        raise SessionInvalid(session=given if isinstance(given, str) else "")
    return Caller(call, origin, principal, session.ref)


def _read(call: Call, given: Sequence[Any]) -> list[Any]:
    arguments = []
    for parameter, raw in zip(call.parameters, given, strict=False):
        try:
            arguments.append(parameter.type.read(raw))
        except WrongType:
            raise InternalError(
                f"{call.name}: {parameter.name} must be of type {parameter.type.name}"
            ) from None
        except InvalidValue as why:
            if parameter.secret:  # what is wrong with it would be told, kept and shown with it
                raise InvalidValue(field=why.field, value="") from None
            raise
    if len(arguments) < len(call.parameters):
        arguments += [parameter.default for parameter in call.parameters[len(arguments) :]]
    return arguments


def _elsewhere(
    context: Context, call: Call, arguments: Sequence[Any]
) -> HostId | Literal["coordinator"] | None:
    """Where a call runs if it is not here."""
    if call.runs is Where.HERE:
        return None
    if call.runs is Where.COORDINATOR:
        return None if context.is_coordinator else "coordinator"
    assert isinstance(call.runs, NamedHost)
    names = [parameter.name for parameter in call.parameters]
    named = _host(context, arguments[names.index(call.runs.parameter)])
    return None if named == context.this_host else named


def _host(context: Context, ref: Ref) -> HostId:
    try:
        return host_id(context.records(Host)[ref].uuid)
    except KeyError:
        raise HandleInvalid(type="host", handle=ref) from None


async def _forwarded(
    context: Context,
    call: Call,
    arguments: Sequence[Any],
    caller: Caller,
    to: HostId | Literal["coordinator"],
) -> Any:
    if caller.principal is None:
        raise InternalError(f"{call.name} takes no session, so it can't be forwarded")
    return call.result.read(await context.forward(call, arguments, caller.principal, to))


def _thumbprint(context: Context, asked: str) -> Mapping[str, str]:
    """The answer to `ASK_THUMBPRINT`: nothing for what nobody knows."""
    roster = context.roster
    coordinator = roster.members.get(roster.coordinator)
    if coordinator is None:
        return {}
    match asked.strip().lower():
        case "sha-256:master":
            return {TELL_THUMBPRINT: str(coordinator.server.thumbprint)}
        case "sha-1:master":
            return {TELL_THUMBPRINT: coordinator.server.sha1}
    return {}


def _defect(context: Context, why: Exception) -> InternalError:
    return InternalError(f"Unexpected failure; the host's log has its story: {context.defect(why)}")
