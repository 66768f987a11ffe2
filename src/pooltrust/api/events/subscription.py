"""Which changes somebody wants to hear of."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pooltrust.api.declare.values import Ref
from pooltrust.errors.telling import EventSubscriptionParseFailure

EVERYTHING = "*"


@dataclass(frozen=True, slots=True)
class Subscription:
    """Whole classes and single objects.  Classes are in lower case, as events spell them."""

    classes: frozenset[str] = frozenset()
    objects: frozenset[tuple[str, Ref]] = frozenset()

    @classmethod
    def parse(cls, words: Iterable[str]) -> Subscription:
        """Read ``*``, ``class`` and ``class/OpaqueRef:…``.

        Raises EventSubscriptionParseFailure naming the word that is none of these.
        """
        classes, objects = set(), set()
        for word in words:
            name, slash, ref = word.partition("/")
            if not name or "/" in ref or (slash and (not ref or name == EVERYTHING)):
                raise EventSubscriptionParseFailure(subscription=word)
            if slash:
                objects.add((name.lower(), Ref(ref)))
            else:
                classes.add(name.lower())
        return cls(frozenset(classes), frozenset(objects))

    def __or__(self, other: Subscription) -> Subscription:
        return Subscription(self.classes | other.classes, self.objects | other.objects)

    def __sub__(self, other: Subscription) -> Subscription:
        return Subscription(self.classes - other.classes, self.objects - other.objects)

    def wants(self, cls: str, ref: Ref) -> bool:
        """Whether this object is among them."""
        return cls in self.classes or EVERYTHING in self.classes or (cls, ref) in self.objects

    @property
    def keys(self) -> frozenset[str]:
        """The classes in which something may be wanted; ``*`` if it may be in any."""
        return self.classes | {cls for cls, _ in self.objects}
