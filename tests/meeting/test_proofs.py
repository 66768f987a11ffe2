"""Wrong proofs: what each costs, and what the joiner is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import pytest

from daemons import PASSWORD, Host, run, running, tree
from pooltrust.command.client import Reported
from pooltrust.errors import SessionAuthenticationFailed
from pooltrust.host.accounts.scram import ScramClient
from pooltrust.host.meeting.facts import facts_content
from pooltrust.host.peers import wire
from pooltrust.pki.mint import mint_pool_identity
from pooltrust.terms import Thumbprint
from pooltrust.trust.transcript import statement

from .stage import ELSEWHERE, Stranger, stranger

New = Callable[..., Host]


def code_of(answer: wire.Frame) -> str:
    return str(answer["refused"]["code"])


# Codes.


async def refused(joiner: Host, join: Callable[[], object], code: str) -> str:
    """The words with which a join is refused with this error; the joiner has not changed."""
    before = tree(joiner)
    with pytest.raises(Reported) as why:
        await join()  # type: ignore[misc]
    assert code == why.value.code
    assert before == tree(joiner)
    return str(why.value)


def test_each_reason_why_a_code_is_void_has_its_own_error(new: New) -> None:
    h1, h2, h3 = new("h1"), new("h2"), new("h3")

    async def story() -> None:
        async with running(h1, h2, h3):
            used, expired, locked, stale = [await h1.code() for _ in range(4)]
            ledger = h1.daemon.codes
            await h2.join_with(used)
            ledger.add(replace(expired, expires=expired.expires - timedelta(days=1)), h1.me)
            for _ in range(5):
                ledger.proved_badly(locked.id)
            ledger.add(replace(stale, thumbprint=Thumbprint(bytes(32))), h1.me)
            for code, error in (
                (used, "JOIN_CODE_USED"),
                (expired, "JOIN_CODE_EXPIRED"),
                (locked, "JOIN_CODE_LOCKED"),
                (stale, "JOIN_CODE_STALE"),
                (replace(used, id="nobody-made-it"), "JOIN_CODE_UNKNOWN"),
            ):
                words = await refused(h3, lambda code=code: h3.join_with(code), error)  # type: ignore[misc]
                assert "xe pool-join-code-create" in words

    run(story())


def test_codes_do_not_outlive_the_daemon_that_made_them(new: New) -> None:
    h1, h2 = new("h1"), new("h2")

    async def story() -> None:
        async with running(h1, h2):
            code = await h1.code()
            await h1.restart()
            await refused(h2, lambda: h2.join_with(code), "JOIN_CODE_UNKNOWN")

    run(story())


def test_a_code_is_void_when_its_coordinator_serves_another_identity(new: New) -> None:
    """The joiner does not even speak to it: it is not whom the code names."""
    h1, h2 = new("h1"), new("h2")

    async def story() -> None:
        async with running(h1, h2):
            code = await h1.code()
            another = replace(code, thumbprint=Thumbprint(bytes(32)))
            words = await refused(h2, lambda: h2.join_with(another), "SSL_VERIFY_ERROR")
            assert f"Expected the holder of certificate {another.thumbprint}" in words
            assert f"met certificate {code.thumbprint}" in words

    run(story())


def test_a_code_with_a_wrong_secret_admits_nobody_and_is_not_used_up_by_it(new: New) -> None:
    h1, h2 = new("h1"), new("h2")

    async def story() -> None:
        async with running(h1, h2):
            code = await h1.code()
            before = tree(h1)
            wrong = replace(code, secret=bytes(16))
            words = await refused(h2, lambda: h2.join_with(wrong), "SSL_VERIFY_ERROR")
            # The coordinator proves itself first: the joiner finds out before it gives a proof.
            assert "does not know the secret of the join code" in words
            assert before == tree(h1)
            await h2.join_with(code)

    run(story())


def test_five_wrong_proofs_void_a_code_and_its_error_says_so(new: New) -> None:
    h1, h2 = new("h1"), new("h2")

    async def story() -> None:
        async with running(h1, h2):
            code = await h1.code()
            before = tree(h1)
            for _ in range(5):
                async with stranger(h1) as guesser:
                    await guesser.meet(way="code", code=code.id)
                    await guesser.introduce()
                    assert (
                        code_of(await guesser.prove(bytes(16))) == "SESSION_AUTHENTICATION_FAILED"
                    )
            words = await refused(h2, lambda: h2.join_with(code), "JOIN_CODE_LOCKED")
            assert "five wrong proofs" in words
            assert before == tree(h1)

    run(story())


def test_open_meetings_give_no_more_than_five_guesses_at_a_code(new: New) -> None:
    h1 = new("h1")

    async def story() -> None:
        async with running(h1):
            code = await h1.code()
            async with guessers(h1, 7, way="code", code=code.id) as many:
                for one in many:
                    await one.introduce()
                answers = [code_of(await one.prove(bytes(16))) for one in many]
            assert answers == ["SESSION_AUTHENTICATION_FAILED"] * 5 + ["JOIN_CODE_LOCKED"] * 2

    run(story())


def test_the_right_proof_in_a_meeting_that_began_before_does_not_save_a_locked_code(
    new: New,
) -> None:
    h1 = new("h1")

    async def story() -> None:
        async with running(h1):
            code = await h1.code()
            async with stranger(h1) as early:
                await early.meet(way="code", code=code.id)
                await early.introduce()
                for _ in range(5):
                    h1.daemon.codes.proved_badly(code.id)
                assert code_of(await early.prove(code.secret)) == "JOIN_CODE_LOCKED"

    run(story())


def test_a_code_that_two_have_proved_admits_the_first_who_asks(new: New) -> None:
    h1 = new("h1")

    async def story() -> None:
        async with running(h1):
            code = await h1.code()
            async with guessers(h1, 2, way="code", code=code.id) as both:
                for one in both:
                    await one.introduce()
                    assert "refused" not in await one.prove(code.secret)
                first, second = await asyncio.gather(*(one.ask("admit", after=0) for one in both))
                assert "entries" in first
                assert code_of(second) == "JOIN_CODE_USED"
            assert len(h1.roster.members) == 2

    run(story())


def test_a_code_is_good_again_if_its_host_could_not_be_admitted(new: New) -> None:
    h1, h2 = new("h1"), new("h2")

    async def story() -> None:
        async with running(h1, h2):
            code = await h1.code()
            async with stranger(h1) as joiner:
                # The log refuses whoever does not understand its entries.
                kinds = (*joiner.facts.kinds[1:], "zzz")
                await joiner.called(kinds=tuple(sorted(kinds))).meet(way="code", code=code.id)
                await joiner.introduce()
                await joiner.prove(code.secret)
                answer = await joiner.ask("admit", after=0)
                assert code_of(answer) == "OPERATION_NOT_ALLOWED"
            await h2.join_with(code)

    run(story())


# Passwords.


def test_a_wrong_password_and_an_unknown_user_are_refused_alike(new: New) -> None:
    h1, h2 = new("h1"), new("h2")

    async def story() -> None:
        async with running(h1, h2):
            before = tree(h1)
            for user, password in (("root", "wrong"), ("nobody", PASSWORD)):
                words = await refused(
                    h2,
                    lambda user=user, password=password: h2.ask(  # type: ignore[misc]
                        "pool.join", h1.config.address, user, password
                    ),
                    "SESSION_AUTHENTICATION_FAILED",
                )
                assert "Check the user name and the password." in words
            assert before == tree(h1)

    run(story())


def test_wrong_passwords_in_meetings_count_for_the_origin_like_logins(new: New) -> None:
    h1, h2 = new("h1"), new("h2")

    async def story() -> None:
        async with running(h1, h2):
            wrong = replace(h1, password="wrong")
            for _ in range(5):
                await refused(h2, lambda: h2.join(wrong), "SESSION_AUTHENTICATION_FAILED")
            # Now the right one has to wait as well, in a meeting and at a login.
            words = await refused(h2, lambda: h2.join(h1), "SESSION_AUTHENTICATION_FAILED")
            assert "Too many wrong passwords came from this address" in words
            with pytest.raises(SessionAuthenticationFailed) as waiting:
                await h1.daemon.logins.login("root", PASSWORD, h2.config.address)
            assert "try again in" in str(waiting.value)
            # Others need not.
            await h1.daemon.logins.login("root", PASSWORD, "127.0.7.5")

    run(story())


def test_open_meetings_give_no_more_guesses_at_a_password(new: New) -> None:
    h1 = new("h1")

    async def story() -> None:
        async with running(h1):
            async with guessers(h1, 8, way="password") as many:
                finals = []
                for number, one in enumerate(many):
                    # The last one has the right password.
                    guess = PASSWORD if number == 7 else f"guess {number}"
                    scram = ScramClient("root", guess, one.agreed)
                    answer = await one.introduce(scram=scram.first())
                    finals.append(await scram.final(answer["scram"]))
                answers = [
                    await one.ask("prove", scram=final)
                    for one, final in zip(many, finals, strict=True)
                ]
            wrong, late = answers[:5], answers[5:]
            assert all("incorrect" in one["refused"]["parameters"][1] for one in wrong)
            assert all("Too many wrong" in one["refused"]["parameters"][1] for one in late)

    run(story())


# Whoever keeps to no order.


@asynccontextmanager
async def guessers(to: Host, count: int, **way: str) -> AsyncIterator[list[Stranger]]:
    """Several meetings that have begun, all from one origin."""
    async with AsyncExitStack() as stack:
        many = [await stack.enter_async_context(stranger(to)) for _ in range(count)]
        for one in many:
            await one.meet(**way)
        yield many


def test_nothing_is_said_before_the_proof_but_public_facts(new: New) -> None:
    h1 = new("h1")

    async def story() -> None:
        async with running(h1):
            code = await h1.code()
            for begun in range(3):
                for early in ("log", "admit", "prove"):
                    if begun == 2 and early == "prove":
                        continue
                    async with stranger(h1) as joiner:
                        if begun > 0:
                            await joiner.meet(way="code", code=code.id)
                        if begun > 1:
                            await joiner.introduce()
                        proof = wire.b64(bytes(32))
                        answer = await joiner.ask(early, after=0, proof=proof)
                        assert {"refused"} == set(answer)
                        assert code_of(answer) == "PEER_PROTOCOL_ERROR"
            async with stranger(h1) as joiner:
                answer = await joiner.ask("facts")
                assert answer["facts"]["host"] == h1.me

    run(story())


@pytest.mark.parametrize("call", ["api", "records", "adopt", "probe", "hello", ""])
def test_what_members_may_ask_is_not_there_for_strangers(new: New, call: str) -> None:
    h1 = new("h1")

    async def story() -> None:
        async with running(h1), stranger(h1) as joiner:
            answer = await joiner.ask(call)
            assert {"refused"} == set(answer)
            assert "nobody has proved to be a member" in answer["refused"]["words"]

    run(story())


def test_a_second_meeting_on_one_connection_does_not_inherit_the_proof_of_the_first(
    new: New,
) -> None:
    h1 = new("h1")

    async def story() -> None:
        async with running(h1):
            code = await h1.code()
            async with stranger(h1) as joiner:
                await joiner.meet(way="code", code=code.id)
                await joiner.introduce()
                await joiner.prove(code.secret)
                assert code_of(await joiner.meet(way="password")) == "PEER_PROTOCOL_ERROR"
            assert len(h1.roster.members) == 1

    run(story())


def test_a_joiner_must_hold_the_key_of_the_certificate_that_it_brings(new: New) -> None:
    h1 = new("h1")

    async def story() -> None:
        async with running(h1):
            code = await h1.code()
            for part in ("signature", "certificate", "facts"):
                async with stranger(h1) as joiner:
                    await joiner.meet(way="code", code=code.id)
                    joiner.agree()
                    other = mint_pool_identity(
                        joiner.facts.host, joiner.identity.certificate.not_before
                    )
                    signed = other.sign(statement("joiner", joiner.agreed))
                    false = {
                        "signature": wire.b64(signed),
                        "certificate": wire.b64(other.certificate.der),
                        # Another's name with one's own key.
                        "facts": {**facts_content(joiner.facts), "host": h1.me},
                    }
                    answer = await joiner.introduce(**{part: false[part]})
                    assert code_of(answer) == "SSL_VERIFY_ERROR"
                    words = answer["refused"]["words"]
                    assert "did not prove that it holds its certificate's key" in words
            assert len(h1.roster.members) == 1

    run(story())


def test_facts_that_the_log_could_not_hold_are_refused_and_break_nothing(new: New) -> None:
    h1, h2 = new("h1"), new("h2")

    async def story() -> None:
        async with running(h1, h2):
            code = await h1.code()
            before = tree(h1)
            kinds = tuple(sorted(h1.roster.members[h1.me].kinds, reverse=True))
            for facts in ({"name": "a\x1b[2J"}, {"address": ""}, {"kinds": kinds}):
                async with stranger(h1) as joiner:
                    await joiner.called(**facts).meet(way="code", code=code.id)
                    await joiner.introduce()
                    await joiner.prove(code.secret)
                    assert code_of(await joiner.ask("admit", after=0)) == "PEER_PROTOCOL_ERROR"
            assert before == tree(h1)
            await h2.join_with(code)

    run(story())


def test_what_was_refused_is_in_the_journal_with_its_origin(new: New) -> None:
    h1 = new("h1")

    async def story() -> None:
        async with running(h1):
            async with stranger(h1) as joiner:
                await joiner.meet(way="code", code="nobody-made-it")
            (line,) = h1.lines("meeting-refused")
            assert (line.facts["peer"], line.facts["reason"]) == (ELSEWHERE, "JOIN_CODE_UNKNOWN")

    run(story())
