"""One run of `xe`: greet, read the words, log in, carry out the command, say how it ended."""

from __future__ import annotations

from difflib import get_close_matches

from pooltrust.api.cli import declared, failing, objects
from pooltrust.api.cli.command import COMMANDS, Command
from pooltrust.api.cli.planning import show_plan
from pooltrust.api.cli.seat import Around, Seat
from pooltrust.api.cli.verbs import (
    about,
    appliances,
    certificates,
    membership,
    messages,
    operations,
    people,
    shell,
    waiting,
)
from pooltrust.api.cli.wire.frames import BadFrame
from pooltrust.api.cli.wire.terminal import Terminal
from pooltrust.api.cli.wire.words import Fault, Missing, SyntaxFault, Words, read
from pooltrust.api.context import Context
from pooltrust.api.dispatch import invoke
from pooltrust.api.sessions import Origin
from pooltrust.errors import Failure, SessionAuthenticationFailed

USAGE = "For usage run: 'xe help'"
ORIGINATOR = "cli"

assert about and appliances and certificates and membership and messages, "their commands"
assert operations and people and shell and waiting, "theirs too"
declared.declare_all()
objects.declare_all()


class NoUser(Fault):
    """Nobody said who asks."""


async def run(
    context: Context, origin: Origin, body: bytes, terminal: Terminal, around: Around
) -> None:
    """Answer one ``POST /cli``: the connection is no longer HTTP.

    Raises EOFError when the client is gone, BadFrame when it does not speak the protocol.
    """
    await terminal.greet()
    try:
        words = read(body.decode("utf-8", "replace"))
        terminal.minimal = words.flag("minimal")
    except (SyntaxFault, Fault) as why:
        await _fail(terminal, f"Syntax error: {why}", USAGE)
        return
    seat = Seat(context, origin, terminal, around, words)
    await terminal.exit(await _ended(seat))


async def _ended(seat: Seat) -> int:
    """Carry the command out; its exit code."""
    terminal, words = seat.terminal, seat.words
    found = COMMANDS.get(words.command or "help")
    if found is None:
        near = get_close_matches(words.command, COMMANDS, 1, 0.8)
        perhaps = [f"Perhaps: xe {name}" for name in near]
        return await _complain(terminal, f"Unknown command: {words.command}", USAGE, *perhaps)
    try:
        await _carry_out(seat, found)
        return 0
    except Missing as why:
        return await _complain(terminal, f"Required parameter not found: {why}", USAGE)
    except about.Unknown as why:
        return await _complain(terminal, f"Unknown command '{why}'")
    except NoUser:
        return await _complain(terminal, "Username/password must be specified", USAGE)
    except Fault as why:
        return await _complain(terminal, f"Error: {why}")
    except SessionAuthenticationFailed:
        return await _complain(terminal, "Authentication failed", USAGE)
    except Failure as why:
        await failing.complain(seat, why)
        if words.flag("trace"):
            # What is inside of the host is in its log, not at its clients'.
            await _complain(terminal, f"Raised {why.code}: {', '.join(why.parameters())}")
        return 1
    except (EOFError, BadFrame):
        raise
    except Exception as why:  # noqa: BLE001 - the one place where no exception may pass
        number = seat.context.defect(why)
        return await _complain(terminal, f"Unexpected failure; the host's log has it as {number}")


async def _carry_out(seat: Seat, found: Command) -> None:
    for name in found.required:
        if name not in found.secrets or seat.words.flag("plan"):
            seat.words.require(name)
    if strange := next(found.strangers(seat.words), ""):
        raise Fault(f"Unknown parameter '{strange}'.  See: xe help {found.name}")
    if found.free:
        await found.run(seat)
        return
    given = seat.words.session
    seat.session = given or await _login(seat, found)
    try:
        async with seat.around.watching(seat):
            if seat.words.flag("plan"):
                await show_plan(seat, found)
                return
            for name in found.secrets:
                await seat.ask_secret(name)
            await found.run(seat)
    finally:
        if not given:
            await _logout(seat)


async def _login(seat: Seat, found: Command) -> str:
    words: Words = seat.words
    user, password = words.get("username"), words.get("password")
    if not user and not seat.origin.local:
        raise NoUser
    call, arguments = "session.login_with_password", [user, password, "2.23", ORIGINATOR]
    if found.local:
        call, arguments = "session.slave_local_login_with_password", [user, password]
    return str(await invoke(seat.context, call, arguments, seat.origin))


async def _logout(seat: Seat) -> None:
    try:
        await seat.call("session.logout")
    except Failure:
        return  # it was ended by what the command did


async def _complain(terminal: Terminal, *lines: str) -> int:
    for line in lines:
        await terminal.complain(line)
    return 1


async def _fail(terminal: Terminal, *lines: str) -> None:
    await terminal.exit(await _complain(terminal, *lines))
