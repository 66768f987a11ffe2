"""Who gets in: the one-time link, the cookie, the Host header, and no other site's page."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from http.cookies import SimpleCookie
from pathlib import Path
from typing import TypeVar

import aiohttp
import pytest

from pooltrust.console.web.serve import Running, running
from pooltrust.pki.mint import mint_server_identity

T = TypeVar("T")


async def inside(client: aiohttp.ClientSession, link: str) -> dict[str, str]:
    """Come in by the link; returns the header with the key."""
    async with client.get(link, allow_redirects=False) as answer:
        key = answer.headers["Location"].partition("#key=")[2]
        assert key
        return {"X-Pooltrust-Console": key}


def visit(folder: Path, story: Callable[[Running, aiohttp.ClientSession], Awaitable[T]]) -> T:
    """Play a story with a console and somebody who knocks."""

    async def play() -> T:
        async with running(folder / "known.json", 0) as console, knocking() as client:
            return await story(console, client)

    return asyncio.run(play())


def knocking() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))


def base(link: str) -> str:
    return link.partition("/?")[0]


def test_a_link_lets_one_browser_in_once(tmp_path: Path):
    async def story(console: Running, client: aiohttp.ClientSession) -> None:
        link = console.link()
        async with client.get(base(link)) as before:
            assert before.status == 401
        async with client.get(link) as first:
            assert first.status == 200 and first.url.query_string == ""
        async with knocking() as other, other.get(link) as second:
            assert second.status == 401 and "good once" in await second.text()

    visit(tmp_path, story)


def test_another_link_makes_the_one_before_void(tmp_path: Path):
    async def story(console: Running, client: aiohttp.ClientSession) -> None:
        old, new = console.link(), console.link()
        async with client.get(old) as first, client.get(new) as second:
            assert (first.status, second.status) == (401, 200)

    visit(tmp_path, story)


def test_the_cookie_is_kept_from_scripts_and_from_other_sites(tmp_path: Path):
    async def story(console: Running, client: aiohttp.ClientSession) -> None:
        async with client.get(console.link(), allow_redirects=False) as answer:
            [cookie] = SimpleCookie(answer.headers["Set-Cookie"]).values()
            assert cookie["httponly"] and cookie["samesite"] == "Strict" and not cookie["domain"]

    visit(tmp_path, story)


@pytest.mark.parametrize(
    "status, headers",
    [
        (421, {"Host": "evil.example"}),
        (421, {"Host": "127.0.0.1"}),
        (403, {"Sec-Fetch-Site": "cross-site"}),
        (403, {"Sec-Fetch-Site": "same-site"}),
        (403, {"X-Pooltrust-Console": ""}),
        (403, {"X-Pooltrust-Console": "1"}),
        (200, {}),
    ],
)
def test_only_its_own_page_by_its_own_name_may_ask(
    tmp_path: Path, status: int, headers: dict[str, str]
):
    async def story(console: Running, client: aiohttp.ClientSession) -> int:
        link = console.link()
        ours = await inside(client, link)
        url = base(link) + "/api/forget"
        async with client.post(url, json={"hosts": []}, headers=ours | headers) as answer:
            return answer.status

    assert visit(tmp_path, story) == status


@pytest.mark.parametrize("path", ["/", "/js/main.js", "/api/known", "/nowhere"])
def test_every_answer_forbids_what_the_page_does_not_need(tmp_path: Path, path: str):
    async def story(console: Running, client: aiohttp.ClientSession) -> None:
        link = console.link()
        await (await client.get(link)).read()
        async with client.get(base(link) + path) as answer:
            policy = answer.headers["Content-Security-Policy"]
            assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
            assert "unsafe" not in policy and "frame-ancestors 'none'" in policy
            assert answer.headers["Cache-Control"] == "no-store"
            assert answer.headers["X-Content-Type-Options"] == "nosniff"

    visit(tmp_path, story)


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"id": "s9"}', b"\xff"])
def test_nonsense_from_the_page_is_refused_in_words(tmp_path: Path, body: bytes):
    async def story(console: Running, client: aiohttp.ClientSession) -> int:
        link = console.link()
        ours = await inside(client, link)
        async with client.post(base(link) + "/api/now", data=body, headers=ours) as answer:
            assert await answer.text()
            return answer.status

    assert 400 <= visit(tmp_path, story) < 500


@pytest.mark.parametrize("headers", [{"Cookie": "pooltrust-console=é"}, {"Cookie": "x"}])
def test_a_cookie_of_any_letters_is_only_a_wrong_one(tmp_path: Path, headers: dict[str, str]):
    async def story(console: Running, client: aiohttp.ClientSession) -> tuple[int, int]:
        url = base(console.link())
        async with client.get(url, headers=headers) as one, client.get(f"{url}/?token=é") as two:
            return one.status, two.status

    assert visit(tmp_path, story) == (401, 401)


def test_a_link_that_was_followed_from_another_page_leads_in_as_well(tmp_path: Path):
    # A redirect would be followed without the strict cookie: so our own page goes on from there.
    async def story(console: Running, client: aiohttp.ClientSession) -> None:
        elsewhere = {"Sec-Fetch-Site": "cross-site"}
        link = console.link()
        async with client.get(link, headers=elsewhere, allow_redirects=False) as answer:
            assert answer.status == 200 and "url=/#key=" in await answer.text()
            assert "Set-Cookie" in answer.headers and "Content-Security-Policy" in answer.headers
        async with knocking() as other, other.get(link, headers=elsewhere) as second:
            assert second.status == 401

    visit(tmp_path, story)


@pytest.mark.parametrize("path", ["/api/known", "/api/wishes", "/api/events", "/api/events?key=x"])
def test_whoever_was_told_the_cookie_sees_nothing_of_any_pool(tmp_path: Path, path: str):
    # As a server of another user is, on another port of this machine, that the browser visits.
    async def story(console: Running, client: aiohttp.ClientSession) -> int:
        link = console.link()
        await inside(client, link)
        async with client.get(base(link) + path) as answer:
            return answer.status

    assert visit(tmp_path, story) == 403


def test_the_key_of_one_browser_does_not_go_with_anothers_cookie(tmp_path: Path):
    async def story(console: Running, client: aiohttp.ClientSession) -> list[int]:
        link = console.link()
        first = await inside(client, link)
        async with knocking() as other:
            second = await inside(other, console.link())
            answers = []
            for key in (first, second):
                async with other.get(base(link) + "/api/known", headers=key) as answer:
                    answers.append(answer.status)
            return answers

    assert visit(tmp_path, story) == [403, 200]


def test_a_key_that_was_read_stays_here_and_the_page_has_its_handle(tmp_path: Path):
    identity = mint_server_identity(["h1"], [], datetime.now(UTC)).pem()
    source = {"name": "h1.pem", "data": base64.b64encode(identity).decode()}

    async def story(console: Running, client: aiohttp.ClientSession) -> None:
        link = console.link()
        ours = await inside(client, link)
        asked = {"purpose": "server", "sources": [source]}
        async with client.post(base(link) + "/api/read", json=asked, headers=ours) as answer:
            assert "PRIVATE KEY" not in await answer.text()
            key = (await answer.json())["install"]["key"]
            assert key.startswith("held:")
        call = {"id": "s1", "method": "m", "parameters": [key[:-1]]}
        console.hall.add("127.0.0.1", 9, "root", "")
        async with client.post(base(link) + "/api/call", json=call, headers=ours) as answer:
            assert (await answer.json())["error"]["code"] == "KEY_NOT_HELD"

    visit(tmp_path, story)
