"""Who has which certificate and key, and which kinds of entries everybody understands.

Follows from the members; kept along with them so that no entry needs to look at every member.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, TypeVar

from pooltrust.terms import HostId, Thumbprint
from pooltrust.trust.roster.membership import Membership

K = TypeVar("K")
V = TypeVar("V")
NOTHING: MappingProxyType[Any, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Index:
    """Members by thumbprint and by key, and how many declared which kinds."""

    owners: MappingProxyType[Thumbprint, HostId]
    keys: MappingProxyType[bytes, HostId]
    declared: MappingProxyType[tuple[str, ...], int]

    @classmethod
    def of(cls, members: Iterable[Membership]) -> Index:
        """The index of all these members, made at once."""
        all_of = list(members)
        certificates = [(c, member.host) for member in all_of for c in member.certificates]
        return cls(
            MappingProxyType({c.thumbprint: host for c, host in certificates}),
            MappingProxyType({c.spki: host for c, host in certificates}),
            MappingProxyType(dict(Counter(member.kinds for member in all_of))),
        )

    def swapped(self, old: Membership | None, new: Membership | None) -> Index:
        """The index after one member came, changed or left."""
        before = old.certificates if old else ()
        after = new.certificates if new else ()
        owners, keys, declared = self.owners, self.keys, self.declared
        if new is None or before != after:
            owners, keys = self._certificates(old, new)
        if old is None or new is None or old.kinds != new.kinds:
            declared = _counted(declared, old, new)
        return Index(owners, keys, declared)

    def _certificates(
        self, old: Membership | None, new: Membership | None
    ) -> tuple[MappingProxyType[Thumbprint, HostId], MappingProxyType[bytes, HostId]]:
        owners, keys = self.owners.copy(), self.keys.copy()
        for certificate in old.certificates if old else ():
            del owners[certificate.thumbprint], keys[certificate.spki]
        if new is not None:
            for certificate in new.certificates:
                owners[certificate.thumbprint] = keys[certificate.spki] = new.host
        return MappingProxyType(owners), MappingProxyType(keys)


EMPTY = Index(NOTHING, NOTHING, NOTHING)


def with_item(known: MappingProxyType[K, V], key: K, value: V) -> MappingProxyType[K, V]:
    """That mapping with one more, or another, item.

    Copying a dict copies its table: with a thousand members that takes microseconds.
    """
    changed = known.copy()
    changed[key] = value
    return MappingProxyType(changed)


def without_item(known: MappingProxyType[K, V], key: K) -> MappingProxyType[K, V]:
    """That mapping without one item."""
    changed = known.copy()
    del changed[key]
    return MappingProxyType(changed)


def _counted(
    declared: MappingProxyType[tuple[str, ...], int],
    old: Membership | None,
    new: Membership | None,
) -> MappingProxyType[tuple[str, ...], int]:
    counts = declared.copy()
    for member, step in ((old, -1), (new, 1)):
        if member is not None:
            counts[member.kinds] = counts.get(member.kinds, 0) + step
    return MappingProxyType({kinds: count for kinds, count in counts.items() if count})
