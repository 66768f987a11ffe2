"""Whoever is not expected is refused, in words, before one byte is said: dialling and answering."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import UTC, datetime

import pytest

from pooltrust.errors import CannotConnect, CannotVerify
from pooltrust.pki.expiry import Validity, validity
from pooltrust.terms import JOIN_NAME, POOL_NAME
from pooltrust.tls.contexts import join_context
from pooltrust.tls.dial import Connection, dial
from pooltrust.tls.frames import open_frames
from pooltrust.trust.expect import Anyone, Pinned, Server

from .conftest import A, B
from .stage import Cast, Player, Spot, answering, faces, member, refused, s_client

LOOK = Anyone(because="a test looks around")


async def say(connection: Connection) -> bytes:
    """Send a secret to whom was met."""
    connection.writer.write(b"secret")
    answer = await connection.reader.read(100)
    await connection.close()
    return answer


async def dialled(spot: Spot, cast: Cast, **how) -> Connection:
    how = {"name": POOL_NAME, "identity": cast.b.path, "source": "127.0.0.3"} | how
    return await dial("127.0.0.1", spot.port, **how)


# Dialling.


def test_the_expected_member_is_met_and_proves_itself_both_ways(run, cast: Cast) -> None:
    async def story() -> None:
        async with answering(faces(cast, cast.b)) as spot:
            for accepted in [(cast.a,), (cast.a, cast.a_new), (cast.a_new, cast.a)]:
                connection = await dialled(spot, cast, expect=member(A, *accepted))
                assert (cast.a.der, "TLSv1.3") == (connection.met.der, connection.tls_version)
                assert await say(connection) == b"heard secret"
            arrival, certificate = spot.arrivals[0]
            assert (cast.b.der, "127.0.0.3") == (certificate, arrival.address)

    run(story())


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        ("stranger", "it is the certificate of another host, cccccccc-"),
        ("a", "it is the certificate of another host, aaaaaaaa-"),
        ("impostor_of_b", "the roster does not accept this certificate"),
        ("b_signed_by_a", "the roster does not accept this certificate"),
        ("server", "no pool identity"),
    ],
)
def test_a_dial_of_one_member_refuses_everybody_else(run, cast: Cast, answers, reason) -> None:
    async def story() -> None:
        other: Player = getattr(cast, answers)
        # The worst case: it trusts us, and would take whatever we say.
        async with answering(faces(cast, cast.b, pool=other)) as spot:
            expect = member(B, cast.b)
            with pytest.raises(CannotVerify) as caught:
                await say(await dialled(spot, cast, expect=expect))
            why = caught.value
            assert str(expect) == why.expected
            assert why.certificate == other.thumbprint
            assert str(other.thumbprint) in why.met
            assert other.identity.certificate.subject in why.met
            assert reason in why.reason
            assert why.remedy
            await asyncio.sleep(0.02)
            assert spot.decrypted == b""

    run(story())


def test_a_dial_that_lost_its_server_name_refuses_the_server_identity(run, cast: Cast) -> None:
    async def story() -> None:
        async with answering(faces(cast, cast.b)) as spot:
            with pytest.raises(CannotVerify, match="the TLS server name was lost"):
                await say(await dialled(spot, cast, expect=member(A, cast.a), name=None))
            assert spot.decrypted == b""

    run(story())


@pytest.mark.parametrize(
    ("player", "words"), [("expired", "expired on"), ("early", "not valid before")]
)
def test_a_pinned_certificate_s_dates_are_an_alert_unless_they_are_checked(
    run, cast: Cast, player, words
) -> None:
    async def story() -> None:
        pinned: Player = getattr(cast, player)
        async with answering(faces(cast, cast.b, pool=pinned)) as spot:
            for expect in (member(A, pinned), Pinned(pinned.thumbprint)):
                connection = await dialled(spot, cast, expect=expect)
                assert validity(connection.met, datetime.now(UTC)) is not Validity.VALID
                assert await say(connection) == b"heard secret"
            spot.decrypted.clear()
            with pytest.raises(CannotVerify, match=words):
                await say(await dialled(spot, cast, expect=member(A, pinned), check_dates=True))
            assert spot.decrypted == b""

    run(story())


def test_whoever_is_not_pinned_is_refused(run, cast: Cast) -> None:
    async def story() -> None:
        async with answering(faces(cast)) as spot:
            joining = {"name": JOIN_NAME, "identity": None}
            met = await dialled(spot, cast, expect=Pinned(cast.a.thumbprint), **joining)
            assert await say(met) == b"heard secret"
            spot.decrypted.clear()
            with pytest.raises(CannotVerify, match="another certificate"):
                await say(
                    await dialled(spot, cast, expect=Pinned(cast.a_new.thumbprint), **joining)
                )
            assert spot.decrypted == b""

    run(story())


def test_anyone_learns_whom_it_met(run, cast: Cast) -> None:
    async def story() -> None:
        async with answering(faces(cast)) as spot:
            connection = await dialled(spot, cast, expect=LOOK, name=JOIN_NAME, identity=None)
            assert cast.a.thumbprint == connection.met.thumbprint
            await connection.close()

    run(story())


def test_pool_names_are_never_dialled_with_less_than_tls_1_3(uv, cast: Cast) -> None:
    async def story() -> None:
        old = join_context(cast.a.path)
        old.minimum_version = old.maximum_version = (
            0x0303  # TLS 1.2, as somebody between could have it
        )
        async with answering(lambda: faces_of(old)) as spot:
            for name in (POOL_NAME, JOIN_NAME):
                with pytest.raises(CannotVerify, match="no version of TLS in common"):
                    await dialled(spot, cast, expect=Pinned(cast.a.thumbprint), name=name)
            connection = await dialled(spot, cast, expect=Pinned(cast.a.thumbprint), name="h1")
            assert connection.tls_version == "TLSv1.2"
            await connection.close()

    def faces_of(context):
        from pooltrust.tls.answer import Faces

        return Faces(context, context, context)

    uv(story())


# Servers with a name.


def test_a_server_is_met_by_chain_and_name(run, cast: Cast) -> None:
    async def story() -> None:
        async with answering(faces(cast)) as spot:
            for name in ("h1.example", "127.0.0.1"):
                expect = Server(name, (cast.stranger.der, cast.server.der))
                connection = await dialled(spot, cast, expect=expect, name=None, identity=None)
                assert cast.server.der == connection.met.der
                await connection.close()

    run(story())


@pytest.mark.parametrize(
    ("name", "anchor", "shown", "reason"),
    [
        ("h2.example", "server", "server", "for other names"),
        ("127.0.0.9", "server", "server", "for other names"),
        ("h1.example", "server_new", "server", "not issued by anybody trusted"),
        ("h1.example", None, "server", "not issued by anybody trusted"),
        ("h1.example", "server_expired", "server_expired", "has expired"),
    ],
)
def test_a_server_that_does_not_fit_is_named_with_the_reason(
    uv, cast: Cast, name, anchor, shown, reason
) -> None:
    from dataclasses import replace

    from pooltrust.tls.contexts import server_context

    async def story() -> None:
        player: Player = getattr(cast, shown)
        served = replace(faces(cast), server=server_context(player.path))
        async with answering(served) as spot:
            anchors = (getattr(cast, anchor).der,) if anchor else ()
            with pytest.raises(CannotVerify) as caught:
                await dialled(spot, cast, expect=Server(name, anchors), name=None, identity=None)
            assert reason in caught.value.reason and caught.value.remedy
            assert f"a server certified as {name}" == caught.value.expected
            assert str(player.thumbprint) in caught.value.met
            assert spot.decrypted == b""

    uv(story())


def test_a_verdict_stands_when_the_second_look_hangs(run, cast: Cast, monkeypatch) -> None:
    monkeypatch.setattr("pooltrust.tls.dial.LOOK_SECONDS", 0.2)

    async def story() -> None:
        async with answering(faces(cast)) as spot:
            there: list[asyncio.StreamWriter] = []

            async def once(reader, writer) -> None:
                there.append(writer)
                if len(there) > 1:
                    return  # says nothing, and stays
                onward = await asyncio.open_connection("127.0.0.1", spot.port)
                await asyncio.gather(pump(reader, onward[1]), pump(onward[0], writer))

            between = await asyncio.start_server(once, "127.0.0.1", 0)
            port = between.sockets[0].getsockname()[1]
            with pytest.raises(CannotVerify, match="for other names") as caught:
                expect = Server("h2.example", (cast.server.der,))
                await dial("127.0.0.1", port, expect=expect, name=None, deadline=1)
            assert (caught.value.met, len(there)) == ("nobody", 2)
            between.close()
            for writer in there:
                writer.transport.abort()

    async def pump(reader, writer) -> None:
        with suppress(OSError):
            while data := await reader.read(65536):
                writer.write(data)
        writer.transport.abort()

    run(story())


def test_a_server_is_asked_for_by_the_name_that_is_checked(uv, cast: Cast) -> None:
    async def story() -> None:
        with pytest.raises(ValueError, match="asked for by that name"):
            await dial("127.0.0.1", 1, expect=Server("h1.example", ()), name="pool")

    uv(story())


# Nobody there.


def test_nobody_there_is_no_question_of_trust(run, cast: Cast, free_port) -> None:
    async def story() -> None:
        with pytest.raises(CannotConnect, match="nothing listens there"):
            await dial("127.0.0.1", free_port("127.0.0.1"), expect=member(A, cast.a), name="pool")
        with pytest.raises(CannotConnect, match="no such address"):
            await dial("127.0.0.1", 9, expect=LOOK, name=None, source="192.0.2.1")

    run(story())


def test_the_deadline_covers_the_whole_dial(run, cast: Cast) -> None:
    async def story() -> None:
        kept: list[object] = []  # what nobody keeps is closed, since Python 3.13
        silent = await asyncio.start_server(lambda *two: kept.append(two), "127.0.0.1", 0)
        port = silent.sockets[0].getsockname()[1]
        with pytest.raises(CannotConnect, match=r"no answer within 0\.2 s"):
            await dial("127.0.0.1", port, expect=LOOK, name=None, deadline=0.2)
        silent.close()

    run(story())


def test_a_peer_that_speaks_no_tls_is_not_believed(run, cast: Cast) -> None:
    async def chatter(_, writer) -> None:
        writer.write(b"220 mail.example ESMTP\r\n")
        await writer.drain()

    async def story() -> None:
        mail = await asyncio.start_server(chatter, "127.0.0.1", 0)
        port = mail.sockets[0].getsockname()[1]
        with pytest.raises(CannotVerify, match="does not speak TLS"):
            await dial("127.0.0.1", port, expect=member(A, cast.a), name="pool")
        mail.close()

    run(story())


def test_a_refreshed_identity_is_shown_at_the_next_dial(run, cast: Cast, tmp_path) -> None:
    async def story() -> None:
        async with answering(faces(cast, cast.a, cast.a_new, pool=cast.b)) as spot:
            path = tmp_path / "pool.pem"
            for player in (cast.a, cast.a_new, cast.a):
                fresh = tmp_path / "fresh.pem"
                fresh.write_bytes(player.identity.pem())
                fresh.rename(path)
                for _ in range(2):
                    how = {"expect": member(B, cast.b), "identity": path}
                    assert await say(await dialled(spot, cast, **how)) == b"heard secret"
                    assert player.der == spot.arrivals[-1][1]

    run(story())


# Answering.

UNKNOWN = "unknown certificate: not accepted from any member"


@pytest.mark.parametrize(
    ("show", "reason", "words"),
    [
        ("stranger", "unknown certificate", UNKNOWN),
        ("impostor_of_b", "unknown certificate", UNKNOWN),
        ("b_signed_by_a", "unknown certificate", UNKNOWN),
        ("server", "unknown certificate", UNKNOWN),
        (None, "no certificate", "it gave no certificate"),
    ],
)
def test_only_members_get_in_under_the_pool_s_name(run, cast: Cast, show, reason, words) -> None:
    async def story() -> None:
        async with answering(faces(cast, cast.a, cast.b)) as spot:
            assert await refused(spot.port, "pool", getattr(cast, show) if show else None)
            refusal = await spot.refusal()
            assert (reason, "pool", "127.0.0.1") == (refusal.reason, refusal.name, refusal.address)
            assert (
                f"refused a connection from 127.0.0.1 under the name 'pool': {words}"
                in refusal.words
            )
            assert spot.decrypted == b"" and spot.arrivals == []

    run(story())


@pytest.mark.parametrize(
    ("show", "reason"), [("expired", "expired"), ("early", "not yet valid"), ("b", None)]
)
def test_a_member_s_dates_are_looked_at_only_if_they_are_checked(run, cast: Cast, show, reason):
    async def story() -> None:
        player: Player = getattr(cast, show)
        async with answering(faces(cast, player)) as spot:
            assert not await refused(spot.port, "pool", player)
        async with answering(faces(cast, player, dates=True)) as spot:
            assert (reason is not None) == await refused(spot.port, "pool", player)
            if reason is not None:
                assert reason == (await spot.refusal()).reason
                assert spot.decrypted == b""

    run(story())


@pytest.mark.needs("openssl")
def test_a_chain_to_a_member_s_certificate_makes_no_member(uv, cast: Cast) -> None:
    async def story() -> None:
        async with answering(faces(cast, cast.a, cast.b)) as spot:
            leaf, issuer = str(cast.b_signed_by_a.path), str(cast.a.path)
            how = ("-servername", "pool", "-cert", leaf, "-key", leaf, "-cert_chain", issuer)
            _, output = await s_client(spot.port, *how, say=b"hi\n")
            assert "heard" not in output and spot.decrypted == b""
            assert (await spot.refusal()).reason == "unknown certificate"

    uv(story())


@pytest.mark.parametrize(
    ("show", "checked", "reason"),
    [
        ("stranger", False, r"it refused our certificate \(unknown to it\)"),
        ("expired", True, "it refused our certificate as expired or not yet valid"),
        (None, False, "it requires a certificate and we showed none"),
    ],
)
def test_the_refused_side_is_told_why(run, cast: Cast, show, checked, reason) -> None:
    async def story() -> None:
        async with answering(faces(cast, cast.b, cast.expired, dates=checked)) as spot:
            identity = getattr(cast, show).path if show else None
            for send_first in (False, True):
                connection = await dialled(spot, cast, expect=member(A, cast.a), identity=identity)
                frames = open_frames(connection)
                with pytest.raises(CannotVerify, match=reason) as caught:
                    if send_first:
                        await frames.send({"hello": 1})
                    await frames.receive(2)
                assert cast.a.thumbprint == caught.value.certificate
                assert str(cast.a.thumbprint) in caught.value.met and caught.value.remedy
                await frames.close()
            assert spot.decrypted == b""

    run(story())
