"""Where one command sits: its words, its terminal, and the API as its user may use it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol

from pooltrust.api.cli.fields import Listed, Shown, listed
from pooltrust.api.cli.wire import show
from pooltrust.api.cli.wire.terminal import Terminal
from pooltrust.api.cli.wire.words import Fault, Missing, Words
from pooltrust.api.context import Context
from pooltrust.api.declare.record import CLASSES
from pooltrust.api.declare.values import Ref
from pooltrust.api.dispatch import invoke
from pooltrust.api.sessions import Origin


class Around(Protocol):
    """What a host does for a command beside its calls."""

    def watching(self, seat: Seat) -> AbstractAsyncContextManager[None]:
        """Entered while a command is carried out, after its user has logged in."""

    def gone(self) -> bool:
        """Whether nothing is heard of the client any more."""

    def offering(self, data: bytes) -> AbstractContextManager[str]:
        """Gives a path of this host from which the client can fetch this, once."""


@dataclass(slots=True)
class Seat:
    """One command under way.  `session` is empty until somebody has logged in."""

    context: Context
    origin: Origin
    terminal: Terminal
    around: Around
    words: Words
    session: str = ""
    _names: dict[str, Mapping[str, str]] = field(default_factory=dict)

    async def call(self, name: str, *arguments: Any) -> Any:
        """One API call as this command's user.  Raises what it raises."""
        return await invoke(self.context, name, [self.session, *arguments], self.origin)

    async def ask_secret(self, name: str) -> None:
        """Ask for a parameter that was not typed, unseen.  Raises Missing if nothing comes."""
        if not self.words.has(name):
            given = await self.terminal.ask_secret(name)
            if not given:
                raise Missing(name)
            self.words = self.words.also(name, given)

    async def save(self, text: str, what: str) -> None:
        """Give the client a text: as the new file that `filename=` names, or to be shown.

        Raises Fault: `what` could not be written.
        """
        path = self.words.get("filename")
        if not path:
            await self.terminal.bare(text.removesuffix("\n"))
            return
        with self.around.offering(text.encode()) as where:
            if not await self.terminal.download(path, where):
                raise Fault(f"Failed to write {what}")

    async def records(self, cls: str) -> Mapping[Ref, Any]:
        """Every object of an API class."""
        found: Mapping[Ref, Any] = await self.call(f"{cls}.get_all_records")
        return found

    async def shown(self, of: Shown, record: Any) -> str:
        """A field of a record as text."""
        if of.computed is not None:
            return of.computed(self.context, record)
        target = (of.type.item or of.type).refers_to
        names = self.uuids(target) if target else {}
        return show.value(of.type, field_of(record, of.field), names)

    def uuids(self, cls: str) -> Mapping[str, str]:
        """The UUIDs of a class's objects by their references; of roles the names."""
        if cls not in self._names:
            declared = CLASSES.get(cls)
            rows = declared.rows(self.context) if declared else {}
            field = "name_label" if cls == "role" else "uuid"
            self._names[cls] = {ref: getattr(record, field) for ref, record in rows.items()}
        return self._names[cls]

    async def chosen(self, of: Listed, filters: Sequence[tuple[str, str]]) -> list[tuple[Ref, Any]]:
        """The objects of which all these filters are true.  Raises Fault for an unknown field."""
        tests = [self._test(of, name, value) for name, value in filters]
        rows = (await self.records(of.cls)).items()
        return [(ref, one) for ref, one in rows if all([await test(one) for test in tests])]

    def _test(self, of: Listed, name: str, wanted: str) -> Callable[[Any], Any]:
        shown, key = _split(of, name)

        async def test(record: Any) -> bool:
            if not key:
                return await self.shown(shown, record) == wanted
            value = field_of(record, shown.field)
            if shown.type.key is not None:
                return str(value.get(key)) == wanted if key in value else False
            item = shown.type.item
            names = self.uuids(item.refers_to) if item and item.refers_to else {}
            texts = [show.text(item, one, names) for one in value] if item else []
            return key == "contains" and wanted in texts

        return test

    async def hosts(self, *known: str) -> list[tuple[Ref, Any]]:
        """The hosts that the command's selectors name; all of them without any.  Raises Fault."""
        rows = list((await self.records("host")).items())
        if wanted := self.words.get("host"):
            labels = ("uuid", "hostname", "name_label")
            rows = [
                (ref, one)
                for ref, one in rows
                if wanted in (getattr(one, label) for label in labels)
            ]
        filters = list(self.words.others("host", *known))
        if filters:
            matching = {ref for ref, _ in await self.chosen(listed("host"), filters)}
            rows = [(ref, one) for ref, one in rows if ref in matching]
        if not rows:
            raise Fault("No matching hosts found")
        return rows

    async def one_host(self, *known: str) -> tuple[Ref, Any]:
        """The one host that they name.  Raises Fault."""
        found = await self.hosts(*known)
        if len(found) > 1:
            names = ", ".join(record.name_label for _, record in found)
            raise Fault(f"Multiple matching hosts found: {names}.  Name one: host=<uuid or name>")
        return found[0]

    async def by_uuid(self, cls: str, uuid: str) -> Ref:
        """The reference of an object.  Raises UuidInvalid."""
        return Ref(await self.call(f"{cls}.get_by_uuid", uuid))

    async def only_pool(self) -> Ref:
        """The pool; if `uuid=` names one, it is that."""
        if self.words.has("uuid"):
            return await self.by_uuid("pool", self.words.get("uuid"))
        (ref,) = await self.records("pool")
        return ref


def _split(of: Listed, name: str) -> tuple[Shown, str]:
    """A field, and the key in it: ``other-config:key``, or in the old spelling with a dash."""
    plain, _, key = name.partition(":")
    if plain in of.fields:
        return of.fields[plain], key
    for one in of.fields.values():
        if one.type.key is not None and name.startswith(f"{one.name}-"):
            return one, name.removeprefix(f"{one.name}-")
    raise Fault(f"Unknown field '{name}'")


def field_of(record: Any, name: str) -> Any:
    """A field by its API name; the attribute has an underscore more where Python has the word."""
    return getattr(record, name, None) if hasattr(record, name) else getattr(record, f"{name}_")


def named(fields: Sequence[Shown]) -> Iterator[str]:
    """Their names."""
    return (one.name for one in fields)
