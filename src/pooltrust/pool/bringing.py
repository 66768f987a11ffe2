"""What a joiner trusts beside its own certificates, and brings to the pool that it joins.

The pool comes to trust it too, unless the two disagree on what a name or a certificate stands for;
then the host can't join.  Before they know one another both sides compare what they show: no
names, and of a certificate its thumbprint only; so a stranger learns of nothing that it has not.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from pooltrust.errors import Failure, Refused, aside, failure
from pooltrust.pki.certificate import read
from pooltrust.pool import anchors, revocations
from pooltrust.terms import Thumbprint
from pooltrust.trust.entries import AnchorInstalled
from pooltrust.trust.roster import Anchor, Roster

_HIDDEN = "sha256:"

_APART = "On one of the two sides uninstall it, or install it as on the other: xe certificate-list"


@failure("POOL_JOINING_HOST_CA_CERTIFICATES_CONFLICT", cure=_APART)
class CaConflict(Refused):
    """Pool and joining host trust different authorities by one name: {names}."""

    names: str = aside()

    def parameters(self) -> list[str]:
        """Each name; none of them has a comma in it."""
        return self.names.split(", ")


@failure("POOL_JOINING_HOST_TRUSTED_CERTIFICATES_CONFLICT", cure=_APART)
class TrustedConflict(Refused):
    """Pool ({ref_in_pool}) and joining host ({ref_on_host}) trust one certificate for different
    purposes."""

    ref_in_pool: str
    ref_on_host: str


@dataclass(frozen=True, slots=True)
class Shown:
    """One anchor, as a first meeting shows it.  `ref` is how its own side's API calls it."""

    ref: str
    thumbprint: str
    sort: str
    name: str
    purposes: tuple[str, ...]

    @classmethod
    def of(cls, anchor: Anchor, ref: str = "") -> Shown:
        """With its name as it is, for this side."""
        return cls(
            ref, str(anchor.certificate.thumbprint), anchor.sort, anchor.name, anchor.purposes
        )

    @property
    def hidden(self) -> str:
        """Its name as the other side is told it; empty if it has none."""
        return hidden(self.name)


@dataclass(frozen=True, slots=True)
class ShownList:
    """One revocation list: its name, and the SHA-256 of its DER in hex."""

    name: str
    content: str

    @property
    def hidden(self) -> str:
        """Its name as the other side is told it."""
        return hidden(self.name)


@dataclass(frozen=True, slots=True)
class Luggage:
    """What is brought along: anchors as entries, revocation lists (DER) by name."""

    anchors: tuple[AnchorInstalled, ...] = ()
    lists: tuple[tuple[str, bytes], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.anchors or self.lists)


NOTHING = Luggage()


def hidden(name: str) -> str:
    """A name that only who knows it recognizes; twice is once."""
    if not name or name.startswith(_HIDDEN):
        return name
    return _HIDDEN + hashlib.sha256(name.encode()).hexdigest()


def shown(roster: Roster, ref: Callable[[str, Thumbprint], str]) -> tuple[Shown, ...]:
    """What this side shows of its anchors; `ref` makes a reference of sort and thumbprint."""
    return tuple(
        Shown.of(anchor, ref(anchor.sort, thumbprint))
        for thumbprint, anchor in sorted(roster.anchors.items())
    )


def shown_lists(lists: Mapping[str, bytes]) -> tuple[ShownList, ...]:
    """What it shows of its revocation lists."""
    return tuple(
        ShownList(name, hashlib.sha256(der).hexdigest()) for name, der in sorted(lists.items())
    )


def packed(roster: Roster, lists: Mapping[str, bytes]) -> Luggage:
    """What a host takes along.  The pin of its own pool's appliance stays: that pool ends."""
    brought = []
    for anchor in roster.anchors.values():
        purposes = set(anchor.purposes)
        if anchor.sort == anchors.PINNED:
            purposes.discard(anchors.APPLIANCE)
        if purposes:
            brought.append(
                AnchorInstalled(
                    anchor.name, anchor.sort, anchor.certificate.der, tuple(sorted(purposes))
                )
            )
    return Luggage(tuple(brought), tuple(sorted(lists.items())))


def conflicts(
    joiner: Iterable[Shown],
    pool: Iterable[Shown],
    lists: tuple[Iterable[ShownList], Iterable[ShownList]] = ((), ()),
) -> Iterator[Failure]:
    """Where the two sides disagree; `lists` are the joiner's, then the pool's."""
    there = list(pool)
    by_name = {one.hidden: one for one in there if one.name}
    by_thumbprint = {one.thumbprint: one for one in there}
    names = []
    for mine in joiner:
        named = by_name.get(mine.hidden)
        if named is not None and named.thumbprint != mine.thumbprint:
            names.append(_readable(mine.name, named.name))
        same = by_thumbprint.get(mine.thumbprint)
        if same is not None and _disagree(mine, same):
            yield TrustedConflict(same.ref, mine.ref)
    if names:
        yield CaConflict(", ".join(sorted(names)))
    others = {one.hidden: one for one in lists[1]}
    for kept in lists[0]:
        other = others.get(kept.hidden)
        if other is not None and other.content != kept.content:
            name = _readable(kept.name, other.name)
            yield revocations.CrlAlreadyExists(name, ", and the joining host brings another one")


def merged(roster: Roster, brought: AnchorInstalled) -> AnchorInstalled | None:
    """The entry by which the pool trusts what a joiner brings; None if it does so already.

    Raises the conflicts, OperationNotAllowed.
    """
    certificate = read(brought.certificate)
    known = roster.anchors.get(certificate.thumbprint)
    before = set(known.purposes) if known else set()
    if known is not None and known.sort == brought.sort and before >= set(brought.purposes):
        return None
    anchor = Anchor(brought.name, brought.sort, certificate, brought.purposes)
    for why in conflicts([Shown.of(anchor)], map(Shown.of, roster.anchors.values())):
        raise why
    anchors.check_room(roster, certificate.thumbprint)
    name = (known.name if known else "") or brought.name
    purposes = tuple(sorted(before | set(brought.purposes)))
    return AnchorInstalled(name, brought.sort, brought.certificate, purposes)


def _disagree(one: Shown, other: Shown) -> bool:
    """One certificate, trusted as two sorts, or for purposes that are neither the same nor apart.

    What is trusted by its name is no purpose in this sense.
    """
    mine, theirs = (set(each.purposes) - anchors.BY_NAME for each in (one, other))
    return one.sort != other.sort or (bool(mine & theirs) and mine != theirs)


def _readable(one: str, other: str) -> str:
    """The name, by whichever side knows it."""
    return other if one.startswith(_HIDDEN) else one
