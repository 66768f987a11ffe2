"""One API call is one declaration: `@call(…)` on an async function.

The function's name on the wire, parameters, role, place, errors and words are read once, at import;
a declaration that lacks something raises TypeError there.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType
from typing import Annotated, Any, TypeAlias, TypeVar, get_args, get_origin, get_type_hints

from pooltrust.api import roles
from pooltrust.api.declare.values import Type, type_of
from pooltrust.errors import Failure


class Where(Enum):
    """Where a call runs: on the host that receives it, or on the pool's coordinator."""

    HERE = "this host"
    COORDINATOR = "the coordinator"


@dataclass(frozen=True, slots=True)
class NamedHost:
    """The call runs on the host that this parameter names."""

    parameter: str


@dataclass(frozen=True, slots=True)
class Doc:
    """In a parameter's annotation: what it is, in one sentence."""

    text: str


class Secret:
    """In a parameter's annotation: never shown, logged or kept."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a call, without the session.  `default` is `REQUIRED` if there is none."""

    name: str
    type: Type
    doc: str
    default: Any
    secret: bool = False

    @property
    def cli(self) -> str:
        """How the command line spells it."""
        return self.name.replace("_", "-")


REQUIRED: Any = inspect.Parameter.empty
Run: TypeAlias = Callable[[Any, Any, Sequence[Any]], Awaitable[Any]]
NO_KEYS: Mapping[str, tuple[str, ...]] = MappingProxyType({})


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Call:
    """Everything there is to know about a call.

    `role` is the least privileged role that may use it, None for the local superuser alone;
    `holders` are all such roles; `keys` loosens it for some keys of a map.  What is not
    `forwarded` is answered by its own host only: a supporter's word for who calls is not enough.
    `run(context, caller, arguments)` takes one argument for each parameter.
    """

    name: str
    doc: str
    parameters: tuple[Parameter, ...]
    result: Type
    role: str | None
    holders: tuple[str, ...]
    runs: Where | NamedHost
    run: Run
    raises: tuple[type[Failure], ...] = ()
    keys: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: NO_KEYS)
    is_async: bool = False
    forwarded: bool = True
    session: bool = True
    hidden: bool = False
    internal: bool = False
    emergency: bool = False
    implicit: bool = False
    cli: str = ""
    required: int = field(init=False)

    def __post_init__(self) -> None:
        count = sum(parameter.default is REQUIRED for parameter in self.parameters)
        object.__setattr__(self, "required", count)

    @property
    def cls(self) -> str:
        """The class of its name."""
        return self.name.partition(".")[0]

    @property
    def permission(self) -> str:
        """What a role needs to hold: the name in lower case."""
        return self.name.lower()


CALLS: dict[str, Call] = {}
"""Every declared call by its name on the wire."""

MOST_WORDS = 3
"""Words in the name of a class, at most."""


def find(name: str) -> Call | None:
    """The call of this name, without ``Async.``; ``class_method`` is another spelling."""
    found = CALLS.get(name)
    if found is None and "." not in name:
        words = name.split("_", MOST_WORDS)
        names = ("_".join(words[:n]) + "." + "_".join(words[n:]) for n in range(1, len(words)))
        found = next((CALLS[one] for one in names if one in CALLS), None)
    return found


def register(declared: Call) -> None:
    """Add a call.  Raises TypeError if its name is taken, or if it says nothing."""
    cls, dot, method = declared.name.partition(".")
    if not (cls and dot and method):
        raise TypeError(f"{declared.name!r} is not class.method")
    if declared.name in CALLS:
        raise TypeError(f"{declared.name} is declared twice")
    if not declared.doc.strip():
        raise TypeError(f"{declared.name} needs a docstring")
    _check_place(declared)
    CALLS[declared.name] = declared


def _check_place(declared: Call) -> None:
    if isinstance(declared.runs, NamedHost):
        named = [p for p in declared.parameters if p.name == declared.runs.parameter]
        if not named or named[0].type.refers_to != "host":
            raise TypeError(f"{declared.name} runs on a host that no parameter names")


F = TypeVar("F", bound=Callable[..., Awaitable[Any]])


def call(
    name: str,
    *,
    role: str | None,
    runs: Where | NamedHost = Where.COORDINATOR,
    raises: tuple[type[Failure], ...] = (),
    client_cert: bool | None = None,
    cli: str = "",
    is_async: bool = False,
    forwarded: bool = True,
    session: bool = True,
    hidden: bool = False,
    internal: bool = False,
    emergency: bool = False,
) -> Callable[[F], F]:
    """Declare ``async def f(context, [caller,] …)`` as an API call.

    Every further parameter is `Annotated[type, Doc("…")]`; a trailing underscore of its name is
    dropped.  `cli` is the verb of the command line; `client_cert` gives the call to the internal
    role of that name too.  Raises TypeError for whatever is missing.
    """

    def declare(f: F) -> F:
        awaited: bool = inspect.iscoroutinefunction(f)
        if not awaited:
            raise TypeError(f"{name} must be an async function")
        hints = get_type_hints(f, include_extras=True)
        given = list(inspect.signature(f).parameters.values())
        wants_caller = len(given) > 1 and given[1].name == "caller"
        if not given or given[0].name != "context" or "return" not in hints:
            raise TypeError(f"{name} must take a context first and declare what it returns")
        register(
            Call(
                name=name,
                doc=inspect.getdoc(f) or "",
                parameters=tuple(
                    _parameter(name, one, hints) for one in given[2 if wants_caller else 1 :]
                ),
                result=type_of(hints["return"]),
                role=role,
                holders=roles.holders(role, client_cert=client_cert),
                runs=runs,
                run=_runner(f, wants_caller),
                raises=raises,
                cli=cli,
                is_async=is_async,
                forwarded=forwarded,
                session=session,
                hidden=hidden,
                internal=internal,
                emergency=emergency,
            )
        )
        return f

    return declare


def _runner(f: Callable[..., Awaitable[Any]], wants_caller: bool) -> Run:
    if wants_caller:
        return lambda context, caller, arguments: f(context, caller, *arguments)
    return lambda context, _caller, arguments: f(context, *arguments)


def _parameter(call: str, given: inspect.Parameter, hints: dict[str, Any]) -> Parameter:
    hint = hints.get(given.name)
    if get_origin(hint) is not Annotated:
        raise TypeError(f"{call}: {given.name} needs a type and a Doc")
    marks = get_args(hint)[1:]
    docs = [mark.text for mark in marks if isinstance(mark, Doc) and mark.text.strip()]
    if not docs:
        raise TypeError(f"{call}: {given.name} needs a Doc")
    return Parameter(
        name=given.name.rstrip("_"),
        type=type_of(hint),
        doc=docs[-1],
        default=given.default,
        secret=any(mark is Secret or isinstance(mark, Secret) for mark in marks),
    )
