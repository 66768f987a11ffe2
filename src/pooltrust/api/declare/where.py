"""The expressions of get_all_where: text in, a test of records out.

``true``, ``false``, ``field "name" = "literal"``, ``not``, ``and``, ``or`` and parentheses.  A
literal has no escapes; ``name__label`` is the field ``name_label``.  A value is compared as text.

Whoever may read may send one, and nothing else is served meanwhile: so its work is bounded.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeAlias

from pooltrust.api.declare.values import compact
from pooltrust.errors import InvalidValue

Test: TypeAlias = Callable[[Any], bool]

LONGEST = 16384
"""Characters of an expression."""

DEEPEST = 100
"""Parentheses and negations around one another."""

MOST_COMPARISONS = 64
"""Fields compared in one expression."""

MOST_TERMS = 512
"""Comparisons, constants, negations and parentheses in one expression."""

MOST_WORK = 65536
"""Terms times records: some 100 ms.  A field counts for eight, as its values become text."""

_FIELD_WORK = 8

_TOKEN = re.compile(r'\s*(?:(true|false|not|and|or|field)\b|"([^"]*)"|([()=]))')


def test_of(expression: str, fields: Collection[str], *, records: int = 1) -> Test:
    """Compile an expression over these fields, to be asked of so many records.

    Raises InvalidValue naming the expression, also when that would be too much work.
    """
    if expression == "true":
        return _always
    try:
        if len(expression) > LONGEST:
            raise ValueError(f"longer than {LONGEST} characters")
        reader = _Reader(_tokens(expression), fields)
        test = reader.whole()
        if reader.work * records > MOST_WORK:
            raise ValueError(f"{reader.terms} terms are too many for {records} records")
    except ValueError as why:
        raise InvalidValue(field=expression, value=str(why)) from None
    return lambda record: test(_Texts(record))


_Test: TypeAlias = "Callable[[_Texts], bool]"


class _Texts:
    """A record's values as text, each rendered once however often it is compared."""

    def __init__(self, record: Any) -> None:
        self._record = record
        self._made: dict[str, str] = {}

    def of(self, name: str) -> str:
        text = self._made.get(name)
        if text is None:
            text = self._made[name] = text_of(getattr(self._record, name))
        return text


def text_of(value: Any) -> str:
    """A value as an expression compares it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return compact(value)
    if isinstance(value, Mapping):
        return f"({' '.join(f'({_quoted(k)} {_quoted(v)})' for k, v in value.items())})"
    if isinstance(value, list | tuple):
        return f"({' '.join(_quoted(item) for item in value)})"
    return str(value)


def _quoted(value: Any) -> str:
    text = text_of(value).replace("\\", "\\\\").replace("'", "\\'")
    return f"'{text}'"


def _tokens(expression: str) -> list[tuple[str, str]]:
    """Pairs of kind and text; the kind of a literal is ``"``."""
    found, at, end = [], 0, len(expression.rstrip())
    while at < end:
        token = _TOKEN.match(expression, at)
        if token is None:
            raise ValueError(f"unexpected text at character {at}")
        word, literal, mark = token.groups()
        found.append(('"', literal) if literal is not None else (word or mark, ""))
        at = token.end()
    return found


class _Reader:
    """A recursive descent: or, and, not."""

    def __init__(self, tokens: Sequence[tuple[str, str]], fields: Collection[str]) -> None:
        self._tokens = tokens
        self._fields = fields
        self._at = 0
        self._depth = 0
        self._comparisons = 0
        self._compared: set[str] = set()
        self.terms = 0

    @property
    def work(self) -> int:
        """What one record costs."""
        return self.terms + _FIELD_WORK * len(self._compared)

    def whole(self) -> _Test:
        test = self._either()
        if self._at != len(self._tokens):
            raise ValueError(f"unexpected {self._next()!r}")
        return test

    def _next(self) -> str:
        return self._tokens[self._at][0] if self._at < len(self._tokens) else "end"

    def _take(self, kind: str) -> str:
        if self._next() != kind:
            raise ValueError(f"expected {kind!r}, met {self._next()!r}")
        self._at += 1
        return self._tokens[self._at - 1][1]

    def _either(self) -> _Test:
        tests = [self._both()]
        while self._next() == "or":
            self._take("or")
            tests.append(self._both())
        return tests[0] if len(tests) == 1 else lambda texts: any(t(texts) for t in tests)

    def _both(self) -> _Test:
        tests = [self._one()]
        while self._next() == "and":
            self._take("and")
            tests.append(self._one())
        return tests[0] if len(tests) == 1 else lambda texts: all(t(texts) for t in tests)

    def _one(self) -> _Test:
        kind = self._next()
        self.terms += 1
        if self.terms > MOST_TERMS:
            raise ValueError(f"more than {MOST_TERMS} terms")
        if kind == "field":
            return self._comparison()
        if kind in ("true", "false"):
            self._take(kind)
            return _always if kind == "true" else _never
        self._depth += 1
        if self._depth > DEEPEST:
            raise ValueError(f"more than {DEEPEST} levels")
        if kind == "not":
            self._take("not")
            negated = self._one()
            test: _Test = lambda texts: not negated(texts)  # noqa: E731
        else:
            self._take("(")
            test = self._either()
            self._take(")")
        self._depth -= 1
        return test

    def _comparison(self) -> _Test:
        self._take("field")
        self._comparisons += 1
        if self._comparisons > MOST_COMPARISONS:
            raise ValueError(f"more than {MOST_COMPARISONS} comparisons")
        given = self._take('"')
        self._take("=")
        literal = self._take('"')
        name = given.replace("__", "_")
        if name not in self._fields:
            raise ValueError(f"no field {given!r}")
        self._compared.add(name)
        return lambda texts: texts.of(name) == literal


def _always(_texts: Any) -> bool:
    return True


def _never(_texts: Any) -> bool:
    return False
