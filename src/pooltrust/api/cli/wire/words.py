"""What a user typed, as the server reads it: a command, its parameters, and standard switches.

Nothing is known here of what commands there are.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

MOST_WORDS = 2000
LONGEST_BODY = 200 * 1024
"""Bytes of the body of ``POST /cli``."""
VALUED = {"s": "server", "h": "server", "p": "port", "u": "username", "pw": "password"}
STANDARD = frozenset(
    {
        "server", "password", "port", "username", "minimal", "force", "multiple", "all",
        "message-priority", "trace", "database", "json", "plan", "progress",
    }
)  # fmt: skip
"""Parameters that are never taken for a filter."""
YES = frozenset({"true", "t", "yes", "y", "1"})
NO = frozenset({"false", "f", "no", "n", "0"})


class SyntaxFault(ValueError):
    """The words are no command."""


class Fault(ValueError):
    """The command can't be carried out as it was given; shown as ``Error: …``."""


class Missing(Fault):
    """A required parameter was not given."""


@dataclass(frozen=True, slots=True)
class Words:
    """A command with its parameters, in the order given; the last of one name counts."""

    command: str
    parameters: tuple[tuple[str, str], ...] = field(repr=False)
    session: str = field(default="", repr=False)
    """A session that was opened before; then nobody logs in."""

    def get(self, name: str, default: str = "") -> str:
        """The value of a parameter."""
        return dict(self.parameters).get(name, default)

    def has(self, name: str) -> bool:
        """Whether it was given."""
        return any(name == given for given, _ in self.parameters)

    def require(self, name: str) -> str:
        """The value of a parameter that must be there.  Raises Missing."""
        if not self.has(name):
            raise Missing(name)
        return self.get(name)

    def also(self, name: str, value: str) -> Words:
        """These with one more."""
        return replace(self, parameters=(*self.parameters, (name, value)))

    def flag(self, name: str) -> bool:
        """A switch, off unless it is given.  Raises Fault."""
        return boolean(name, self.get(name, "false"))

    def keyed(self, name: str) -> dict[str, str]:
        """What was given as ``name:key=value``."""
        start = f"{name}:"
        pairs = self.parameters
        return {given[len(start) :]: value for given, value in pairs if given.startswith(start)}

    def others(self, *known: str) -> Iterator[tuple[str, str]]:
        """The parameters that are neither standard nor among these: filters and the like."""
        for name, value in self.parameters:
            if name not in STANDARD and name not in known:
                yield name, value


def read(body: str) -> Words:
    """Read the body of ``POST /cli``: a word a line, maybe a session first.

    Raises SyntaxFault.
    """
    lines = [line.removesuffix("\r") for line in body.split("\n")]
    session = ""
    if lines and lines[0].startswith("session_id="):
        session = lines.pop(0).removeprefix("session_id=")
    if len(lines) > MOST_WORDS:
        raise SyntaxFault("too many words")
    if not lines or not lines[0] or "=" in lines[0]:
        # Without a command the user name and password, which every client adds, come first.
        return Words("", tuple(_parameters(lines)), session)
    return Words(lines[0], tuple(_parameters(lines[1:])), session)


def _parameters(lines: list[str]) -> Iterator[tuple[str, str]]:
    left = iter(lines)
    for word in left:
        if word.startswith("--"):
            name, _, value = word[2:].partition("=")
            yield name, value or "true"
        elif word.startswith("-") and len(word) > 1:
            name, given = VALUED.get(word[1:], ""), next(left, None)
            if not name or given is None:
                raise SyntaxFault(f"unknown switch {word}")
            yield name, given
        elif word:
            name, _, value = word.partition("=")
            yield name, value


def boolean(name: str, text: str) -> bool:
    """Read a truth value.  Raises Fault."""
    if text.lower() in YES:
        return True
    if text.lower() in NO:
        return False
    raise Fault(f"Failed to parse parameter '{name}': expecting 'true' or 'false'")
