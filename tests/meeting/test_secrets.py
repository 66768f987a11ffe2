"""No secret crosses the first meeting: somebody in between sees none, and gains nothing."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import Callable, Iterable
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from daemons import PASSWORD, Host, alike, run, running, tree, until
from pooltrust.command.client import Reported
from pooltrust.pool.code import JoinCode
from pooltrust.tls.answer import Arrival, Faces, Listener
from pooltrust.tls.contexts import join_context

from .stage import BETWEEN, Middle, Wire

New = Callable[..., Host]


def spellings(secret: bytes) -> set[bytes]:
    """A secret as it might be written somewhere."""
    written = {
        secret,
        secret.hex().encode(),
        secret.hex().upper().encode(),
        base64.b64encode(secret).rstrip(b"="),
        base64.urlsafe_b64encode(secret).rstrip(b"="),
        base64.b32encode(secret).rstrip(b"="),
    }
    # In base64 of something longer the same bytes look differently at each offset.
    for before in (1, 2):
        inside = base64.b64encode(bytes(before) + secret)[4:].rstrip(b"=")[:-1]
        written.add(inside)
    return written


def secrets_of_password(host: Host) -> list[bytes]:
    """The password and everything from which somebody could log in or pose as the coordinator."""
    verifier = host.daemon.accounts.verifier("root")
    password = PASSWORD.encode()
    salted = hashlib.pbkdf2_hmac("sha256", password, verifier.salt, verifier.iterations)
    return [password, salted, verifier.stored_key, verifier.server_key]


def secrets_of_code(code: JoinCode) -> list[bytes]:
    key = HKDF(SHA256(), 32, salt=None, info=b"pooltrust join code").derive(code.secret)
    return [code.secret, key, code.text().encode()]


def leaked(recorded: bytes, secrets: Iterable[bytes]) -> list[bytes]:
    return [text for secret in secrets for text in spellings(secret) if text in recorded]


def test_the_search_for_secrets_finds_them_in_every_spelling() -> None:
    secret = bytes(range(200, 216))
    for text in (
        secret,
        secret.hex().encode(),
        base64.b64encode(b"x" + secret),
        base64.b64encode(b"xy" + secret + b"z"),
        base64.b64encode(b"xyz" + secret),
        base64.urlsafe_b64encode(secret),
    ):
        assert leaked(b"before" + text + b"after", [secret])
    assert not leaked(b"before and after" * 10, [secret])


def test_a_tapped_wire_carries_no_secret_of_a_join_that_works(new: New) -> None:
    h1, h2, h3 = new("h1"), new("h2"), new("h3")

    async def story() -> None:
        async with running(h1, h2, h3), Wire(h1).open() as tap:
            code = replace(await h1.code(), addresses=(BETWEEN,))
            await h2.join_with(code)
            await h3.join(h1, BETWEEN)
            await until(lambda: alike(h1, h2) and alike(h1, h3))
            recorded = bytes(tap.kept["up"] + tap.kept["down"])
            assert len(recorded) > 10_000
            assert leaked(recorded, secrets_of_code(code) + secrets_of_password(h1)) == []

    run(story())


@pytest.mark.parametrize("active", [False, True])
def test_a_man_in_the_middle_neither_sees_the_password_nor_lets_a_host_join(
    new: New, tmp_path: Path, active: bool
) -> None:
    h1, h2 = new("h1"), new("h2")

    async def story() -> None:
        async with running(h1, h2), Middle(tmp_path, h1, active=active).open() as middle:
            before = tree(h1), tree(h2)
            with pytest.raises(Reported) as failed:
                await h2.join(h1, BETWEEN)
            assert failed.value.code == "SSL_VERIFY_ERROR"
            words = str(failed.value)
            assert "in between" in words or "sit between" in words
            # The joiner shows whom it met: not the coordinator.
            (met,) = h2.lines("first-meeting")
            assert str(middle.thumbprint) == met.facts["met"]
            assert middle.overheard(b'"scram"')
            # An active one gets as far as the joiner's proof, and it is for another meeting.
            assert middle.overheard(b'"prove"') is active
            assert ("for another meeting than this one" in words) is active
            assert leaked(b"".join(middle.heard), secrets_of_password(h1)) == []
            assert not middle.overheard(b'"log"')
            assert before == (tree(h1), tree(h2))

    run(story())


def test_a_coordinator_that_does_not_sign_the_meeting_is_given_no_proof(
    new: New, tmp_path: Path
) -> None:
    h1, h2 = new("h1"), new("h2")

    async def story() -> None:
        async with running(h1, h2), AsyncExitStack() as stack:
            middle = Middle(tmp_path, h1, active=True, signs=False)
            await stack.enter_async_context(middle.open())
            before = tree(h1), tree(h2)
            code = replace(await h1.code(), addresses=(BETWEEN,), thumbprint=middle.thumbprint)
            for join in (h2.join(h1, BETWEEN), h2.join_with(code)):
                with pytest.raises(Reported) as failed:
                    await join
                assert "did not prove that it holds its certificate's key" in str(failed.value)
            assert not middle.overheard(b'"prove"')
            assert before == (tree(h1), tree(h2))

    run(story())


def test_a_man_in_the_middle_of_a_join_by_code_hears_nothing_at_all(
    new: New, tmp_path: Path
) -> None:
    h1, h2 = new("h1"), new("h2")

    async def story() -> None:
        async with running(h1, h2), Middle(tmp_path, h1, active=True).open() as middle:
            code = replace(await h1.code(), addresses=(BETWEEN,))
            before = tree(h1), tree(h2)
            with pytest.raises(Reported) as failed:
                await h2.join_with(code)
            assert failed.value.code == "SSL_VERIFY_ERROR"
            assert f"the holder of certificate {code.thumbprint}" in str(failed.value)
            assert f"met certificate {middle.thumbprint}" in str(failed.value)
            assert middle.heard == []
            assert before == (tree(h1), tree(h2))

    run(story())


@pytest.mark.parametrize("active", [False, True])
def test_even_a_man_in_the_middle_whom_the_code_names_learns_no_secret(
    new: New, tmp_path: Path, active: bool
) -> None:
    """Should somebody alter the thumbprint in a code, the secret still protects itself."""
    h1, h2 = new("h1"), new("h2")

    async def story() -> None:
        async with running(h1, h2), Middle(tmp_path, h1, active=active).open() as middle:
            real = await h1.code()
            code = replace(real, addresses=(BETWEEN,), thumbprint=middle.thumbprint)
            before = tree(h1), tree(h2)
            with pytest.raises(Reported) as failed:
                await h2.join_with(code)
            assert failed.value.code == "SSL_VERIFY_ERROR"
            if active:
                assert "does not know the secret of the join code" in str(failed.value)
            assert middle.overheard(b'"introduce"')
            # The coordinator proves itself first, so the joiner's proof was never made.
            assert not middle.overheard(b'"prove"')
            assert leaked(b"".join(middle.heard), secrets_of_code(real)) == []
            assert before == (tree(h1), tree(h2))
            # Nothing was held against the code.
            await h2.join_with(real)

    run(story())


def test_a_joiner_says_nothing_to_another_certificate_than_the_one_it_looked_at(
    new: New, tmp_path: Path
) -> None:
    h1, h2 = new("h1"), new("h2")
    heard = bytearray()
    arrivals: list[Arrival] = []

    class Ear(asyncio.Protocol):
        def __init__(self, arrival: Arrival) -> None:
            arrivals.append(arrival)

        def data_received(self, data: bytes) -> None:
            heard.extend(data)

    async def story() -> None:
        async with running(h1, h2):
            one, other = Middle(tmp_path, h1), Middle(tmp_path / "other", h1)
            contexts = iter([join_context(one.path), join_context(other.path)])

            def next_face() -> Faces:
                context = next(contexts)
                return Faces(context, context, context)

            before = tree(h2)
            port = h1.config.port
            listener = await Listener.open(BETWEEN, port, next_face, Ear, refused=lambda _: None)
            with pytest.raises(Reported) as failed:
                await h2.join(h1, BETWEEN)
            await listener.close()
            assert [a.asked for a in arrivals] == ["pool-join", "pool-join"]
            assert heard == b""
            assert failed.value.code == "SSL_VERIFY_ERROR"
            assert f"Expected the holder of certificate {one.thumbprint}" in str(failed.value)
            assert f"met certificate {other.thumbprint}" in str(failed.value)
            assert before == tree(h2)

    run(story())
