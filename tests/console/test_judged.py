"""What a person sees of the console's trust: authorities that are given, and each verdict on a change.

One story after another, with one pool that is none of ours; each begins where the one before ended.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from .browser import Browser, chromium
from .simulated import ADDRESS as HOST
from .simulated import METHODS, Older, Pool, big_pool, self_signed
from .stage import Console, add_server
from .test_vouching import CA, ROOT, server

pytestmark = pytest.mark.needs("chromium", "node", "npm")

PLAN = "pooltrust.get_plan"


class Told(Pool):
    """A pool that shows plans, and whose reset ends every connection before anything is told."""

    plan = ""
    folder: Path
    _answering: set[asyncio.Transport]

    def methods(self) -> list[str]:
        return [*METHODS, PLAN]

    async def answer(self, request: web.Request) -> web.Response:
        self._loop = asyncio.get_running_loop()
        if request.transport is not None:
            self._answering = {*getattr(self, "_answering", ()), request.transport}
        return await super().answer(request)

    async def _result(self, method: str, parameters: list[Any]) -> Any:
        if method == PLAN:
            return self.plan
        if method == "host.reset_server_certificate":
            self.serve(self_signed(HOST))
        return await super()._result(method, parameters)

    def serve(self, identity: bytes) -> None:
        """Another identity; whoever is connected is cut off."""
        self.show(identity, self.folder / "shown.pem")
        self._loop.call_soon_threadsafe(self._cut)

    def _cut(self) -> None:
        for one in self._answering:
            one.abort()
        self._answering = set()


@dataclass
class Seen:
    browser: Browser
    pool: Told
    where: str
    folder: Path
    console: Console

    def known(self) -> dict[str, Any]:
        [one] = [one for one in self.console.servers if self.where in one["places"]]
        return dict(one)

    def accept(self) -> None:
        self.browser.click("Trust the new one and remember")
        self.browser.gone("Certificate changed", "main h1")
        go(self.browser, "pool/general", "big")
        self.browser.see(f"{self.where}, TLSv1.3")


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    folder = tmp_path_factory.mktemp("judged")
    console, pool = Console(folder / "known.json"), Told()
    pool.folder = folder
    with big_pool(folder, pool) as (_, where), chromium() as browser:
        pool.show(whole(), folder / "shown.pem")
        try:
            browser.open(console.start())
            yield Seen(browser, pool, where, folder, console)
        finally:
            console.stop()


@pytest.fixture(autouse=True)
def nothing_to_complain_of(seen: Seen) -> Iterator[None]:
    yield
    assert seen.browser.complaints() == []


NOW = datetime.now(UTC)


def whole(age: timedelta = timedelta(days=2), key: str = "k") -> bytes:
    """A server identity by the authority, issued so long ago."""
    one = server(ROOT, "host-00", HOST, dates=(NOW - age, NOW + timedelta(days=90)), key=key)
    return one.key + one.pem.encode() + one.beside.encode()


def test_an_authority_is_seen_before_it_is_believed(seen: Seen):
    browser, file = seen.browser, seen.folder / "root.pem"
    browser.run("location.hash = '#/known'")
    browser.see("There is none until you give one")
    browser.click("Give an authority…")
    file.write_text(server().pem)
    browser.give("File", file)
    browser.see("it is a server's certificate, or may not issue any", "#dialog")

    file.write_text(CA)
    browser.give("File", file)
    browser.see("Believe this authority", "#dialog")
    browser.see("CN=root", "#dialog")
    assert browser.violations() == [] and not (seen.folder / "known.authorities.pem").exists()
    browser.click("Believe it")
    browser.see("none yet", "main table")
    assert CA.strip() in (seen.folder / "known.authorities.pem").read_text()
    assert browser.saved("Export PEM").strip().startswith("-----BEGIN CERTIFICATE-----")


def test_whom_it_vouches_for_is_connected_without_a_question_and_said_so(seen: Seen):
    browser = seen.browser
    add_server(browser, seen.where)
    browser.see("big", "main h1")
    browser.run("location.hash = '#/known'")
    browser.see(f"as issued by CN=root for {HOST}")
    browser.see("told by its pool", "main")
    if folder := os.environ.get("POOLTRUST_PICTURES"):
        browser.fill("Filter Known servers", "host-00")
        for width in (1280, 390):
            browser.size(width, 900)
            browser.picture(Path(folder) / f"known-{width}.png")
        browser.size(1280, 900)
    assert seen.known()["authority"] and browser.violations() == []


@pytest.mark.parametrize("plan", ['{"order": 3}', "[", '{"blockers": [[]]}'])
def test_an_odd_plan_ends_in_words(seen: Seen, plan: str):
    browser, seen.pool.plan = seen.browser, plan
    go(browser, "host/uuid-0/general")
    browser.menu("Server", "Certificates", "Refresh pool-internal identity…")
    browser.see("in another form than the published one", "#dialog")
    assert browser.count("#dialog .busy") == 0
    browser.click("Close", area="#dialog")


def go(browser: Browser, path: str, title: str = "host-00") -> None:
    browser.run(
        "location.hash = document.querySelector('#tree a').hash.split('/').slice(0, 2).join('/')"
        f" + '/{path}'"
    )
    browser.see(title, "main h1")


def test_a_reset_whose_end_nobody_could_tell_is_expected_and_says_when(seen: Seen):
    browser, seen.pool.plan = seen.browser, ""
    go(browser, "host/uuid-0/general")
    browser.menu("Server", "Certificates", "Reset Certificate")
    browser.click("Yes", area="#dialog")
    browser.see("Certificate changed")
    assert browser.text("main .banner").startswith("Expected. You reset it from here ")
    assert " s ago." in browser.text("main .banner")
    browser.run("document.querySelector('dialog').close()")
    assert browser.violations() == []
    seen.accept()


def test_a_change_to_an_authoritys_certificate_is_proven_and_asked(seen: Seen):
    seen.pool.serve(whole(timedelta(minutes=9), "second"))
    seen.browser.see("Certificate changed")
    seen.browser.see("Issued by CN=root, for the same names")
    seen.browser.see("The one before had another issuer")
    seen.accept()


def test_a_renewal_by_the_same_issuer_says_so(seen: Seen):
    seen.pool.serve(whole(timedelta(minutes=1), "third"))
    seen.browser.see("Certificate changed")
    words = seen.browser.text("main .banner.good")
    assert words.startswith("Proven. Renewed by the same issuer: CN=root signed it")
    assert seen.browser.violations() == []
    if folder := os.environ.get("POOLTRUST_PICTURES"):
        for width in (1280, 390):
            for scheme in ("light", "dark"):
                seen.browser.size(width, 900)
                seen.browser.scheme(scheme)
                seen.browser.picture(Path(folder) / f"proven-{width}-{scheme}.png")
        seen.browser.size(1280, 900)
    seen.accept()
    assert "accepted by you" in seen.known()["how"]


def test_without_a_reason_it_is_hostile_and_to_refuse_comes_first(seen: Seen):
    seen.pool.serve(self_signed(HOST))
    seen.browser.see("No known reason: treat this as hostile.")
    assert seen.browser.text("main .actions button.main") == "Refuse"
    seen.browser.click("Refuse")
    seen.browser.see("You refused its certificate.")


def test_an_authority_is_removed(seen: Seen):
    browser = seen.browser
    browser.run("location.hash = '#/known'")
    browser.click("Remove…", area="main")
    browser.see("is not believed any more", "#dialog")
    browser.click("Remove", area="#dialog")
    browser.see("There is none until you give one")
    browser.gone("CN=root", "main table")
    assert (seen.folder / "known.authorities.pem").read_text() == ""


def test_a_pool_of_the_release_before_is_not_called_verified(seen: Seen):
    browser = seen.browser
    with big_pool(seen.folder, Older()) as (_, where):
        add_server(browser, where)
        browser.click("Trust this once")
        browser.see("can’t verify: older release", "#tree")
        browser.see("big", "main h1")
        assert "Enabled" not in browser.text("main")
