"""A join is shown before anything is said to the pool, with everything that stands against it."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from daemons import Host, run, running, tree
from pooltrust.command.client import Reported

from .stage import Pool, served


def test_a_join_shows_whom_it_would_meet_and_changes_nothing(
    pool: Pool, new: Callable[..., Host]
) -> None:
    (h1,), h2 = pool(1), new("h2")

    async def story() -> None:
        async with running(h1, h2):
            before = tree(h1), tree(h2)
            plan = json.loads(await h2.ask("pooltrust.get_join_plan", h1.config.address))
            assert plan["title"] == "the join of h2 to the pool of h1"
            assert str(served(h1)) in plan["order"][0]["steps"][0]
            assert [line["name"] for line in plan["order"] if line["final"]] == ["admit"]
            assert plan["blockers"] == []
            assert (tree(h1), tree(h2)) == before

    run(story())


def test_everything_that_stands_against_it_is_named_at_once(
    pool: Pool, new: Callable[..., Host]
) -> None:
    (h1, _), h2 = pool(2), new("h3", verification_at_founding=False)

    async def story() -> None:
        async with running(h1, h2):
            plan = json.loads(await h2.ask("pooltrust.get_join_plan", h1.config.address))
            (blocker,) = plan["blockers"]
            assert "the joining host h3" in blocker["words"]
            assert "xe pool-enable-tls-verification" in blocker["words"]

    run(story())


def test_a_member_of_a_pool_has_no_join_to_plan(pool: Pool) -> None:
    h1, h2 = pool(2)

    async def story() -> None:
        async with running(h1, h2):
            with pytest.raises(Reported) as why:
                await h2.ask("pooltrust.get_join_plan", h1.config.address)
            assert why.value.code == "OPERATION_NOT_ALLOWED"

    run(story())
