"""The five things that an operation can make true, as values.

Each says whether it holds in a picture, whom it needs to be there, and what it is in words.
Nothing is carried out here, and the order of steps is a plan's business.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar, TypeAlias, assert_never, get_args

from pooltrust.pool.plan.tagged import tagged
from pooltrust.terms import HostId, Thumbprint
from pooltrust.trust import entries as e
from pooltrust.trust import fields
from pooltrust.trust.entries import BODIES, Body
from pooltrust.trust.fields import Recorded
from pooltrust.trust.roster import Roster

if TYPE_CHECKING:
    from pooltrust.pool.plan.picture import Picture

BodyField: TypeAlias = Annotated[Body, tagged(BODIES)]


@dataclass(frozen=True, slots=True)
class Append(Recorded):
    """The log holds this change, written after entry `after`: compare-and-append, twice is once.

    `alone`: ordered by an administrator although fewer than half of the members are there.
    """

    kind: ClassVar[str] = "append"
    body: BodyField
    after: fields.Count
    alone: fields.Flag = False

    def holds(self, picture: Picture) -> bool:
        """Whether it is written, or somebody else has brought about the same."""
        return picture.written(self) is not None or in_effect(self.body, picture.roster)

    def needs(self) -> frozenset[HostId]:
        """Nobody but the host that writes; how many must hold it is the phase's demand."""
        return frozenset()

    def words(self, roster: Roster) -> str:
        """What is written."""
        return f"write into the trust log: {said(self.body, roster)}"


@dataclass(frozen=True, slots=True)
class Adopt(Recorded):
    """This host's log is as long as the longest one that is known."""

    kind: ClassVar[str] = "adopt"
    host: fields.Host

    def holds(self, picture: Picture) -> bool:
        """Whether the host is known to hold it."""
        return picture.known(self.host).held >= picture.newest

    def needs(self) -> frozenset[HostId]:
        """The host itself."""
        return frozenset({self.host})

    def words(self, roster: Roster) -> str:
        """Who takes it in."""
        return f"{name(roster, self.host)} takes in the trust log"


@dataclass(frozen=True, slots=True)
class Promote(Recorded):
    """New connections to the host are served this identity; the key that it replaces stays."""

    kind: ClassVar[str] = "promote"
    host: fields.Host
    certificate: fields.Thumbprint

    def holds(self, picture: Picture) -> bool:
        """Whether the host serves it, as far as is known."""
        return picture.known(self.host).serves == self.certificate

    def needs(self) -> frozenset[HostId]:
        """The host itself."""
        return frozenset({self.host})

    def words(self, roster: Roster) -> str:
        """Who serves what."""
        return f"{name(roster, self.host)} serves certificate {self.certificate.short}…"


@dataclass(frozen=True, slots=True)
class Probe(Recorded):
    """One verified handshake from observer to subject met exactly this certificate.

    The observer held entry `after` at least: what was seen before the operation proves nothing.
    """

    kind: ClassVar[str] = "probe"
    observer: fields.Host
    subject: fields.Host
    certificate: fields.Thumbprint
    after: fields.Count

    def holds(self, picture: Picture) -> bool:
        """Whether such a handshake is known."""
        return picture.met(self.observer, self.subject, self.certificate) >= self.after

    def needs(self) -> frozenset[HostId]:
        """Both of them."""
        return frozenset({self.observer, self.subject})

    def words(self, roster: Roster) -> str:
        """Who meets whom."""
        who, whom = name(roster, self.observer), name(roster, self.subject)
        return f"{who} connects to {whom} and meets {self.certificate.short}…"


@dataclass(frozen=True, slots=True)
class Retire(Recorded):
    """The host's key for this certificate is gone.  Refused while it is served."""

    kind: ClassVar[str] = "retire"
    host: fields.Host
    certificate: fields.Thumbprint

    def holds(self, picture: Picture) -> bool:
        """Whether the host is known to have that key no more."""
        keys = picture.known(self.host).keys
        return keys is not None and self.certificate not in keys

    def needs(self) -> frozenset[HostId]:
        """The host itself."""
        return frozenset({self.host})

    def words(self, roster: Roster) -> str:
        """Who deletes what."""
        return f"{name(roster, self.host)} deletes the key of {self.certificate.short}…"


Step: TypeAlias = Append | Adopt | Promote | Probe | Retire
STEPS = {step.kind: step for step in get_args(Step)}
"""Every step by its kind."""


def name(roster: Roster, host: HostId) -> str:
    """What people call the host; its UUID if it is no member."""
    return roster.expect(host).name or str(host)


def in_effect(body: Body, roster: Roster) -> bool:
    """Whether what this entry makes true is true."""
    members = roster.members
    match body:
        case e.CertificateAccepted():
            host = members.get(body.host)
            return bool(host and any(c.der == body.certificate for c in host.certificates))
        case e.CertificateWithdrawn():
            return roster.host_of(body.thumbprint) is None
        case e.ServerIdentityChanged():
            return body.host in members and members[body.host].server.der == body.server
        case e.AnchorInstalled():
            return any(
                a.certificate.der == body.certificate and set(a.purposes) >= set(body.purposes)
                for a in roster.anchors.values()
            )
        case e.AnchorRemoved():
            return body.thumbprint not in roster.anchors
        case e.AddressChanged():
            return body.host in members and members[body.host].address == body.address
        case e.KindsDeclared():
            return body.host in members and members[body.host].kinds == body.kinds
        case e.VerificationRequired():
            return roster.verification
        case e.CoordinatorChanged() | e.TakenOver():
            return roster.coordinator == body.host
        case e.HostAdmitted():
            return body.host in members
        case e.HostDismissed():
            return body.host not in members
        case e.Founded() | e.TakeoverEndorsed() | e.Checkpoint():
            return False
        case _:
            assert_never(body)


def said(body: Body, roster: Roster) -> str:
    """What an entry says, in words."""
    match body:
        case e.CertificateAccepted():
            return f"a second certificate is accepted from {name(roster, body.host)}"
        case e.CertificateWithdrawn():
            whose = name(roster, body.host)
            return f"certificate {body.thumbprint.short}… of {whose} is accepted no longer"
        case e.ServerIdentityChanged():
            return f"{name(roster, body.host)} shows clients another certificate"
        case e.AnchorInstalled():
            named = body.name or f"{Thumbprint.of(body.certificate).short}…"
            return f"certificate {named} is trusted for {', '.join(body.purposes) or 'everything'}"
        case e.AnchorRemoved():
            return f"the installed certificate {body.thumbprint.short}… is removed"
        case e.AddressChanged():
            return f"{name(roster, body.host)} is found at {body.address}"
        case e.KindsDeclared():
            return f"{name(roster, body.host)} understands {len(body.kinds)} kinds of entries"
        case e.VerificationRequired():
            return "every host must verify whom it connects to"
        case e.CoordinatorChanged():
            return f"{name(roster, body.host)} is the coordinator"
        case e.TakenOver():
            lost = name(roster, body.replaced)
            return f"{name(roster, body.host)} takes over from the lost coordinator {lost}"
        case e.HostAdmitted():
            return f"{body.name} is a member"
        case e.HostDismissed():
            return f"{name(roster, body.host)} is no member any more"
        case e.Founded() | e.TakeoverEndorsed() | e.Checkpoint():
            return body.kind.replace("-", " ")
        case _:
            assert_never(body)
