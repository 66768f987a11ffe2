"""Steps of every member, said once.

They become single steps in a picture, so that a plan stays small, and a host that joins or leaves
while it is carried out is not forgotten.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, TypeAlias, assert_never, get_args

from pooltrust.pool.plan.picture import Picture
from pooltrust.pool.plan.steps import (
    STEPS,
    Adopt,
    Append,
    Probe,
    Promote,
    Retire,
    Step,
    name,
)
from pooltrust.terms import HostId, Thumbprint
from pooltrust.trust import fields
from pooltrust.trust.fields import Recorded
from pooltrust.trust.roster import Roster


@dataclass(frozen=True, slots=True)
class AllAdopt(Recorded):
    """Every member takes in the log."""

    kind: ClassVar[str] = "all-adopt"

    def words(self, roster: Roster) -> str:
        """Who takes it in."""
        return f"{_names(roster)} take in the trust log"


@dataclass(frozen=True, slots=True)
class AllProbe(Recorded):
    """Every member, the subject included, meets exactly this certificate at the subject."""

    kind: ClassVar[str] = "all-probe"
    subject: fields.Host
    certificate: fields.Thumbprint
    after: fields.Count

    def words(self, roster: Roster) -> str:
        """Who meets whom."""
        whom = name(roster, self.subject)
        return f"{_names(roster)} connect to {whom} and meet {self.certificate.short}…"


@dataclass(frozen=True, slots=True)
class OneProbes(Recorded):
    """One host meets every member."""

    kind: ClassVar[str] = "one-probes"
    observer: fields.Host
    after: fields.Count

    def words(self, roster: Roster) -> str:
        """Who meets whom."""
        return f"{name(roster, self.observer)} connects to every member and meets its certificate"


@dataclass(frozen=True, slots=True)
class PairsProbe(Recorded):
    """Every member meets every other one, with the certificate that the other one serves."""

    kind: ClassVar[str] = "pairs-probe"
    after: fields.Count

    def words(self, roster: Roster) -> str:
        """Who meets whom."""
        return f"{_names(roster)} connect to one another, and each meets the right certificate"


Everyone: TypeAlias = AllAdopt | AllProbe | OneProbes | PairsProbe
Wanted: TypeAlias = Step | Everyone
WANTED = STEPS | {wanted.kind: wanted for wanted in get_args(Everyone)}
"""Everything that a phase can ask for, by its kind."""


def single_steps(wanted: Wanted, picture: Picture) -> Iterator[Step]:
    """What it means for the members in this picture."""
    members = sorted(picture.roster.members)
    match wanted:
        case AllAdopt():
            yield from map(Adopt, members)
        case AllProbe(subject=subject, certificate=certificate, after=after):
            for observer in members:
                yield Probe(observer, subject, certificate, after)
        case OneProbes(observer=observer, after=after):
            for subject in members:
                yield Probe(observer, subject, served(picture, subject), after)
        case PairsProbe(after=after):
            for subject in members:
                certificate = served(picture, subject)
                for observer in members:
                    if observer != subject:
                        yield Probe(observer, subject, certificate, after)
        case Append() | Adopt() | Promote() | Probe() | Retire():
            yield wanted
        case _:
            assert_never(wanted)


def served(picture: Picture, host: HostId) -> Thumbprint:
    """The accepted certificate that a member serves: the newest one if it did not say."""
    member = picture.roster.members[host]
    said = picture.known(host).serves
    return said if said and member.accepts(said) else member.newest.thumbprint


def _names(roster: Roster) -> str:
    members = [member.name or member.host for member in roster.members.values()]
    return ", ".join(members) if len(members) <= 8 else f"all {len(members)} members"
