"""How each field of an entry is bounded and written as JSON.

One `Form` is one sort of field: what it may hold, how it is spelled; `Annotated` ties it to a type.
Knows no entry by name.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeAlias, TypeVar, get_args, get_origin, get_type_hints

from pooltrust import terms
from pooltrust.terms import EntryHash, HostId, PoolId
from pooltrust.trust.canonical import LARGEST

DER_LIMIT = 64 * 1024
V = TypeVar("V")
R = TypeVar("R", bound="Recorded")

_WRONG = (ValueError, TypeError, ArithmeticError)
"""What a form raises for a value that it does not hold; a stranger chose the value."""


@dataclass(frozen=True, slots=True)
class Form(Generic[V]):
    """What a field may hold (`check` raises ValueError) and how it is spelled."""

    check: Callable[[Any], None]
    write: Callable[[V], Any]
    read: Callable[[Any], V]


class Recorded:
    """A frozen dataclass whose fields have forms; they are checked whenever one is made."""

    __slots__ = ()

    def __post_init__(self) -> None:
        for name, form in _forms(type(self)):
            try:
                form.check(getattr(self, name))
            except _WRONG as why:
                raise ValueError(f"{name}: {why}") from why

    def record(self) -> dict[str, Any]:
        """The fields as a JSON object."""
        return {name: form.write(getattr(self, name)) for name, form in _forms(type(self))}

    @classmethod
    def read(cls: type[R], record: Any) -> R:
        """Read `record()`.  Raises ValueError for a missing, unknown or wrong field."""
        return cls(**read_values(cls, record))


def read_values(cls: type[Recorded], record: Any) -> dict[str, Any]:
    """The values of a record of `cls`.  Raises ValueError for a missing, unknown or wrong field."""
    forms = _forms(cls)
    if type(record) is not dict or record.keys() != {name for name, _ in forms}:
        raise ValueError(f"not the fields of {cls.__name__}")
    values = {}
    for name, form in forms:
        try:
            values[name] = form.read(record[name])
        except _WRONG as why:
            raise ValueError(f"{name}: {why}") from why
    return values


_KNOWN: dict[type, tuple[tuple[str, Form[Any]], ...]] = {}


def _forms(cls: type) -> tuple[tuple[str, Form[Any]], ...]:
    """The fields declared as ``Annotated[type, form]``, in their order."""
    if cls not in _KNOWN:
        hints = get_type_hints(cls, include_extras=True).items()
        with_form = [(name, hint) for name, hint in hints if get_origin(hint) is Annotated]
        _KNOWN[cls] = tuple((name, get_args(hint)[1]) for name, hint in with_form)
    return _KNOWN[cls]


def _same(value: Any) -> Any:
    return value


def text(most: int, *, least: int = 0) -> Form[str]:
    """Printable text of `least` to `most` characters: no control characters, so safe to show."""

    def check(value: Any) -> None:
        if type(value) is not str:
            raise ValueError("not text")
        if not least <= len(value) <= most:
            raise ValueError(f"{len(value)} characters; {least} to {most} are allowed")
        if not value.isprintable():
            raise ValueError("it has unprintable characters")

    return Form(check, _same, _same)


def matching(pattern: str) -> Form[str]:
    """Text that matches the whole pattern."""
    wanted = re.compile(pattern)

    def check(value: Any) -> None:
        if type(value) is not str or not wanted.fullmatch(value):
            raise ValueError("not in its form")

    return Form(check, _same, _same)


def whole(least: int, most: int) -> Form[int]:
    """An integer from `least` to `most`."""

    def check(value: Any) -> None:
        if type(value) is not int or not least <= value <= most:
            raise ValueError(f"not a whole number from {least} to {most}")

    return Form(check, _same, _same)


def octets(most: int, *, least: int = 1) -> Form[bytes]:
    """`least` to `most` bytes, written in base64."""

    def check(value: Any) -> None:
        if type(value) is not bytes or not least <= len(value) <= most:
            raise ValueError(f"not {least} to {most} bytes")

    return Form(check, write_base64, read_base64)


def several(form: Form[V], most: int) -> Form[tuple[V, ...]]:
    """At most so many of another form, in their order."""

    def check(value: Any) -> None:
        if type(value) is not tuple or len(value) > most:
            raise ValueError(f"not a tuple of at most {most}")
        for item in value:
            form.check(item)

    def read(value: Any) -> tuple[V, ...]:
        if type(value) is not list:
            raise ValueError("not a list")
        return tuple(form.read(item) for item in value)

    return Form(check, lambda value: [form.write(item) for item in value], read)


def sorted_texts(form: Form[str], most: int) -> Form[tuple[str, ...]]:
    """A set of texts, written in order: one set, one spelling."""
    plain = several(form, most)

    def check(value: Any) -> None:
        plain.check(value)
        if list(value) != sorted(set(value)):
            raise ValueError("not sorted, or twice the same")

    return Form(check, plain.write, plain.read)


def nested(cls: type[R]) -> Form[R]:
    """Another recorded value."""

    def check(value: Any) -> None:
        if type(value) is not cls:
            raise ValueError(f"not a {cls.__name__}")

    return Form(check, lambda value: value.record(), cls.read)


def write_base64(value: bytes) -> str:
    """Base64 with padding (RFC 4648 section 4)."""
    return base64.b64encode(value).decode()


def read_base64(value: Any) -> bytes:
    """The bytes of one exact base64 spelling.  Raises ValueError for any other spelling of them."""
    if type(value) is not str:
        raise ValueError("not base64 text")
    try:
        data = base64.b64decode(value, validate=True)
    except binascii.Error as why:
        raise ValueError(f"not base64: {why}") from why
    if write_base64(data) != value:
        raise ValueError("not the one spelling of these bytes in base64")
    return data


def _read_thumbprint(value: Any) -> terms.Thumbprint:
    thumbprint = terms.Thumbprint.parse(value) if type(value) is str else None
    if thumbprint is None or str(thumbprint) != value:
        raise ValueError("not a thumbprint")
    return thumbprint


def _check_thumbprint(value: Any) -> None:
    if type(value) is not terms.Thumbprint:
        raise ValueError("not a thumbprint")


def _check_host(value: Any) -> None:
    if type(value) is not str:
        raise ValueError("not a host's UUID")
    terms.host_id(value)


def _check_flag(value: Any) -> None:
    if type(value) is not bool:
        raise ValueError("neither true nor false")


_DER = octets(DER_LIMIT)
_LINK: Form[Any] = matching(r"([0-9a-f]{64})?")
_HOST: Form[HostId] = Form(_check_host, _same, _same)
THUMBPRINT = Form(_check_thumbprint, str, _read_thumbprint)
_FLAG: Form[bool] = Form(_check_flag, _same, _same)

Host: TypeAlias = Annotated[HostId, _HOST]
Pool: TypeAlias = Annotated[PoolId, _LINK]
Link: TypeAlias = Annotated[EntryHash, _LINK]
"""The hash of an entry; empty for none."""
Hash: TypeAlias = Annotated[EntryHash, matching(r"[0-9a-f]{64}")]
Number: TypeAlias = Annotated[int, whole(1, LARGEST)]
Count: TypeAlias = Annotated[int, whole(0, LARGEST)]
Flag: TypeAlias = Annotated[bool, _FLAG]
Thumbprint: TypeAlias = Annotated[terms.Thumbprint, THUMBPRINT]
Der: TypeAlias = Annotated[bytes, _DER]
Chain: TypeAlias = Annotated[tuple[bytes, ...], several(_DER, 8)]
Signature: TypeAlias = Annotated[bytes, octets(1024)]
Nonce: TypeAlias = Annotated[bytes, octets(64, least=16)]
Name: TypeAlias = Annotated[str, text(256)]
Address: TypeAlias = Annotated[str, text(255, least=1)]
Port: TypeAlias = Annotated[int, whole(1, 65535)]
Kind: TypeAlias = Annotated[str, matching(r"[a-z][a-z-]{0,62}")]
Kinds: TypeAlias = Annotated[tuple[str, ...], sorted_texts(matching(r"[a-z][a-z-]{0,62}"), 256)]
