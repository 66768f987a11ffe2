"""One server as the console keeps it: with hosts that send one another, lie, or refuse."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from machine import find_free_port
from pooltrust.command import console
from pooltrust.console.pools.hall import Hall
from pooltrust.console.pools.place import Place
from pooltrust.console.pools.state import Standing
from pooltrust.console.trusting.known import LEARNED
from pooltrust.console.trusting.trust import Trust

from .published import SESSION
from .simulated import ADDRESS, Older, Pool, big_pool

PASSWORD = "mabel-counts-17-herons"


class Odd(Pool):
    """A host that answers each call in one way."""

    def __init__(self, result: Callable[[str], Any]) -> None:
        super().__init__()
        self._odd = result

    async def _result(self, method: str, parameters: list[Any]) -> Any:
        return self._odd(method)


def played(folder: Path, pool: Pool, standing: Standing) -> Place:
    """Connect to this host, trust it once, and wait until it stands so."""

    async def play(port: int) -> Place:
        hall = Hall(Trust(folder / "known.json"))
        try:
            place = hall.add(ADDRESS, port, "root", PASSWORD)
            async with asyncio.timeout(20):
                while place.state.standing is not standing:
                    if place.state.standing is Standing.STRANGER and place.state.met:
                        assert pool.calls == []
                        place.answer("once", place.state.met["thumbprint"])
                    await asyncio.sleep(0.01)
            return place
        finally:
            await hall.close()

    with big_pool(folder, pool) as (_, where):
        return asyncio.run(play(int(where.rpartition(":")[2])))


def refusing(code: str, *parameters: str) -> Odd:
    def refuse(method: str) -> Any:
        raise LookupError(code, *parameters)

    return Odd(refuse)


def test_hosts_that_send_one_another_are_not_followed_for_ever(tmp_path: Path):
    pool = refusing("HOST_IS_SLAVE", ADDRESS)
    place = played(tmp_path, pool, Standing.WAITING)
    assert 2 <= len(pool.calls) <= 6 and "HOST_IS_SLAVE" in place.state.words


def test_a_wrong_password_is_said_and_not_tried_again(tmp_path: Path):
    pool = refusing("SESSION_AUTHENTICATION_FAILED", "root", "no")
    place = played(tmp_path, pool, Standing.FAILED)
    assert pool.calls == ["session.login_with_password"]
    assert PASSWORD not in str(place.shown())


@pytest.mark.parametrize("answer", [None, 3, {}, {"token": "1"}, {"token": "1", "events": [3]}])
def test_an_answer_of_another_form_is_waited_out_in_words(tmp_path: Path, answer: Any):
    def result(method: str) -> Any:
        return {"session.login_with_password": SESSION, "system.listMethods": []}.get(
            method, answer
        )

    place = played(tmp_path, Odd(result), Standing.WAITING)
    assert "does not speak the API as published" in place.state.words


async def until(place: Place, standing: Standing) -> None:
    async with asyncio.timeout(20):
        while place.state.standing is not standing:
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("told", ["the right one", "another", "none"])
def test_a_supporter_says_whom_to_meet_as_its_coordinator(tmp_path: Path, told: str):
    """A person who believed the supporter is asked again only if it does not tell, or tells wrong."""
    supporter, coordinator = refusing("HOST_IS_SLAVE", "127.0.0.10"), Pool()
    port = find_free_port(ADDRESS, "127.0.0.10")

    async def play() -> Place:
        hall = Hall(Trust(tmp_path / "known.json"))
        try:
            place = hall.add(ADDRESS, port, "root", PASSWORD)
            await until(place, Standing.STRANGER)
            assert place.answer("remember", str((place.state.met or {})["thumbprint"]))
            if told == "the right one":
                await until(place, Standing.CONNECTED)
                return place
            async with asyncio.timeout(20):
                while "names 127.0.0.10 as its coordinator" not in place.state.words:
                    await asyncio.sleep(0.01)
            assert coordinator.calls == []
            return place
        finally:
            await hall.close()

    with (
        big_pool(tmp_path, coordinator, ("127.0.0.10", port)),
        big_pool(tmp_path, supporter, (ADDRESS, port)),
    ):
        names = {"the right one": coordinator.thumbprint, "another": supporter.thumbprint}
        supporter.coordinator = names.get(told, "")
        [member] = [one for one in coordinator.records if one["ref"] == "OpaqueRef:c3"]
        member["snapshot"]["fingerprint"] = supporter.thumbprint
        place = asyncio.run(play())
    if told == "the right one":
        at = Trust(tmp_path / "known.json").at(f"127.0.0.10:{port}")
        assert at is not None and at.how == LEARNED and at.source == supporter.thumbprint
        assert place.state.reached == f"127.0.0.10:{port}"


def test_a_pool_of_the_release_before_is_connected_and_its_certificates_are_servers(tmp_path: Path):
    place = played(tmp_path, Older(), Standing.CONNECTED)
    assert {one["type"] for one in place.mirror.objects["certificate"].values()} == {"host"}
    assert "pool.enable_tls_verification" not in place.state.methods


def test_a_server_that_was_trusted_once_is_in_no_file(tmp_path: Path):
    played(tmp_path, Pool(), Standing.CONNECTED)
    assert not (tmp_path / "known.json").exists()


def options(**given: Any) -> argparse.Namespace:
    usual = {"server": "h1:8443", "user": "root", "password_file": None, "thumbprint": None}
    return argparse.Namespace(**usual | given)


def test_a_server_can_be_named_when_the_console_is_started(tmp_path: Path):
    (tmp_path / "secret").write_text(PASSWORD + "\n")
    first = console.first(options(password_file=tmp_path / "secret"))
    assert first == console.First("h1", 8443, "root", PASSWORD, None)
    assert console.first(options(server=None)) is None


def test_what_is_wrong_with_it_is_said(tmp_path: Path):
    with pytest.raises(console.NoPlace, match="two words is no address"):
        console.first(options(server="two words"))
    with pytest.raises(console.NoPassword, match=r"No such file"):
        console.first(options(password_file=tmp_path / "none"))


def test_a_browser_is_given_a_page_and_not_the_link_that_every_user_would_see(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    opened: list[str] = []

    def open_page(url: str) -> None:
        page = Path(url.removeprefix("file://"))
        assert page.stat().st_mode & 0o777 == 0o600 and "/?token=" in page.read_text()
        opened.append(url)

    async def at_once() -> None:
        while not opened:
            await asyncio.sleep(0.01)

    monkeypatch.setattr("webbrowser.open", open_page)
    monkeypatch.setattr(console, "_until_stopped", at_once)
    console.run(tmp_path / "known.json", 0, None, [], browser=True)

    [url] = opened
    assert "token" not in url and list(tmp_path.iterdir()) == []
