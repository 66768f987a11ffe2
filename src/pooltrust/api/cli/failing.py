"""How a failure is shown: what happened, the parameters by name, the code, what to do next."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping

from pooltrust.api.cli.command import COMMANDS
from pooltrust.api.cli.seat import Seat
from pooltrust.errors import FAILURES, Failure


async def complain(seat: Seat, why: Failure) -> None:
    """Show a failed call on the standard error."""
    for line in (*lines(why, _named(seat)), *_typed(seat, why)):
        await seat.terminal.complain(line)


def _typed(seat: Seat, why: Failure) -> Iterator[str]:
    """What to type next, where that follows from the failure."""
    if why.code == "HOST_IS_SLAVE":
        address, port = why.parameters()[0], seat.context.roster.port
        place = address if port == 443 else f"{address} -p {port}"
        yield f"xe -s {place} -u root {seat.words.command}"
    if why.code == "UUID_INVALID" and f"{why.parameters()[0].lower()}-list" in COMMANDS:
        yield f"See which there are: xe {why.parameters()[0].lower()}-list"


def lines(why: Failure, names: Mapping[str, str]) -> list[str]:
    """The failure, a line for each thing to know.  `names`: what references are called."""
    said = [sentence(why)]
    known = _fields(why.code)
    for number, value in enumerate(why.parameters()):
        name = known[number] if number < len(known) else "<extra>"
        if value.rstrip(".") == said[0].rstrip("."):
            continue  # the reason of a refusal is all that there is to say
        said.append(f"{name}: {names.get(value, value)}")
    said.append(f"Error code: {why.code}")
    said += [f"Also: {sentence(other)}" for other in why.also]
    cures = [cure(one) for one in (why, *why.also)]
    return said + list(dict.fromkeys(one for one in cures if one))


def sentence(why: Failure) -> str:
    """What happened, without what to do."""
    whole, after = str(why), cure(why)
    first = whole.partition(" Also: ")[0]
    return first.removesuffix(after).strip() if after else first


def cure(why: Failure) -> str:
    """What to do next; empty if nobody knows."""
    if dataclasses.is_dataclass(why):
        values = {each.name: getattr(why, each.name) for each in dataclasses.fields(why)}
        return str(values.get("remedy") or why.cure.format_map(values))
    # Another host reported it: its words are known, and the parameters that went over the wire.
    known = dict(zip(_fields(why.code), why.parameters(), strict=False))
    declared = FAILURES.get(why.code)
    try:
        return declared.cure.format_map(known) if declared else ""
    except KeyError:
        return ""


def _fields(code: str) -> list[str]:
    found = FAILURES.get(code)
    if found is None or not dataclasses.is_dataclass(found):
        return []
    return [each.name for each in dataclasses.fields(found) if each.metadata.get("wire", True)]


def _named(seat: Seat) -> dict[str, str]:
    """Hosts by reference and by UUID, as people call them."""
    found = {}
    for ref, uuid in seat.uuids("host").items():
        name = seat.context.roster.members[uuid].name  # type: ignore[index]
        found[ref] = found[uuid] = f"{uuid} ({name})"
    return found
