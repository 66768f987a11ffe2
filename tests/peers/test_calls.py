"""What members ask of one another: only members, only when current, and only to whom it is due."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from daemons import Host, alike, run, running, until
from pooltrust.command.client import Reported
from pooltrust.errors import CannotContactHost, CannotVerify, Failure, NotAccepted
from pooltrust.host.peers import wire
from pooltrust.host.peers.server import Request
from pooltrust.pki.mint import mint_pool_identity
from pooltrust.terms import JOIN_NAME
from pooltrust.trust.entries import CertificateAccepted, CertificateWithdrawn, HostDismissed
from pooltrust.trust.store import write_identity
from pooltrust.trust.transcript import certificate_request

from .stage import Puppet, ask, server_pin, words

Pool = Callable[..., tuple[Host, ...]]


@pytest.mark.parametrize("call", ["api", "records", "adopt", "probe"])
def test_a_member_s_calls_are_not_there_under_the_name_of_first_meetings(
    pool: Pool, call: str
) -> None:
    h1, h2, _ = pool(3)

    async def story() -> None:
        puppet = await Puppet.of(h2)
        async with running(h1), puppet.dial(h1, JOIN_NAME) as frames:
            answer = await ask(frames, call)
            assert {"refused"} == set(answer)
            assert "nobody has proved to be a member" in words(answer)

    run(story())


def test_without_a_server_name_a_member_is_a_client_like_any_other(pool: Pool) -> None:
    """It meets the server identity, and frames are no HTTP."""
    h1, h2, _ = pool(3)

    async def story() -> None:
        puppet = await Puppet.of(h2)
        async with running(h1):
            with pytest.raises(CannotVerify) as why:
                async with puppet.dial(h1, None):
                    pass
            assert "it shows no pool identity" in str(why.value)
            async with puppet.dial(h1, None, server_pin(h1)) as frames:
                with pytest.raises(Failure) as refused:
                    await ask(frames, "log", after=0)
                assert "answered in HTTP" in str(refused.value)
            assert h1.daemon.server.connections == 0

    run(story())


def test_an_unknown_call_is_refused_and_the_conversation_goes_on(pool: Pool) -> None:
    h1, h2, _ = pool(3)

    async def story() -> None:
        puppet = await Puppet.of(h2)
        async with running(h1), puppet.greeted(h1) as frames:
            assert "there is no call 'elect'" in words(await ask(frames, "elect"))
            assert "'call' is no text" in words(await ask(frames, 7))  # type: ignore[arg-type]
            assert "entries" in await ask(frames, "log", after=0)

    run(story())


# Currency.


def test_a_host_that_may_have_missed_something_answers_only_heads_and_log(pool: Pool) -> None:
    h1, h2, h3, _ = pool(4)

    async def story() -> None:
        puppet = await Puppet.of(h3)
        # Two of four, h2 and the puppet: that is not more than half.
        async with running(h2, later=[h1]), puppet.greeted(h2) as frames:
            for call in ("api", "records"):
                answer = await ask(frames, call, dump={}, name="pool.get_all")
                assert answer["refused"]["code"] == "CANNOT_CONTACT_HOST"
                assert (
                    "this host does not know whether it has missed a change of the pool: "
                    "neither its coordinator h1 nor more than half of the members"
                ) in words(answer)
            assert "entries" in await ask(frames, "log", after=0)
            nonce = wire.b64(bytes(32))
            assert "head" in await ask(frames, "adopt", entries=[], nonce=nonce)
            # Its coordinator is back, and so is it.
            await h1.start()
            answer = await ask(frames, "api", name="pool.get_all")
            assert "does not know whether" not in words(answer)

    run(story())


def test_a_host_that_may_have_missed_something_says_nothing_to_a_member_that_it_dials(
    pool: Pool,
) -> None:
    _, h2, h3, _ = pool(4)
    asked: list[wire.Frame] = []

    async def story() -> None:
        async with running(h3, h2):
            h3.daemon.server._requests = {  # type: ignore[assignment]
                name: Request(_noting(asked), always=True) for name in ("api", "records", "probe")
            }
            for call in (h2.daemon.peers.call, h2.daemon.peers.call_verified):
                with pytest.raises(CannotContactHost) as why:
                    await call(h3.me, "api")
                assert "does not know whether it has missed a change" in str(why.value)
            assert asked == []

    run(story())


def _noting(asked: list[wire.Frame]) -> Any:
    async def handle(_peer: Any, frame: wire.Frame) -> wire.Frame:
        asked.append(frame)
        return {}

    return handle


# Withdrawals.


def test_a_dismissed_host_gets_its_answer_and_no_other(pool: Pool) -> None:
    h1, h2, h3 = pool(3)

    async def story() -> None:
        puppet = await Puppet.of(h3)
        async with running(h1, h2), puppet.greeted(h1) as idle, puppet.greeted(h1) as busy:
            begun, go = asyncio.Event(), asyncio.Event()

            async def slow(_peer: Any, _frame: wire.Frame) -> wire.Frame:
                begun.set()
                await go.wait()
                return {"done": True}

            h1.daemon.server._requests["slow"] = Request(slow)  # type: ignore[index]
            await busy.send({"call": "slow"})
            await busy.send({"call": "log", "after": 0})
            await begun.wait()
            body = HostDismissed(puppet.me, "stolen")
            await h1.daemon.scribe.append(body, by="root", call="pool.eject")
            # The idle connection is closed at once.
            with pytest.raises(Failure):
                await ask(idle, "log", after=0)
            # The busy one has its current request answered and nothing after it.
            go.set()
            assert await busy.receive(2) == {"done": True}
            with pytest.raises(Failure):
                await busy.receive(2)
            await until(lambda: h1.daemon.server.connections == 0)
            for host in (h1, h2):
                with pytest.raises(NotAccepted) as why:
                    async with puppet.greeted(host) as again:
                        await ask(again, "log", after=0)
                assert "it refused our certificate" in str(why.value)

    run(story())


def test_a_withdrawn_certificate_ends_its_connections_and_not_those_of_the_newer_one(
    pool: Pool,
) -> None:
    h1, h2, h3 = pool(3)

    async def story() -> None:
        puppet = await Puppet.of(h3)
        old = puppet.belief.identities.pool
        async with running(h1, h2):
            now = h1.daemon.context.now()
            new = mint_pool_identity(puppet.me, now)
            path = h3.folder.identity("pool", new.certificate.thumbprint)
            write_identity(path, new)
            replaces, der = old.identity.certificate.thumbprint, new.certificate.der
            asked = certificate_request(h1.roster.pool, puppet.me, der, replaces)
            signed = old.identity.sign(asked), new.sign(asked)
            accept = CertificateAccepted(puppet.me, der, replaces, *signed)
            await h1.daemon.scribe.append(accept, by="root", call="refresh")
            async with puppet.greeted(h1) as before, puppet.greeted(h1, identity=path) as after:
                assert "entries" in await ask(before, "log", after=0)
                withdraw = CertificateWithdrawn(puppet.me, replaces, "refreshed")
                await h1.daemon.scribe.append(withdraw, by="root", call="refresh")
                with pytest.raises(Failure):
                    await ask(before, "log", after=0)
                assert "entries" in await ask(after, "log", after=0)

    run(story())


# Who hears what.


def test_a_call_made_at_a_supporter_runs_on_the_coordinator_and_fails_exactly_as_there(
    pool: Pool,
) -> None:
    h1, h2, _ = pool(3)

    async def story() -> None:
        async with running(h1, h2):
            (ref,) = await h2.ask("pool.get_all")
            await h2.ask("pool.set_name_label", ref, "the heronry")
            assert await h1.ask("pool.get_name_label", ref) == "the heronry"
            await until(lambda: alike(h1, h2))
            assert await h2.ask("pool.get_name_label", ref) == "the heronry"
            for call, arguments in (
                ("pooltrust.get_log", (-1,)),
                ("pool.set_name_label", ("OpaqueRef:none", "x" * 5000)),
                ("pooltrust.get_log", (0, 10**6)),
            ):
                ends = []
                for host in (h1, h2):
                    with pytest.raises(Reported) as why:
                        await host.ask(call, *arguments)
                    ends.append((why.value.code, why.value.parameters()))
                assert ends[0] == ends[1]
                assert ends[0][0] in ("INVALID_VALUE", "HANDLE_INVALID")
                assert ends[0][1]

    run(story())


def test_records_reach_every_member_and_only_from_the_coordinator(pool: Pool) -> None:
    h1, h2, h3 = pool(3)

    async def story() -> None:
        puppet = await Puppet.of(h3)
        async with running(h1, h2):
            await h1.daemon.accounts.set_password("olive", "a password of hers")
            await until(lambda: alike(h1, h2))
            assert h2.daemon.accounts.names() == ["olive", "root"]
            async with puppet.greeted(h2) as frames:
                dump = (await h1.daemon.store.dump()).to_wire()
                dump["tables"]["accounts"].pop("root")
                answer = await ask(frames, "records", dump=dump)
                assert "records come from the coordinator only" in words(answer)
            assert h2.daemon.accounts.names() == ["olive", "root"]

    run(story())
