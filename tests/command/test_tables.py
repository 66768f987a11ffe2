"""A table is lined up on every terminal, and nothing in it speaks to the terminal."""

from __future__ import annotations

import io
import unicodedata
from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pooltrust.command.tables import Cell, Column, Terminal, Tone, shown, table, width

HOSTS = [Column("host"), Column("role", right=True), Column("what", "wrap")]


def test_columns_are_lined_up_under_their_headings():
    drawn = table(HOSTS, [["h1", "coordinator", "all is well"], ["host-two", "", ""]], Terminal())
    assert drawn == (
        "host             role  what\n"
        "h1        coordinator  all is well\n"
        "host-two\n"
    )  # fmt: skip


def test_a_table_without_rows_is_its_headings():
    assert table(HOSTS, [], Terminal()) == "host  role  what\n"


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("abc", 3),
        ("é", 1),
        ("e\u0301", 1),
        ("中文", 4),
        ("ＡＢ", 4),
        ("한", 2),
        ("\u1112\u1161\u11ab", 2),
        ("❤\ufe0f", 1),
        ("", 0),
        ("🔒", 2),
    ],
)
def test_a_text_is_as_wide_as_it_is_drawn(text: str, columns: int):
    assert width(text) == columns


def test_wide_and_combining_characters_keep_the_columns():
    drawn = table([Column("a"), Column("b")], [["中文", "|"], ["e\u0301", "|"]], Terminal())
    assert [width(line[: line.index("|")]) for line in drawn.splitlines()[1:]] == [6, 6]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\x1b[31mred", r"\x1b[31mred"),
        ("a\nb\tc\x00", r"a\x0ab\x09c\x00"),
        ("\x9b2J", r"\x9b2J"),
        ("\u202egnp.exe", r"\u202egnp.exe"),
        ("\u2028\ufeff\ud800\U000e0001", r"\u2028\ufeff\ud800\U000e0001"),
        ("plain text é 中", "plain text é 中"),
    ],
)
def test_control_characters_are_shown_and_not_obeyed(text: str, expected: str):
    assert shown(text) == expected
    cells = table([Column(text)], [[text], [Cell(text, Tone.BAD)]], Terminal())
    assert cells == f"{expected}\n" * 3


def test_a_narrow_terminal_wraps_where_it_may():
    drawn = table(
        HOSTS, [["h1", "coordinator", "refused: another member's certificate"]], Terminal(33)
    )
    assert drawn == (
        "host         role  what\n"
        "h1    coordinator  refused:\n"
        "                   another\n"
        "                   member's\n"
        "                   certificate\n"
    )


def test_a_word_that_is_longer_than_its_column_is_broken():
    columns = [Column("a"), Column("b", "wrap")]
    drawn = table(columns, [["x", "abcdefghijklmnop 中文中文中"]], Terminal(12))
    assert drawn == "a  b\nx  abcdefghi\n   jklmnop\n   中文中文\n   中\n"


def test_a_narrow_terminal_shortens_where_it_may():
    columns = [Column("a"), Column("b", "shorten")]
    drawn = table(columns, [["x", "one two three four"], ["y", "short"]], Terminal(12))
    assert drawn == "a  b\nx  one two…\ny  short\n"
    drawn = table(columns, [["x", "中文中文中文"]], Terminal(12))
    assert drawn == "a  b\nx  中文中文…\n"


def test_the_widest_column_is_narrowed_first():
    columns = [Column("a", "wrap"), Column("b", "wrap")]
    drawn = table(columns, [["ten chars.", "twenty characters..."]], Terminal(22))
    assert drawn == "a           b\nten chars.  twenty\n            characters\n            ...\n"


THUMBPRINT = ":".join(["AB"] * 32)


def test_a_thumbprint_is_never_cut_the_table_becomes_a_list():
    columns = [Column("host"), Column("thumbprint")]
    drawn = table(columns, [["h1", THUMBPRINT], ["h2", ""]], Terminal(60))
    assert drawn == f"host: h1\nthumbprint: {THUMBPRINT}\n\nhost: h2\nthumbprint:\n"


ROW = [Cell("met", Tone.GOOD), Cell("lost", Tone.BAD)]
TWO = [Column("a"), Column("b", right=True)]


def test_colour_does_not_move_a_column():
    plain = table(TWO, [ROW], Terminal())
    coloured = table(TWO, [ROW], Terminal(colour=True))
    assert coloured != plain
    for code in ("\x1b[1m", "\x1b[32m", "\x1b[1;31m", "\x1b[0m"):
        assert code in coloured
        coloured = coloured.replace(code, "")
    assert coloured == plain


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("stream", "environment", "expected"),
    [
        (Screen(), {"TERM": "xterm"}, Terminal(57, colour=True)),
        (Screen(), {"TERM": "xterm", "NO_COLOR": ""}, Terminal(57, colour=True)),
        (Screen(), {"TERM": "xterm", "NO_COLOR": "1"}, Terminal(57)),
        (Screen(), {"TERM": "dumb"}, Terminal(57)),
        (Screen(), {}, Terminal(57)),
        (io.StringIO(), {"TERM": "xterm"}, Terminal()),
    ],
)
def test_only_a_terminal_that_wants_colour_gets_it(
    monkeypatch: pytest.MonkeyPatch,
    stream: io.StringIO,
    environment: Mapping[str, str],
    expected: Terminal,
):
    monkeypatch.setenv("COLUMNS", "57")
    assert Terminal.of(stream, environment) == expected


def test_a_row_has_as_many_cells_as_there_are_columns():
    with pytest.raises(ValueError, match="as many cells"):
        table(TWO, [["one"]], Terminal())


TEXTS = st.text(max_size=40) | st.lists(st.sampled_from(["中", "a ", "e\u0301"])).map("".join)
COLUMNS = st.builds(
    Column, st.sampled_from(["a", "name"]), st.sampled_from(["wrap", "shorten"]), st.booleans()
)


@settings(max_examples=150, deadline=None)
@given(st.data(), st.integers(24, 60))
def test_no_line_is_wider_than_the_terminal_and_wrapping_loses_nothing(
    data: st.DataObject, room: int
):
    columns = data.draw(st.lists(COLUMNS, min_size=1, max_size=2))
    row = data.draw(st.lists(TEXTS, min_size=len(columns), max_size=len(columns)))
    drawn = table(columns, [row], Terminal(room))
    lines = drawn.splitlines()
    assert all(width(line) <= room for line in lines)
    assert all(line.isprintable() for line in lines)
    if len(columns) == 1 and columns[0].when_narrow == "wrap":
        told = "".join(lines[1:]).replace(" ", "")
        assert unicodedata.normalize("NFC", told) == unicodedata.normalize(
            "NFC", shown(row[0]).replace(" ", "")
        )
