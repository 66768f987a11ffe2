"""How a failure is declared: its family, its code, its fields and its words."""

from __future__ import annotations

import string
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, TypeVar, dataclass_transform


class Failure(Exception):
    """A declared failure.  `code` and `parameters()` go on the wire, `str()` to people."""

    code: ClassVar[str] = "INTERNAL_ERROR"
    template: ClassVar[str] = ""
    cure: ClassVar[str] = ""
    also: tuple[Failure, ...] = ()

    def parameters(self) -> list[str]:
        """The wire parameters, in their declared order."""
        return [
            str(getattr(self, f.name))
            for f in fields(self)  # type: ignore[arg-type]
            if f.metadata.get("wire", True)
        ]

    def __str__(self) -> str:
        values = {f.name: getattr(self, f.name) for f in fields(self)}  # type: ignore[arg-type]
        cure = str(values.get("remedy") or self.cure.format_map(values))
        also = [f"Also: {other}" for other in self.also]
        return " ".join(part for part in (self.template.format_map(values), cure, *also) if part)


class Repeated(Failure):
    """What somebody else reported, with its own code, wire parameters and, if it has any, words."""

    def __init__(self, code: str, parameters: Iterable[object], words: str = "") -> None:
        self.code = code  # type: ignore[misc]
        self._parameters = [str(one) for one in parameters]
        self.words = words
        super().__init__(str(self))

    def parameters(self) -> list[str]:
        """The wire parameters."""
        return self._parameters

    def __str__(self) -> str:
        return self.words or " ".join([self.code, *self._parameters])


class Refused(Failure):
    """Nothing changed anywhere; fix the request."""


class Untrusted(Failure):
    """The peer did not prove who it is; nothing confidential was said.  Never retried."""


class Unreachable(Failure):
    """Nobody answered; try again."""


class Suspended(Failure):
    """Stopped between two steps; the pool is consistent; resume or abandon."""


class Defect(Failure):
    """A fault of this program."""


FAILURES: dict[str, type[Failure]] = {}
"""Every declared failure by its code."""

F = TypeVar("F", bound=Failure)


@dataclass_transform(eq_default=True, field_specifiers=(field,))
def failure(code: str, *, cure: str = "") -> Callable[[type[F]], type[F]]:
    """Declare one failure.  Raises TypeError for a second one of that code or a missing docstring.

    The docstring is the message; ``{field}`` in it, and in `cure`, is filled from the fields.
    """

    def declare(cls: type[F]) -> type[F]:
        declared = dataclass(eq=True)(cls)
        declared.__hash__ = Exception.__hash__  # type: ignore[method-assign]
        declared.code = code
        declared.template = " ".join((cls.__doc__ or "").split())
        declared.cure = cure
        if not declared.template or declared.template.startswith(f"{cls.__name__}("):
            raise TypeError(f"{cls.__name__} needs a docstring: it is the message")
        if code in FAILURES:
            raise TypeError(f"{code} is declared twice")
        known = {f.name for f in fields(declared)}  # type: ignore[arg-type]
        for text in (declared.template, cure):
            for _, name, _, _ in string.Formatter().parse(text):
                if name is not None and name not in known:
                    raise TypeError(f"{cls.__name__} speaks of {name!r}, which is no field of it")
        FAILURES[code] = declared
        return declared

    return declare


def aside(default: object = "") -> Any:
    """A field of the message that is not a wire parameter."""
    return field(default=default, metadata={"wire": False})
