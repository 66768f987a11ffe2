"""One command of `xe` is one declaration: its parameters, its words, and what it does."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass

from pooltrust.api.cli.seat import Seat
from pooltrust.api.cli.wire.words import Words

Run = Callable[[Seat], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Command:
    """A command.  `local`: with a session for this host alone, so without a coordinator; `free`:
    without any; `plain`: not in the short list of help; `selects`: takes host selectors.

    `secrets` are required ones that are asked for if they are not typed: what is typed as a word,
    whoever looks at the machine's processes can read.

    `does`: the calls that it stands for, each with how its parameters are typed, for what does not
    follow from the call's declaration: ``{parameter}``, or ``{parameter:WORD}`` to show a word.
    """

    name: str
    doc: str
    run: Run
    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    local: bool = False
    free: bool = False
    plain: bool = False
    selects: bool = False
    does: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()

    def strangers(self, words: Words) -> Iterator[str]:
        """What was typed and means nothing to it: a slip, which could turn its meaning round.

        Where any field's name may stand, that is looked at later.
        """
        if self.selects or self.free or self.name.endswith(FREELY):
            return
        known = {*self.required, *self.optional, "params"}  # which a user may have in ~/.xe
        maps = tuple(name for name in known if name.endswith(":"))
        for name, _ in words.others(*known):
            if not (maps and name.startswith(maps)):
                yield name


FREELY = ("-list", "-param-set", "-param-add", "event-wait")
"""The ends of the names of commands that take the names of fields."""
COMMANDS: dict[str, Command] = {}
"""Every command by its name."""


def add(command: Command) -> None:
    """Declare a command.  Raises TypeError for a second one of its name, or one without words."""
    if command.name in COMMANDS:
        raise TypeError(f"the command {command.name} is declared twice")
    if not command.doc.strip():
        raise TypeError(f"the command {command.name} needs words")
    COMMANDS[command.name] = command


def command(
    name: str,
    *,
    required: tuple[str, ...] = (),
    optional: tuple[str, ...] = (),
    local: bool = False,
    free: bool = False,
    plain: bool = False,
    selects: bool = False,
    does: tuple[str, ...] = (),
    secrets: tuple[str, ...] = (),
) -> Callable[[Run], Run]:
    """Declare the function below as a command; its docstring is its words."""

    def declare(run: Run) -> Run:
        doc = " ".join((run.__doc__ or "").split("\n\n")[0].split())
        flags = (local, free, plain, selects)
        add(Command(name, doc, run, required, optional, *flags, does, secrets))
        return run

    return declare
