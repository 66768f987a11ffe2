"""A plan: the phases of one operation, fixed and stored before its first step.

It can be written as JSON and read back, strictly and bounded.  It holds certificates and
signatures, which are public, and no secret.  What is to be done next is in operation.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, TypeAlias, get_args
from uuid import UUID

from pooltrust.pool.plan.everyone import WANTED, Wanted
from pooltrust.pool.plan.steps import Append
from pooltrust.pool.plan.tagged import tagged
from pooltrust.terms import HostId
from pooltrust.trust import canonical, fields
from pooltrust.trust.canonical import MIB
from pooltrust.trust.fields import Form, Recorded

PLAN_LIMIT = MIB


class BadPlan(ValueError):
    """These bytes are no plan; the words say why."""


class Kind(StrEnum):
    """Operations of a pool, named as in `pool.allowed_operations` of XenAPI where they are there.

    The last two run in an emergency, when there may be no coordinator to ask.
    """

    CERT_REFRESH = "cert_refresh"
    EJECT = "eject"
    TLS_VERIFICATION_ENABLE = "tls_verification_enable"
    DESIGNATE_NEW_MASTER = "designate_new_master"
    EMERGENCY_TRANSITION = "emergency_transition_to_master"
    RECOVER = "recover_slaves"


class Demand(StrEnum):
    """How many members a phase needs; the others do their part when they return."""

    EVERYONE = "everyone"
    PRESENT = "present"
    """Every member that is there; to write, at least half, the coordinator among them."""
    HALF = "half"
    """At least half of the members, the coordinator among them, whoever else is there."""
    MORE_THAN_HALF = "more-than-half"
    """More than half of the members, a coordinator that is replaced not counted."""
    NOBODY = "nobody"
    """It is done as far as it can be."""


def _choice(choices: type[StrEnum]) -> Form[Any]:
    def check(value: Any) -> None:
        if type(value) is not choices:
            raise ValueError(f"none of {', '.join(choices)}")

    return Form(check, str, choices)


def _check_id(value: Any) -> None:
    if type(value) is not str or str(UUID(value)) != value:
        raise ValueError("not a UUID")


def _check_subject(value: Any) -> None:
    if value != "":
        _HOST.check(value)


_HOST: Form[HostId] = get_args(fields.Host)[1]
_HOSTS = fields.several(_HOST, 16)
_SUBJECT: Form[Any] = Form(_check_subject, str, str)
_ID: Form[str] = Form(_check_id, str, str)
_WANTED = tagged(WANTED)
Words: TypeAlias = Annotated[str, fields.text(1000)]


@dataclass(frozen=True, slots=True)
class Phase(Recorded):
    """A barrier: its steps may run at once, and the next phase waits for them."""

    name: Annotated[str, fields.text(64, least=1)]
    steps: Annotated[tuple[Wanted, ...], fields.several(_WANTED, 64)]
    demand: Annotated[Demand, _choice(Demand)]
    needs: Annotated[tuple[HostId, ...], _HOSTS] = ()
    """Hosts that must be there whatever the demand."""
    commits: fields.Flag = False
    """Ends only when what was written is committed."""
    final: fields.Flag = False
    """The point of no return: once its entry is written the operation can't be abandoned."""

    @property
    def entries(self) -> tuple[Append, ...]:
        """What it writes into the log."""
        return tuple(step for step in self.steps if isinstance(step, Append))


_PHASES = fields.several(fields.nested(Phase), 16)


@dataclass(frozen=True, slots=True)
class Plan(Recorded):
    """One operation on the pool.  `title`, `standing`, … are for people."""

    id: Annotated[str, _ID]
    kind: Annotated[Kind, _choice(Kind)]
    subject: Annotated[HostId, _SUBJECT]
    """The host that it is about; empty for the pool."""
    after: fields.Count
    """The number of the log's last entry when it was planned."""
    phases: Annotated[tuple[Phase, ...], _PHASES]
    undo: Annotated[tuple[Phase, ...], _PHASES]
    """What takes it back, before the point of no return."""
    by: fields.Name
    call: fields.Name
    title: Words
    """What it is called in a sentence: "the refresh of h2"."""
    standing: Words
    """What is true wherever it stops."""
    drops: Words
    """Which connections it closes."""

    def __post_init__(self) -> None:
        """Raises ValueError for two phases of one name: it says how far an operation is."""
        super(Plan, self).__post_init__()
        for phases in (self.phases, self.undo):
            if len({phase.name for phase in phases}) < len(phases):
                raise ValueError("two phases have one name")

    def to_wire(self) -> bytes:
        """As canonical JSON."""
        return canonical.encode(self.record())

    @classmethod
    def from_wire(cls, data: bytes) -> Plan:
        """Read `to_wire()`, at most 1 MiB.  Raises BadPlan, whatever the bytes."""
        try:
            return cls.read(canonical.decode(data, limit=PLAN_LIMIT))
        except ValueError as why:
            raise BadPlan(str(why)) from why
