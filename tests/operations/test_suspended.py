"""An operation that can't go on says who is missing, and goes on, is resumed or is abandoned."""

from __future__ import annotations

import asyncio

import pytest

from daemons import Host, run, running
from pooltrust.command.client import Reported
from pooltrust.pool.plan.steps import Adopt, Promote

from .moments import nobody_goes_on, once_before
from .peace import keys, peace
from .stage import Pool, accepted, operations, ref, served


async def suspended(h1: Host, h2: Host) -> Reported:
    """Refresh h2, which goes away when its new identity is accepted; what h1 answers."""
    with pytest.raises(Reported) as why:
        await h1.ask("host.refresh_server_certificate", await ref(h1, h2))
    assert why.value.code == "OPERATION_SUSPENDED"
    return why.value


def test_it_says_who_is_missing_what_is_true_and_what_to_do(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    h1, h2, h3 = pool(3)
    once_before(monkeypatch, Promote, h2.stop)

    async def story() -> None:
        async with running(h1, h2, h3):
            old, subject = served(h2), h2.me
            why = await suspended(h1, h2)
            (one,) = await operations(h3)
            assert why.parameters()[0] == one["id"]
            words = str(why)
            assert words.startswith('The refresh of h2 stopped at "promote": h2 does not answer')
            assert "Every member still believes h2." in words
            assert f"Resume: xe operation-resume uuid={one['id']}" in words
            assert f"Undo: xe operation-abandon uuid={one['id']}" in words
            assert (one["state"], one["phase"]) == ("suspended", "promote")
            assert one["may_abandon"] == "true"
            assert all(old in host.roster.expect(subject).accepted for host in (h1, h3))

    run(story(), 60)


def test_it_goes_on_by_itself_when_the_host_is_back(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    hosts = h1, h2, _ = pool(3)
    once_before(monkeypatch, Promote, h2.stop)

    async def story() -> None:
        async with running(*hosts):
            old = served(h2)
            await suspended(h1, h2)
            await h2.start()
            await peace(*hosts)
            assert served(h2) != old
            assert [one["state"] for one in await operations(h1)] == ["done"]

    run(story(), 120)


def test_it_is_resumed_by_a_call_at_once(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    hosts = h1, h2, h3 = pool(3)
    once_before(monkeypatch, Promote, h2.stop)
    nobody_goes_on(monkeypatch)

    async def story() -> None:
        async with running(*hosts):
            known = (await suspended(h1, h2)).parameters()[0]
            with pytest.raises(Reported) as why:
                await h1.ask("pooltrust.resume_operation", known)
            assert why.value.code == "OPERATION_SUSPENDED"
            await h2.start()
            said = await h3.ask("pooltrust.resume_operation", known)
            assert said == "The refresh of h2 is done."
            await peace(*hosts)
            with pytest.raises(Reported) as why:
                await h1.ask("pooltrust.resume_operation", known)
            assert why.value.code == "NO_SUCH_OPERATION"

    run(story(), 120)


@pytest.mark.parametrize("there", [True, False], ids=["there", "away"])
def test_abandoned_nothing_is_left_of_the_new_identity_anywhere(
    pool: Pool, monkeypatch: pytest.MonkeyPatch, there: bool
) -> None:
    hosts = h1, h2, _ = pool(3)
    once_before(monkeypatch, Promote, h2.stop)
    nobody_goes_on(monkeypatch)

    async def story() -> None:
        async with running(*hosts):
            old = served(h2)
            known = (await suspended(h1, h2)).parameters()[0]
            if there:
                await h2.start()
                assert len(keys(h2)) == len(accepted(h1, h2)) == 2
            said = await h1.ask("pooltrust.abandon_operation", known)
            assert said.startswith("The refresh of h2 was taken back.")
            if not there:
                assert said.endswith("Left to be done by h2 on return.")
                await h2.start()
            await peace(*hosts)
            assert served(h2) == old
            assert keys(h2) == {old}
            (one,) = await operations(h1)
            assert (one["state"], one["may_abandon"]) == ("abandoned", "false")

    run(story(), 120)


def test_after_its_point_of_no_return_it_is_too_late(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    hosts = h1, h2, h3 = pool(3)
    nobody_goes_on(monkeypatch)

    async def lost_after_the_withdrawal() -> None:
        once_before(monkeypatch, Adopt, both_stop)

    async def both_stop() -> None:
        await asyncio.gather(h2.stop(), h3.stop())

    once_before(monkeypatch, Promote, lost_after_the_withdrawal)

    async def story() -> None:
        async with running(*hosts):
            why = await suspended(h1, h2)
            known = why.parameters()[0]
            assert "h3 does not answer" in str(why)
            assert "Undo" not in str(why)
            with pytest.raises(Reported) as late:
                await h1.ask("pooltrust.abandon_operation", known)
            assert late.value.code == "TOO_LATE_TO_ABANDON"
            (one,) = await operations(h1)
            assert (one["state"], one["may_abandon"]) == ("suspended", "false")
            await h2.start()
            await h3.start()
            await h1.ask("pooltrust.resume_operation", known)
            await peace(*hosts)

    run(story(), 120)
