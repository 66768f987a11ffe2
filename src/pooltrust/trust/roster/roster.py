"""The roster: who belongs to the pool, which certificates are accepted from whom, and the anchors.

A frozen value; a change shares what did not change.  It holds the present only: hosts that came and
went leave nothing behind.  Which change may be made is decided in rules.py.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TypeVar

from pooltrust.pki.certificate import Certificate
from pooltrust.terms import EntryHash, HostId, PoolId, Thumbprint
from pooltrust.trust import canonical, fields
from pooltrust.trust.expect import Member
from pooltrust.trust.roster.index import EMPTY, NOTHING, Index, with_item, without_item
from pooltrust.trust.roster.membership import Anchor, Membership, Pending

SNAPSHOT_LIMIT = 64 * canonical.MIB
R = TypeVar("R", Membership, Anchor)
_SNAPSHOT_TYPE = "application/vnd.pooltrust.roster+json"


@dataclass(frozen=True, slots=True)
class Standing(fields.Recorded):
    """The facts of a roster that are neither member nor anchor."""

    pool: fields.Pool
    port: fields.Port
    coordinator: fields.Host
    verification: fields.Flag
    number: fields.Number
    head: fields.Hash


@dataclass(frozen=True, slots=True)
class Roster:
    """What a pool is after entry `number`, whose hash is `head`."""

    pool: PoolId
    port: int
    coordinator: HostId
    verification: bool
    """Whether every host must verify whom it dials."""
    number: int
    head: EntryHash
    members: MappingProxyType[HostId, Membership]
    anchors: MappingProxyType[Thumbprint, Anchor]
    pending: Pending | None = None
    _index: Index = field(default=EMPTY, compare=False, repr=False)

    def expect(self, host: HostId) -> Member:
        """Expect exactly this host.  Of one that is no member nothing is accepted."""
        member = self.members.get(host)
        if member is None:
            return Member(host, str(host), frozenset())
        accepted = frozenset(certificate.thumbprint for certificate in member.certificates)
        return Member(host, member.name, accepted)

    def host_of(self, thumbprint: Thumbprint) -> HostId | None:
        """The member from which this pool certificate is accepted."""
        return self._index.owners.get(thumbprint)

    def host_with_key(self, spki: bytes) -> HostId | None:
        """The member that has this key in an accepted pool certificate."""
        return self._index.keys.get(spki)

    def certificates(self) -> tuple[Certificate, ...]:
        """Every pool certificate that is accepted from anybody."""
        return tuple(c for member in self.members.values() for c in member.certificates)

    @property
    def kinds(self) -> frozenset[str]:
        """The kinds of entries that every member understands; no other may be appended."""
        return frozenset.intersection(*(frozenset(kinds) for kinds in self._index.declared))

    def snapshot(self) -> bytes:
        """The whole roster as canonical JSON, to be read by `Roster.restore`.

        Raises ValueError during a takeover whose endorsement is missing.
        """
        if self.pending:
            raise ValueError("no snapshot is taken in the middle of a takeover")
        members = sorted(self.members.values(), key=lambda member: member.host)
        anchors = sorted(self.anchors.values(), key=lambda anchor: anchor.certificate.thumbprint)
        facts = Standing(
            self.pool, self.port, self.coordinator, self.verification, self.number, self.head
        )
        said = {
            "standing": facts.record(),
            "members": [member.record() for member in members],
            "anchors": [anchor.record() for anchor in anchors],
        }
        return canonical.encode(said)

    def fingerprint(self) -> str:
        """The SHA-256 by which a checkpoint binds this roster; 64 hex digits."""
        return fingerprint(self.snapshot())

    @classmethod
    def restore(cls, snapshot: bytes) -> Roster:
        """Read `snapshot()`.  Raises ValueError for any bytes that `snapshot` would not write.

        Whether it is the pool's, a checkpoint says.
        """
        said = canonical.decode(snapshot, limit=SNAPSHOT_LIMIT)
        if type(said) is not dict or said.keys() != {"standing", "members", "anchors"}:
            raise ValueError("not the snapshot of a roster")
        facts = Standing.read(said["standing"])
        members = _members(_several(Membership, said["members"]))
        anchors = {a.certificate.thumbprint: a for a in _several(Anchor, said["anchors"])}
        if facts.coordinator not in members:
            raise ValueError("the coordinator is no member")
        roster = cls(
            facts.pool,
            facts.port,
            facts.coordinator,
            facts.verification,
            facts.number,
            facts.head,
            MappingProxyType(members),
            MappingProxyType(anchors),
            _index=Index.of(members.values()),
        )
        # One roster, one spelling: the order of hosts, and an anchor that is there twice.
        if roster.snapshot() != snapshot:
            raise ValueError("not the one spelling of this roster")
        return roster

    @classmethod
    def empty(cls, pool: PoolId, port: int, coordinator: HostId, *, verification: bool) -> Roster:
        """A pool without members yet, for the fold to put its founder in."""
        return cls(pool, port, coordinator, verification, 0, EntryHash(""), NOTHING, NOTHING)

    def with_member(self, member: Membership) -> Roster:
        """This roster with that member, new or changed."""
        index = self._index.swapped(self.members.get(member.host), member)
        return replace(self, members=with_item(self.members, member.host, member), _index=index)

    def without_member(self, host: HostId) -> Roster:
        """This roster without that member."""
        index = self._index.swapped(self.members[host], None)
        return replace(self, members=without_item(self.members, host), _index=index)

    def with_anchor(self, anchor: Anchor) -> Roster:
        """This roster with that anchor."""
        thumbprint = anchor.certificate.thumbprint
        return replace(self, anchors=with_item(self.anchors, thumbprint, anchor))

    def without_anchor(self, thumbprint: Thumbprint) -> Roster:
        """This roster without that anchor."""
        return replace(self, anchors=without_item(self.anchors, thumbprint))


def fingerprint(snapshot: bytes) -> str:
    """The fingerprint of the roster that a snapshot spells."""
    return hashlib.sha256(canonical.pae(_SNAPSHOT_TYPE, snapshot)).hexdigest()


def _several(cls: type[R], records: object) -> list[R]:
    if type(records) is not list:
        raise ValueError("not a list")
    return [cls.read(record) for record in records]


def _members(listed: list[Membership]) -> dict[HostId, Membership]:
    """These by their hosts.  Raises ValueError unless each is there once and has its own keys."""
    members: dict[HostId, Membership] = {}
    keys: set[bytes] = set()
    for member in listed:
        if member.host in members:
            raise ValueError(f"{member.host} is there twice")
        if not member.certificates:
            raise ValueError(f"{member.host} has no certificate")
        for certificate in member.certificates:
            if certificate.spki in keys:
                raise ValueError(f"a key of {member.host} is there twice")
            keys.add(certificate.spki)
        members[member.host] = member
    return members
