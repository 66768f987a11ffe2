"""A pool that is none of ours, in a browser: what a person has who trusted it for this once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from .browser import Browser, chromium
from .simulated import Pool, big_pool
from .stage import Console, add_server

P = TypeVar("P", bound=Pool)


@contextmanager
def trusted_once(folder: Path, pool: P) -> Iterator[tuple[Browser, P]]:
    """The browser, with its first page, and the pool."""
    console = Console(folder / "known.json")
    with big_pool(folder, pool) as (_, where), chromium() as browser:
        try:
            browser.open(console.start())
            add_server(browser, where)
            browser.click("Trust this once")
            browser.see("big", "main h1")
            yield browser, pool
        finally:
            console.stop()
