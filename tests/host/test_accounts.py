"""Passwords are checked slowly, one at a time, and stay unknown to everybody else."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pooltrust.errors import PasswordRejected, SessionAuthenticationFailed
from pooltrust.host.accounts import logins
from pooltrust.host.accounts.local import REMEMBERED_FOR, Accounts
from pooltrust.host.accounts.logins import MOST_OF_ONE_ORIGIN, Logins
from pooltrust.host.accounts.scram import ScramClient, ScramServer
from pooltrust.host.accounts.verifier import ITERATIONS, Verifier, generate_password, prepared
from pooltrust.host.records.database import Database
from pooltrust.host.records.guarded import Guarded
from pooltrust.host.records.store import Change

PASSWORD = "correct horse"
FEW = 5000
NOON = datetime(2024, 6, 1, 12, 0, tzinfo=UTC)
WRONG = "The credentials given by the user are incorrect"


class Bench:
    """Accounts over a database in a folder, with a clock and a count of derivations."""

    def __init__(self, store: Database, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        self.store = store
        self.guarded = Guarded(store)
        self.accounts = Accounts(self.guarded, iterations=FEW, monotonic=lambda: self.now)
        self.logins = Logins(self.accounts, monotonic=lambda: self.now, now=lambda: NOON)
        self.derived: list[str] = []
        self.most_at_once = 0
        busy = 0
        true_derive = Verifier.derive

        def derive(candidate: bytes, salt: bytes, iterations: int) -> Verifier:
            nonlocal busy
            busy += 1
            self.most_at_once = max(self.most_at_once, busy)
            self.derived.append(threading.current_thread().name)
            try:
                return true_derive(candidate, salt, iterations)
            finally:
                busy -= 1

        monkeypatch.setattr(Verifier, "derive", derive)


@pytest.fixture
def tell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    def whole(story: Callable[[Bench], Awaitable[Any]]) -> Any:
        async def inside() -> Any:
            store = await Database.open(tmp_path / "records.db")
            bench = Bench(store, monkeypatch)
            try:
                await bench.accounts.set_password("root", PASSWORD)
                bench.derived.clear()
                return await story(bench)
            finally:
                bench.accounts.close()
                await store.close()

        return asyncio.run(inside())

    return whole


def test_only_the_right_password_of_that_user_is_right(tell: Callable[..., Any]):
    async def story(bench: Bench) -> None:
        assert await bench.accounts.verify("root", PASSWORD)
        for user, password in [
            ("root", PASSWORD + " "),
            ("root", ""),
            ("root", "x" * 5000),
            ("root", "\0"),
            ("root", "\ud800"),
            ("nobody", PASSWORD),
            ("nobody", ""),
            ("\ud800", PASSWORD),
            ("", PASSWORD),
        ]:
            assert not await bench.accounts.verify(user, password)

    tell(story)


def test_an_unknown_user_costs_what_a_known_one_costs(tell: Callable[..., Any]):
    async def story(bench: Bench) -> None:
        costs = []
        for user, password in [("root", "wrong"), ("nobody", "wrong"), ("nobody", "\0")]:
            bench.derived.clear()
            with pytest.raises(SessionAuthenticationFailed) as refused:
                await bench.logins.login(user, password, None)
            costs.append((len(bench.derived), bench.accounts.verifier(user).iterations))
            assert refused.value.why == WRONG
        assert {(1, FEW)} == set(costs)

    tell(story)


def test_an_unknown_user_is_shown_one_salt_by_every_member_and_after_restarts(
    tell: Callable[..., Any],
):
    async def story(bench: Bench) -> tuple[bytes, bytes, bytes]:
        member = Accounts(bench.guarded, iterations=FEW)
        shown = member.verifier("nobody").salt
        assert shown == bench.accounts.verifier("nobody").salt
        assert shown != member.verifier("nobody2").salt
        assert member.verifier("nobody").stored_key != member.verifier("nobody").stored_key
        assert 16 == len(shown) == len(member.verifier("root").salt)
        return shown

    assert tell(story) == tell(story)


def test_the_password_is_nowhere_in_the_store(tell: Callable[..., Any], tmp_path: Path):
    async def story(bench: Bench) -> None:
        row = bench.store.get("accounts", "root")
        assert row is not None
        assert {"salt", "iterations", "stored_key", "server_key"} == set(row)

    tell(story)
    for path in tmp_path.iterdir():
        assert PASSWORD.encode() not in path.read_bytes()


def test_a_right_password_is_derived_once_in_five_minutes(tell: Callable[..., Any]):
    async def story(bench: Bench) -> None:
        for _ in range(20):
            await bench.logins.login("root", PASSWORD, "192.0.2.1")
        assert len(bench.derived) == 1
        bench.now += REMEMBERED_FOR
        await bench.logins.login("root", PASSWORD, "192.0.2.1")
        assert len(bench.derived) == 2

    tell(story)


def test_a_changed_or_removed_account_is_not_remembered(tell: Callable[..., Any]):
    async def story(bench: Bench) -> None:
        accounts = bench.accounts
        assert await accounts.verify("root", PASSWORD)
        await accounts.set_password("root", "another")
        assert not await accounts.verify("root", PASSWORD)
        assert await accounts.verify("root", "another")
        await bench.guarded.change(lambda: [Change("accounts", "root", None)])
        assert not await accounts.verify("root", "another")
        assert accounts.names() == []

    tell(story)


def test_a_password_that_is_changed_while_it_is_checked_lets_nobody_in(
    tell: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
):
    """The sessions of before were ended at the change: none may be opened after it."""
    begun, go = threading.Event(), threading.Event()
    true_matches = Verifier.matches

    def matches(verifier: Verifier, candidate: bytes) -> bool:
        begun.set()
        assert go.wait(20)
        return true_matches(verifier, candidate)

    async def story(bench: Bench) -> None:
        another = await bench.accounts.derived("another")
        monkeypatch.setattr(Verifier, "matches", matches)
        checking = asyncio.create_task(bench.accounts.verify("root", PASSWORD))
        await asyncio.to_thread(begun.wait, 20)
        await bench.guarded.change(lambda: bench.accounts.with_verifier("root", another))
        go.set()
        assert not await checking
        assert not await bench.accounts.verify("root", PASSWORD)
        assert await bench.accounts.verify("root", "another")

    tell(story)


def test_hashing_is_off_the_loop_and_one_at_a_time(tell: Callable[..., Any]):
    async def story(bench: Bench) -> None:
        results = await asyncio.gather(
            *(bench.logins.login("root", f"wrong {n}", f"192.0.2.{n}") for n in range(20)),
            return_exceptions=True,
        )
        assert {SessionAuthenticationFailed} == {type(result) for result in results}
        assert len(bench.derived) == 20
        assert bench.most_at_once == 1
        assert {"passwords_0"} == set(bench.derived)

    tell(story)


def test_twenty_right_logins_at_once_derive_once(tell: Callable[..., Any]):
    async def story(bench: Bench) -> None:
        await asyncio.gather(
            *(bench.logins.login("root", PASSWORD, "192.0.2.1") for _ in range(20))
        )
        assert len(bench.derived) == 1

    tell(story)


def test_a_login_that_is_given_up_does_not_start_a_second_derivation(tell: Callable[..., Any]):
    async def story(bench: Bench) -> None:
        first = asyncio.create_task(bench.accounts.verify("root", "wrong"))
        await asyncio.sleep(0.001)
        first.cancel()
        assert await bench.accounts.verify("root", PASSWORD)
        assert bench.most_at_once == 1

    tell(story)


def test_guesses_at_once_are_counted_one_by_one(tell: Callable[..., Any]):
    async def story(bench: Bench) -> None:
        results = await asyncio.gather(
            *(
                bench.logins.login("root", f"wrong {n}", "192.0.2.1")
                for n in range(MOST_OF_ONE_ORIGIN)
            ),
            return_exceptions=True,
        )
        assert len(bench.derived) == 5
        assert (
            sum("try again in 1 s" in str(result) for result in results) == MOST_OF_ONE_ORIGIN - 5
        )
        # Not even the right one, remembered or not: that would tell which is right.
        assert await bench.accounts.verify("root", PASSWORD)
        with pytest.raises(SessionAuthenticationFailed, match="Too many wrong"):
            await bench.logins.login("root", PASSWORD, "192.0.2.1")
        await bench.logins.login("root", PASSWORD, "192.0.2.2")
        bench.now += 1
        await bench.logins.login("root", PASSWORD, "192.0.2.1")
        assert bench.logins.origins.failures("192.0.2.1", bench.now) == 0

    tell(story)


def test_guesses_at_first_meetings_are_counted_too(tell: Callable[..., Any]):
    async def prove(bench: Bench, password: str) -> str:
        server = ScramServer(bench.accounts.verifier, b"T" * 32)
        joiner = ScramClient("root", password, b"T" * 32, least_iterations=FEW)
        client_final = await joiner.final(server.first(joiner.first()))
        server_final = bench.logins.check_proof(server, client_final, "192.0.2.1")
        joiner.finish(server_final)
        return server.username

    async def story(bench: Bench) -> None:
        assert await prove(bench, PASSWORD) == "root"
        for _ in range(5):
            with pytest.raises(SessionAuthenticationFailed, match=WRONG):
                await prove(bench, "wrong")
        with pytest.raises(SessionAuthenticationFailed, match="try again in 1 s"):
            await prove(bench, PASSWORD)
        bench.now += 1
        await prove(bench, PASSWORD)
        assert bench.logins.origins.failures("192.0.2.1", bench.now) == 0

    tell(story)


def test_the_unix_socket_never_waits(tell: Callable[..., Any]):
    async def story(bench: Bench) -> None:
        for n in range(10):
            with pytest.raises(SessionAuthenticationFailed, match=WRONG):
                await bench.logins.login("root", f"wrong {n}", None)
        await bench.logins.login("root", PASSWORD, None)

    tell(story)


def test_a_flood_waits_in_a_short_queue(tell: Callable[..., Any], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(logins, "MOST_WAITING", 3)

    async def story(bench: Bench) -> None:
        results = await asyncio.gather(
            *(bench.logins.login("root", f"wrong {n}", f"192.0.2.{n}") for n in range(10)),
            return_exceptions=True,
        )
        assert sum("Too many logins wait" in str(result) for result in results) == 7
        await bench.logins.login("root", PASSWORD, "192.0.2.1")

    tell(story)


def test_a_damaged_record_lets_nobody_in(tell: Callable[..., Any]):
    async def story(bench: Bench) -> None:
        good = bench.store.get("accounts", "root")
        assert good is not None
        for damage in ({}, dict(good, stored_key=""), dict(good, iterations=True), {"salt": 1}):
            await bench.store.append(bench.store.revision, [Change("accounts", "root", damage)])
            assert not await bench.accounts.verify("root", PASSWORD)

    tell(story)


def test_one_password_however_it_was_typed(tell: Callable[..., Any]):
    async def story(bench: Bench) -> None:
        await bench.accounts.set_password("root", "cafe\u0301\u00a0\u2168")
        assert await bench.accounts.verify("root", "caf\u00e9 IX")

    tell(story)


@pytest.mark.parametrize("password", ["", "a\nb", "x" * 1025, "\ud800", "\u0627a", "\u00ad"])
def test_a_password_that_can_not_be_typed_again_is_refused(tell: Callable[..., Any], password: str):
    async def story(bench: Bench) -> None:
        with pytest.raises(PasswordRejected) as refused:
            await bench.accounts.set_password("root", password)
        assert not password or repr(password) not in repr(refused.value)
        assert await bench.accounts.verify("root", PASSWORD)

    tell(story)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "a\n",
        "x" * 65,
        "\ud800",
        "\uff21dmin",
        "root via h2",
        "r\u043e\u043et",
        " root",
        "-a",
        "a:b",
        "a/b",
    ],
)
def test_a_user_name_is_plain(tell: Callable[..., Any], name: str):
    async def story(bench: Bench) -> None:
        with pytest.raises(PasswordRejected, match="user name"):
            await bench.accounts.set_password(name, PASSWORD)
        assert bench.accounts.names() == ["root"]

    tell(story)


def test_a_generated_password_has_five_groups_and_is_never_the_same():
    passwords = {generate_password() for _ in range(50)}
    assert len(passwords) == 50
    for password in passwords:
        assert [len(group) for group in password.split("-")] == [5] * 5
        assert not set("01oil") & set(password)
        assert password.encode() == prepared(password)


def test_nothing_secret_is_shown():
    verifier = Verifier.derive(prepared(PASSWORD), b"salt" * 4, FEW)
    for key in (verifier.stored_key, verifier.server_key):
        assert repr(key) not in repr(verifier)
    assert verifier == Verifier.from_row(verifier.row())
    assert ITERATIONS == 600_000
