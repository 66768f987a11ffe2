"""A pool that claims to be one of ours and answers nonsense: every page says so in words, and none is stuck."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from pooltrust.console.speaking.shapes import SHAPES

from .browser import Browser
from .foreign import trusted_once
from .simulated import METHODS, Pool

pytestmark = pytest.mark.needs("chromium", "node", "npm")

PAGES = ("general", "certificates", "map", "history", "trusted", "members", "users", "tasks")
NONSENSE = ({"order": 3}, [{}])
"""One that is refused, and one that is brought to its form; test_shapes.py has the others."""
OURS = [one for one in SHAPES if one.startswith("pooltrust.")] + ["pooltrust.get_log"]


class Nonsense(Pool):
    """Whatever only our own hosts have is answered with this."""

    answer_with: Any = None

    def methods(self) -> list[str]:
        return [*METHODS, *OURS]

    async def _result(self, method: str, parameters: list[Any]) -> Any:
        if method in OURS or method == "pool.crl_list":
            return self.answer_with
        return await super()._result(method, parameters)


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Browser, Nonsense]]:
    with trusted_once(tmp_path_factory.mktemp("odd"), Nonsense()) as shown:
        yield shown


@pytest.mark.parametrize("nonsense", NONSENSE, ids=[str(n) for n in range(len(NONSENSE))])
def test_nonsense_ends_in_words_on_every_page(odd: tuple[Browser, Nonsense], nonsense: Any):
    browser, odd[1].answer_with = odd[0], nonsense
    pool = browser.run("document.querySelector('#tree a').hash.split('/').slice(0, 2).join('/')")
    browser.run(f"location.hash = '{pool}/pool/general'")
    browser.see("big", "main h1")
    browser.run("location.reload()")
    browser.see("Certificate Verification", "main")
    for page in (*(f"pool/{one}" for one in PAGES), "host/uuid-0/general"):
        browser.run(f"location.hash = '{pool}/{page}'")
        browser.wait("document.querySelector('main h1') && !document.querySelector('main .busy')")
        assert "can’t be shown" not in browser.text("main"), page
    for names in (
        ("Certificates", "Refresh pool-internal identity…"),
        ("Certificates", "Export PEM"),
    ):
        browser.menu("Server", *names)
        browser.wait("!document.querySelector('dialog[open] .busy')")
        browser.run("document.querySelector('dialog').close()")
    assert browser.complaints() == []
