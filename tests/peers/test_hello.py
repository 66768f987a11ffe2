"""Before the hello nobody says anything, and a hello that is not right ends the conversation."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import pytest

from daemons import Host, run, running, until
from pooltrust.errors import CannotConnect, CannotContactHost, CannotVerify, Failure
from pooltrust.host.peers import greeting, wire
from pooltrust.tls.frames import Frames
from pooltrust.trust.heads import Head, sign_head

from .stage import Ear, Puppet, altered, ask, frames_in, instead_of, saying, words

Pool = Callable[..., tuple[Host, ...]]


def test_a_member_that_is_dialled_hears_a_hello_and_nothing_more_before_it_said_its_own(
    pool: Pool, quick_hello: float
) -> None:
    h1, h2, _ = pool(3)
    heard = bytearray()

    async def story() -> None:
        puppet = await Puppet.of(h2)
        path = puppet.belief.identities.pool.path
        async with running(h1), instead_of(h2, path, lambda _: Ear(heard)):
            peers = h1.daemon.peers
            for asking in (
                peers.call(puppet.me, "api"),
                peers.call_verified(puppet.me, "records", dump={"a": "secret"}),
            ):
                heard.clear()
                with pytest.raises(CannotContactHost) as why:
                    await asking
                assert "h2" in str(why.value) and "no hello" in str(why.value)
                # It dials again and again by itself, because it may have missed something.
                said = frames_in(bytes(heard))
                assert said and all(frame.pop("nonce") for frame in said)
                life = asdict(h1.daemon.belief.life)
                hello = {"hello": 1, "pool": h1.roster.pool, "host": h1.me, "expect": puppet.me}
                hello["life"] = life
                assert [hello] * len(said) == said

    run(story())


@pytest.mark.parametrize("half_way", [False, True], ids=["no hello", "no head"])
def test_a_verified_member_that_never_says_its_hello_is_told_nothing_and_is_cut_off(
    pool: Pool, quick_hello: float, half_way: bool
) -> None:
    h1, h2, _ = pool(3)

    async def story() -> None:
        puppet = await Puppet.of(h2)
        async with running(h1), puppet.dial(h1) as frames:
            if half_way:
                await puppet.hello(frames, h1.me)
            since = time.monotonic()
            with pytest.raises((CannotConnect, CannotVerify)) as end:
                await frames.receive(5)
            assert "said nothing" not in str(end.value)
            assert quick_hello * 0.9 <= time.monotonic() - since < quick_hello + 2
            await until(lambda: h1.lines("member-refused"))
            (line,) = h1.lines("member-refused")
            assert line.facts["peer"] == puppet.me
            assert "it did not say its hello" in line.facts["words"]
            assert h1.daemon.server.connections == 0

    run(story())


def test_five_seconds_are_given_for_a_hello() -> None:
    assert greeting.HELLO_SECONDS == 5.0


@dataclass(frozen=True)
class Wrong:
    """A hello that is wrong in one way, and what it must be answered with."""

    changes: dict[str, str]
    expected: str
    met: str
    reason: str
    cure: str


WRONG = {
    "version": Wrong(
        {"hello": "2"},
        "version 1 of the hello",
        "version 2",
        "different versions of the pool's protocol",
        "Upgrade the older host.",
    ),
    "pool": Wrong(
        {"pool": "another"},
        "pool {pool}",
        "pool 0000000000000000…",
        "different pools",
        "xe pool-join",
    ),
    "host": Wrong(
        {"host": "h3"},
        "Expected h3 ({h3})",
        "of h2 ({h2})",
        "the certificate belongs to another member",
        "pooltrust host status",
    ),
    "nobody": Wrong(
        {"host": "nobody"},
        "Expected 99999999-",
        "of h2 ({h2})",
        "the certificate belongs to another member",
        "pooltrust host status",
    ),
    "expect": Wrong(
        {"expect": "h3"},
        "Expected h3 ({h3})",
        "met h1 ({h1})",
        "another host was wanted",
        "pooltrust host status",
    ),
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_a_hello_that_is_not_right_is_refused_with_words_and_nothing_else_is_said(
    pool: Pool, wrong: Wrong
) -> None:
    h1, h2, h3 = pool(3)

    async def story() -> None:
        puppet, third = await Puppet.of(h2), await Puppet.of(h3)
        ids = {"h1": puppet.belief.roster.coordinator, "h2": puppet.me, "h3": third.me}
        values: dict[str, Any] = {
            "2": 2,
            "another": "0" * 64,
            "nobody": "99999999-0000-4000-8000-000000000000",
            **ids,
        }
        changes = {name: values[value] for name, value in wrong.changes.items()}
        async with running(h1), puppet.dial(h1) as frames:
            answer = await puppet.hello(frames, h1.me, **changes)
            assert {"refused"} == set(answer)
            assert answer["refused"]["code"] == "SSL_VERIFY_ERROR"
            facts = {**ids, "pool": h1.roster.pool[:16]}
            for part in (wrong.expected, wrong.met, wrong.reason, wrong.cure):
                assert part.format_map(facts) in words(answer)
            with pytest.raises(Failure):
                await frames.receive(2)
            await until(lambda: h1.lines("member-refused"))
            assert h1.lines("member-refused")[0].facts["words"] == words(answer)

    run(story())


def forged_heads(puppet: Puppet, nonce: bytes) -> dict[str, tuple[wire.Frame, str]]:
    """Heads that are not to be believed, by what is wrong with them."""
    good = puppet.head(nonce)
    other = puppet.belief.identities.server.identity
    own = wire.head({"head": good}).head
    signer = other.certificate.thumbprint
    mine = sign_head(Head(own.pool, own.number, own.hash, nonce, puppet.me, signer), other)
    return {
        "replayed": (puppet.head(bytes(32)), "it answers another question"),
        "altered": (altered(good, number=own.number + 1), "its signature is not valid"),
        "another key": (wire.head_content(mine), "is not accepted from"),
        "another pool": (altered(good, pool="0" * 64), "it is another pool's"),
        "not a head": ({**good, "payload": "{}"}, "its log head is not to be trusted"),
    }


HEADS = ["replayed", "altered", "another key", "another pool", "not a head"]


@pytest.mark.parametrize("how", HEADS)
def test_a_caller_whose_head_is_not_to_be_believed_is_told_so_and_gets_no_answer(
    pool: Pool, how: str
) -> None:
    h1, h2, _ = pool(3)

    async def story() -> None:
        puppet = await Puppet.of(h2)
        async with running(h1), puppet.dial(h1) as frames:
            answer = await puppet.hello(frames, h1.me)
            head, why = forged_heads(puppet, wire.nonce(answer))[how]
            await frames.send({"head": head})
            refused = await ask(frames, "log", after=0)
            assert refused["refused"]["code"] == "SSL_VERIFY_ERROR"
            for part in (why, "Expected a head signed by h2", "pooltrust log verify"):
                assert part in words(refused)
            with pytest.raises(Failure):
                await frames.receive(2)
            assert not h1.daemon.sightings.holders(1) - {h1.me}

    run(story())


@pytest.mark.parametrize("how", HEADS)
def test_a_member_whose_head_is_not_to_be_believed_hears_nothing_after_the_hello(
    pool: Pool, how: str
) -> None:
    h1, h2, _ = pool(3)
    heard: list[list[wire.Frame]] = []

    async def story() -> None:
        puppet = await Puppet.of(h2)

        async def serve(frames: Frames) -> None:
            hello = await frames.receive(5)
            heard.append([hello])
            if "hello" not in hello:
                return
            here = heard[-1]
            head, _ = forged_heads(puppet, wire.nonce(hello))[how]
            await frames.send({"hello": 1, "nonce": wire.b64(bytes(32)), "head": head})
            while True:
                here.append(await frames.receive(5))

        path = puppet.belief.identities.pool.path
        async with running(h1), instead_of(h2, path, saying(serve)):
            with pytest.raises(CannotVerify) as why:
                await h1.daemon.peers.call(puppet.me, "log", after=0)
            _, reason = forged_heads(puppet, bytes(32))[how]
            assert reason in str(why.value)
            assert "Expected a head signed by h2" in str(why.value)
            await asyncio.sleep(0.05)
            # Beside that it only asks, under the name of first meetings, what it missed.
            assert {frames[0].get("call", "hello") for frames in heard} <= {"hello", "knock"}
            assert {len(frames) for frames in heard} == {1}
            assert not h1.daemon.sightings.holders(1) - {h1.me}

    run(story())


def test_a_head_of_another_member_does_not_speak_for_the_caller(pool: Pool) -> None:
    h1, h2, h3 = pool(3)

    async def story() -> None:
        puppet, third = await Puppet.of(h2), await Puppet.of(h3)
        async with running(h1), puppet.dial(h1) as frames:
            answer = await puppet.hello(frames, h1.me)
            await frames.send({"head": third.head(wire.nonce(answer))})
            refused = await ask(frames, "log", after=0)
            assert "it speaks for another host" in words(refused)
            assert not h1.daemon.sightings.holders(1) - {h1.me}

    run(story())


def test_a_call_in_the_place_of_the_head_is_not_answered(pool: Pool) -> None:
    h1, h2, _ = pool(3)

    async def story() -> None:
        puppet = await Puppet.of(h2)
        async with running(h1), puppet.dial(h1) as frames:
            await puppet.hello(frames, h1.me)
            await frames.send({"call": "log", "after": 0})
            with pytest.raises(Failure):
                while "entries" not in await frames.receive(2):
                    pass

    run(story())


def test_a_call_in_the_place_of_the_hello_is_not_answered(pool: Pool) -> None:
    h1, h2, _ = pool(3)

    async def story() -> None:
        puppet = await Puppet.of(h2)
        async with running(h1), puppet.dial(h1) as frames:
            await frames.send({"call": "log", "after": 0})
            with pytest.raises(Failure):
                while "entries" not in await frames.receive(2):
                    pass

    run(story())


def test_a_right_hello_is_answered_and_gets_the_log(pool: Pool) -> None:
    """The control: all of the above differ from this in one thing only."""
    h1, h2, _ = pool(3)

    async def story() -> None:
        puppet = await Puppet.of(h2)
        async with running(h1), puppet.greeted(h1) as frames:
            answer = await ask(frames, "log", after=0)
            assert list(h1.daemon.belief.log.entries) == wire.entries(answer)
            assert {h1.me, puppet.me} == h1.daemon.sightings.holders(1)

    run(story())
