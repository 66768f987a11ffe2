"""The store's promises, kept in SQLite: all or nothing, durable, and read from memory."""

from __future__ import annotations

import asyncio
import sqlite3
import stat
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from pooltrust.errors import CannotStore, CorruptDatabase
from pooltrust.host.records.database import Database
from pooltrust.host.records.sheet import Sheet
from pooltrust.host.records.store import NOTHING, Change, Dump, Revision, Stale, Store

H1 = Change("host", "h1", {"name": "one", "tags": ["a"]})
H2 = Change("host", "h2", {"name": "two", "port": 443})


def run(path: Path, story: Callable[[Database], Awaitable[Any]]) -> Any:
    """Tell a story with an open database."""

    async def whole() -> Any:
        store = await Database.open(path)
        try:
            return await story(store)
        finally:
            await store.close()

    return asyncio.run(whole())


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "records.db"


def test_it_is_a_store_and_begins_empty(file: Path):
    async def story(store: Store) -> None:
        assert store.revision == NOTHING
        assert store.rows("host") == {}
        assert store.get("host", "h1") is None

    run(file, story)


def test_what_was_appended_is_there_after_a_restart(file: Path):
    async def before(store: Store) -> None:
        first = await store.append(NOTHING, [H1, H2])
        assert Revision(0, 1) == first == store.revision
        await store.append(first, [Change("host", "h1", None), Change("pool", "p", {})])

    async def after(store: Store) -> None:
        assert Revision(0, 2) == store.revision
        assert {"h2": H2.row} == store.rows("host")
        assert store.get("pool", "p") == {}

    run(file, before)
    run(file, after)


def test_a_commit_is_on_the_disk_when_append_returns(file: Path):
    async def story(store: Database) -> None:
        connection = store._sheet._connection
        pragmas = ("journal_mode", "synchronous")
        found = await asyncio.get_running_loop().run_in_executor(
            store._writer,
            lambda: [connection.execute(f"PRAGMA {name}").fetchone()[0] for name in pragmas],
        )
        assert found == ["wal", 2]  # FULL
        await store.append(NOTHING, [H1])
        with sqlite3.connect(file) as other:
            assert other.execute("SELECT name FROM record").fetchall() == [("h1",)]

    run(file, story)


def test_of_two_appends_at_one_revision_one_is_stale_and_changes_nothing(file: Path):
    async def story(store: Store) -> None:
        results = await asyncio.gather(
            store.append(NOTHING, [H1]), store.append(NOTHING, [H2]), return_exceptions=True
        )
        assert Revision(0, 1) == results[0]
        assert isinstance(results[1], Stale)
        assert (NOTHING, Revision(0, 1)) == (results[1].expected, results[1].actual)
        assert list(store.rows("host")) == ["h1"]
        with pytest.raises(Stale):
            await store.append(Revision(0, 7), [H2])

    run(file, story)


def test_a_new_coordinator_counts_anew_and_above(file: Path):
    async def story(store: Store) -> None:
        await store.append(NOTHING, [H1])
        assert Revision(9, 0) == await store.begin(9) == await store.begin(9)
        with pytest.raises(Stale):
            await store.append(Revision(0, 1), [H2])
        assert Revision(9, 1) == await store.append(Revision(9, 0), [H2])
        with pytest.raises(Stale):
            await store.begin(8)

    run(file, story)


def test_watchers_hear_of_every_change_once_and_one_that_fails_harms_nobody(file: Path):
    async def story(store: Store) -> None:
        heard: list[tuple[Revision, list[Change]]] = []
        reported: list[dict[str, Any]] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, what: reported.append(what))

        def broken(revision: Revision, changes: object) -> None:
            raise RuntimeError("a watcher's own fault")

        stop_broken = store.watch(broken)
        stop = store.watch(lambda revision, changes: heard.append((revision, list(changes))))
        first = await store.append(NOTHING, [H1])
        second = await store.append(first, [H2])
        await asyncio.sleep(0)
        stop()
        stop_broken()
        stop()
        await store.append(second, [Change("host", "h2", None)])
        await asyncio.sleep(0)
        assert [(first, [H1]), (second, [H2])] == heard
        assert len(reported) == 2

    run(file, story)


def test_a_caller_that_is_cancelled_leaves_memory_and_disk_alike(file: Path):
    async def story(store: Database) -> None:
        doing = asyncio.create_task(store.append(NOTHING, [H1]))
        await asyncio.sleep(0)
        doing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await doing
        await store.append(Revision(0, 1), [H2])
        assert sorted(store.rows("host")) == ["h1", "h2"]

    run(file, story)


def test_a_table_that_was_read_stays_as_it_was(file: Path):
    async def story(store: Store) -> None:
        row = {"name": "one", "tags": ["a"]}
        await store.append(NOTHING, [Change("host", "h1", row)])
        read = store.rows("host")
        row["tags"].append("changed by its owner")  # type: ignore[attr-defined]
        await store.append(Revision(0, 1), [H2])
        assert {"h1": H1.row} == read
        assert H1.row == store.get("host", "h1")
        with pytest.raises(TypeError):
            read["h3"] = {}  # type: ignore[index]

    run(file, story)


@pytest.mark.parametrize(
    "row",
    [
        {"at": float("nan")},
        {"at": b"bytes"},
        {"at": (1, 2)},
        {1: "one"},
        {"at": "\ud800"},
        {"at": 2**70},
        {"at": "x" * (1024 * 1024)},
    ],
)
def test_a_row_that_would_not_read_back_is_refused(file: Path, row: Any):
    async def story(store: Store) -> None:
        with pytest.raises(ValueError, match="not a row"):
            await store.append(NOTHING, [H1, Change("host", "h2", row)])
        assert store.revision == NOTHING
        with pytest.raises(ValueError, match="printable"):
            await store.append(NOTHING, [Change("host", "h\0", {})])

    run(file, story)


def test_a_dump_makes_another_store_the_same(file: Path, tmp_path: Path):
    async def shipped(store: Store) -> dict[str, Any]:
        await store.begin(5)
        await store.append(Revision(5, 0), [H1, H2])
        return (await store.dump()).to_wire()

    wire = run(file, shipped)

    async def member(store: Store) -> None:
        await store.append(NOTHING, [Change("old", "o", {}), Change("host", "h2", H2.row)])
        heard: list[Change] = []
        store.watch(lambda _, changes: heard.extend(changes))
        await store.replace(Dump.from_wire(wire))
        assert Revision(5, 1) == store.revision
        assert store.rows("old") == {}
        assert [H1, Change("old", "o", None)] == heard

    run(tmp_path / "member.db", member)
    assert wire == run(tmp_path / "member.db", _dumped)


async def _dumped(store: Store) -> dict[str, Any]:
    return (await store.dump()).to_wire()


@pytest.mark.parametrize(
    "wire",
    [
        None,
        {},
        {"revision": "1.2"},
        {"revision": "1", "tables": {}},
        {"revision": "-1.2", "tables": {}},
        {"revision": "1.2", "tables": {"host": []}},
        {"revision": "1.2", "tables": {"host": {"h1": 1}}},
        {"revision": "1.2", "tables": {}, "more": 1},
    ],
)
def test_what_is_no_dump_is_refused(wire: object):
    with pytest.raises(ValueError):
        Dump.from_wire(wire)


def test_revisions_are_ordered_by_coordinator_first():
    assert Revision(1, 900) < Revision(2, 0) < Revision(2, 1)
    assert Revision(2, 1) == Revision.parse("2.1")


def test_only_its_user_reads_it(file: Path):
    file.touch(mode=0o644)

    async def story(store: Store) -> None:
        await store.append(NOTHING, [H1])
        made = [stat.S_IMODE(path.stat().st_mode) for path in file.parent.iterdir()]
        assert {0o600} == set(made)

    run(file, story)


def test_a_full_disk_changes_nothing_and_is_said(file: Path):
    async def story(store: Database) -> None:
        await store.append(NOTHING, [H1])

        def fill() -> None:
            connection = store._sheet._connection
            pages = connection.execute("PRAGMA page_count").fetchone()[0]
            connection.execute(f"PRAGMA max_page_count = {pages}")

        await asyncio.get_running_loop().run_in_executor(store._writer, fill)
        with pytest.raises(CannotStore, match="full"):
            await store.append(Revision(0, 1), [Change("host", "h2", {"x": "x" * 100_000})])
        assert (Revision(0, 1), ["h1"]) == (store.revision, list(store.rows("host")))
        await store.append(Revision(0, 1), [Change("host", "h1", None)])

    run(file, story)


def _spoilt(file: Path, *statements: str) -> None:
    run(file, lambda store: store.append(NOTHING, [H1]))
    connection = sqlite3.connect(file)
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


@pytest.mark.parametrize(
    ("statements", "word"),
    [
        (["UPDATE record SET row = '{'"], "'h1' of 'host' is not JSON"),
        (["UPDATE record SET row = '[]'"], "not a JSON object"),
        (["DELETE FROM place"], "lost its revision"),
        (["DROP TABLE record"], "no such table"),
        (["PRAGMA user_version = 2"], "Upgrade this host"),
        (["PRAGMA application_id = 3"], "another program"),
    ],
)
def test_a_file_that_is_not_right_is_named_with_the_cure(
    file: Path, statements: list[str], word: str
):
    _spoilt(file, *statements)
    with pytest.raises(CorruptDatabase, match=word) as refused:
        run(file, _dumped)
    assert str(file) in str(refused.value)


def test_bytes_that_are_no_database_are_named_with_the_cure(file: Path):
    file.write_bytes(b"not a database at all, " * 100)
    with pytest.raises(CorruptDatabase, match="Move the file away"):
        run(file, _dumped)


def test_damage_inside_is_found_at_the_start(file: Path):
    async def fill(store: Store) -> None:
        rows = [Change("host", f"h{n}", {"x": "x" * 500}) for n in range(100)]
        await store.append(NOTHING, rows)

    run(file, fill)
    data = bytearray(file.read_bytes())
    data[3 * 4096 : 4 * 4096] = b"\x13" * 4096
    file.write_bytes(data)
    with pytest.raises(CorruptDatabase, match=r"damaged|malformed"):
        run(file, _dumped)


def test_a_folder_that_is_not_there_is_said(tmp_path: Path):
    with pytest.raises(CannotStore, match="no such file"):
        run(tmp_path / "none" / "records.db", _dumped)


def test_a_process_that_dies_between_two_rows_leaves_none_of_them(file: Path):
    sheet = Sheet.open(file)
    sheet._ask("BEGIN IMMEDIATE")
    sheet._put(Revision(0, 1), [("host", "h1", b"{}")])
    copy = file.with_name("after-the-crash.db")
    for suffix in ("", "-wal"):
        source = Path(f"{file}{suffix}")
        if source.exists():
            Path(f"{copy}{suffix}").write_bytes(source.read_bytes())
    sheet._connection.execute("ROLLBACK")
    sheet.close()
    assert run(copy, _dumped) == {"revision": "0.0", "tables": {}}
