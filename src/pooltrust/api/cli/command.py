"""One command of `xe` is one declaration: its parameters, its words, and what it does."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from pooltrust.api.cli.seat import Seat

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
