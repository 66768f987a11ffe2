"""One port, three faces: the server name decides, and no rule of one face leaks into another."""

from __future__ import annotations

import ssl
import uuid
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from pooltrust.pki.mint import mint_pool_identity
from pooltrust.terms import host_id
from pooltrust.tls.contexts import (
    join_context,
    loadable,
    meeting_context,
    naming_context,
    pool_context,
    server_context,
)

from .stage import (
    Cast,
    Player,
    answering,
    ask,
    faces,
    leaf_signed_by,
    refused,
    s_client,
    unloadable,
)

pytestmark = pytest.mark.needs("openssl")

ROUTES = [
    ("pool", "pool", "a"),
    ("POOL", "pool", "a"),
    ("xapi:pool", "pool", "a"),
    ("Xapi:Pool", "pool", "a"),
    ("pool-join", "pool-join", "a"),
    ("Pool-Join", "pool-join", "a"),
    ("pool.example", None, "server"),
    ("h1.example", None, "server"),
    (None, None, "server"),
]


@pytest.mark.parametrize(("asked", "name", "shown"), ROUTES)
def test_the_server_name_decides_who_is_met(uv, cast: Cast, asked, name, shown) -> None:
    async def story() -> None:
        async with answering(faces(cast, cast.b)) as spot:
            met, answer = await ask(spot.port, asked, cast.b)
            assert (getattr(cast, shown).der, b"heard secret") == (met, answer)
            arrival, certificate = spot.arrivals[0]
            assert (name, asked and asked.lower()) == (arrival.name, arrival.asked)
            assert (cast.b.der if name == "pool" else None) == certificate

    uv(story())


@pytest.mark.parametrize(
    ("asked", "show", "admitted"),
    [
        ("pool", "b", True),
        ("pool", "stranger", False),
        ("pool", None, False),
        ("xapi:pool", None, False),
        ("pool-join", "b", True),
        ("pool-join", "stranger", True),
        ("pool-join", None, True),
        ("h1.example", "b", True),
        ("h1.example", "stranger", True),
        ("h1.example", None, True),
        (None, "stranger", True),
        (None, None, True),
    ],
)
def test_each_name_has_its_own_rule_about_certificates(run, cast: Cast, asked, show, admitted):
    async def story() -> None:
        async with answering(faces(cast, cast.b)) as spot:
            player = getattr(cast, show) if show else None
            for _ in range(2):
                assert admitted != await refused(spot.port, asked, player)
            assert (b"secretsecret" if admitted else b"") == spot.decrypted

    run(story())


def test_rules_do_not_leak_between_connections_made_at_once(run, cast: Cast) -> None:
    import asyncio

    async def story() -> None:
        async with answering(faces(cast, cast.b)) as spot:
            seen = await asyncio.gather(
                *(
                    refused(spot.port, name)
                    for _ in range(10)
                    for name in ("pool", "pool-join", None)
                )
            )
            assert seen == [True, False, False] * 10

    run(story())


def test_only_the_pool_face_asks_for_a_certificate_and_none_offers_names(uv, cast: Cast) -> None:
    async def story() -> None:
        async with answering(faces(cast, cast.b)) as spot:
            for name, asks in [("pool", True), ("pool-join", False), ("other", False)]:
                _, output = await s_client(spot.port, "-servername", name, say=b"hi\n")
                assert "No client certificate CA names sent" in output
                assert asks == ("Requested Signature Algorithms" in output or "alert" in output)

    uv(story())


def test_openssl_meets_the_server_identity_without_a_name_and_the_pool_identity_under_pool(
    uv, cast: Cast
) -> None:
    async def story() -> None:
        async with answering(faces(cast, cast.b)) as spot:
            _, output = await s_client(spot.port, "-noservername")
            assert "CN = h1.example" in output
            shown = ("-servername", "pool", "-cert", str(cast.b.path), "-key", str(cast.b.path))
            _, output = await s_client(spot.port, *shown, say=b"hi\n")
            assert f"CN = {cast.a.identity.certificate.common_name}" in output
            assert "heard hi" in output

    uv(story())


def test_openssl_is_told_why_it_is_refused_under_pool(uv, cast: Cast) -> None:
    async def story() -> None:
        async with answering(faces(cast, cast.b)) as spot:
            _, output = await s_client(spot.port, "-servername", "pool", say=b"hi\n")
            assert "alert certificate required" in output
            rogue = ("-cert", str(cast.stranger.path), "-key", str(cast.stranger.path))
            _, output = await s_client(spot.port, "-servername", "pool", *rogue, say=b"hi\n")
            assert "alert unknown ca" in output
            assert spot.decrypted == b""

    uv(story())


@pytest.mark.parametrize("cipher", ["ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-AES256-GCM-SHA384"])
def test_what_the_original_xe_offers_works_on_the_server_identity(uv, cast: Cast, cipher) -> None:
    async def story() -> None:
        async with answering(faces(cast, cast.b)) as spot:
            xe = ("-tls1_2", "-cipher", cipher, "-curves", "P-384")
            _, output = await s_client(spot.port, *xe, say=b"hi\n")
            assert f"Cipher is {cipher}" in output and "ECDH, secp384r1, 384 bits" in output
            assert "heard hi" in output

    uv(story())


@pytest.mark.parametrize("name", ["pool", "pool-join"])
def test_tls_1_2_is_refused_with_the_pool_identity(uv, cast: Cast, name) -> None:
    async def story() -> None:
        async with answering(faces(cast, cast.b)) as spot:
            with pytest.raises(ssl.SSLError, match="PROTOCOL_VERSION"):
                await ask(spot.port, name, cast.b, newest=False)
            assert (await spot.refusal()).reason == "protocol version"
            assert spot.decrypted == b""

    uv(story())


def test_no_face_gives_session_tickets(uv, cast: Cast) -> None:
    """No client of ours resumes, and a member's session must not outlive its withdrawal."""

    async def story() -> None:
        async with answering(faces(cast, cast.b)) as spot:
            show = ("-tls1_3", "-cert", str(cast.b.path), "-key", str(cast.b.path))
            for name in ("pool", "pool-join", "h1.example"):
                _, output = await s_client(spot.port, "-servername", name, *show, say=b"hi\n")
                assert "heard hi" in output
                assert "Session Ticket arrived" not in output, name

    uv(story())


def test_no_context_renegotiates(cast: Cast) -> None:
    pool = pool_context(cast.a.path, [cast.b.der])
    answers = [server_context(cast.server.path), pool, join_context(cast.a.path)]
    dials = [meeting_context(None, newest_only=False), naming_context((), None)]
    for context in (*answers, *dials):
        assert ssl.OP_NO_RENEGOTIATION & context.options


def test_two_identities_of_one_host_are_accepted_at_once(run, cast: Cast) -> None:
    async def story() -> None:
        for order in [(cast.a, cast.a_new), (cast.a_new, cast.a)]:
            async with answering(faces(cast, *order, pool=cast.b)) as spot:
                for player in order:
                    assert not await refused(spot.port, "pool", player)
                assert [cast_member.der for cast_member in order] == [c for _, c in spot.arrivals]

    run(story())


def test_even_two_certificates_of_one_subject_are_both_accepted(uv, cast: Cast) -> None:
    async def story() -> None:
        # Ours never share a subject; OpenSSL, which looks anchors up by it, copes all the same.
        for order in [(cast.b, cast.impostor_of_b), (cast.impostor_of_b, cast.b)]:
            async with answering(faces(cast, *order)) as spot:
                for player in order:
                    assert not await refused(spot.port, "pool", player)

    uv(story())


def test_a_host_without_a_pool_identity_says_so_and_serves_clients(uv, cast: Cast) -> None:
    from dataclasses import replace

    async def story() -> None:
        async with answering(replace(faces(cast), pool=None, join=None)) as spot:
            assert await refused(spot.port, "pool", cast.b)
            assert "serves no pool identity yet" in (await spot.refusal()).words
            assert not await refused(spot.port, None)

    uv(story())


def test_a_roster_that_accepts_nobody_refuses_everybody(uv, cast: Cast) -> None:
    async def story() -> None:
        async with answering(faces(cast)) as spot:
            for player in (cast.a, cast.b, cast.server, None):
                assert await refused(spot.port, "pool", player)

    uv(story())


def test_the_last_of_many_members_gets_in_like_the_first(uv, cast: Cast) -> None:
    now = datetime.now(UTC)
    many = [mint_pool_identity(host_id(str(uuid.uuid4())), now).certificate.der for _ in range(37)]

    async def story() -> None:
        for accepted in ([cast.b.der, *many], [*many, cast.b.der]):
            served = replace(faces(cast), pool=pool_context(cast.a.path, accepted))
            async with answering(served) as spot:
                assert not await refused(spot.port, "pool", cast.b)
                assert await refused(spot.port, "pool", cast.stranger)

    uv(story())


def test_a_certificate_that_openssl_cannot_load_keeps_nobody_else_out(uv, cast: Cast) -> None:
    now = datetime.now(UTC)
    many = [mint_pool_identity(host_id(str(uuid.uuid4())), now).certificate.der for _ in range(20)]
    poison = unloadable(cast.stranger.identity)
    assert (loadable(poison), loadable(cast.b.der)) == (False, True)

    async def story() -> None:
        context = pool_context(cast.a.path, [poison, *many, cast.b.der])
        assert (poison,) == context.left_out
        assert context.cert_store_stats()["x509"] == 21
        async with answering(replace(faces(cast), pool=context)) as spot:
            assert not await refused(spot.port, "pool", cast.b)
            assert await refused(spot.port, "pool", cast.stranger)

    uv(story())


def test_whom_a_member_s_certificate_certifies_is_no_member(run, cast: Cast, tmp_path) -> None:
    """OpenSSL may take a certificate that our rules call none for an authority."""
    leaf = leaf_signed_by(cast.authority.identity, cast.b.identity)

    async def story() -> None:
        served = faces(cast, cast.b, cast.authority)
        path = tmp_path / "leaf.pem"
        path.write_bytes(leaf.pem())
        async with answering(served) as spot:
            assert await refused(spot.port, "pool", Player(path, leaf))
            assert not await refused(spot.port, "pool", cast.authority)
            assert not await refused(spot.port, "pool", cast.b)
            assert (await spot.refusal()).reason == "unknown certificate"
            assert [cast.authority.der, cast.b.der] == [shown for _, shown in spot.arrivals]
            assert spot.decrypted == b"secretsecret"

    run(story())
