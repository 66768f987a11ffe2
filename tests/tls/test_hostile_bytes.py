"""Hostile and half-hearted peers cost little, get nothing, and are reported in words."""

from __future__ import annotations

import asyncio
import errno
import resource
import socket
import ssl
import time
from contextlib import suppress

import pytest

from pooltrust.tls.answer import Listener
from pooltrust.tls.clienthello import ServerName
from pooltrust.tls.handshake import FAREWELL_SECONDS
from pooltrust.tls.peek import Limits, Peek, Share

from .stage import (
    Cast,
    Player,
    Spot,
    answering,
    ask,
    client_hello,
    faces,
    in_records,
    lax_client,
    refused,
)

QUICK = Limits(peek_seconds=0.3, handshake_seconds=0.3)


async def closed(reader: asyncio.StreamReader) -> bytes:
    """Everything that comes until the connection ends."""
    try:
        async with asyncio.timeout(5):
            return await reader.read()
    except ConnectionError:
        return b""


async def idle(spot: Spot) -> None:
    """Wait until nobody is connected: nothing was forgotten."""
    assert spot.listener is not None
    async with asyncio.timeout(5):
        while spot.listener.connections:
            await asyncio.sleep(0.005)


async def handshake_by_hand(port: int, cut, name: str = "pool-join") -> asyncio.StreamWriter:
    """Complete a handshake whose first flight is sent in the pieces that `cut` makes of it.

    Nothing is read or closed afterwards.
    """
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = lax_client().wrap_bio(incoming, outgoing, server_hostname=name)
    first = True
    while True:
        try:
            tls.do_handshake()
        except ssl.SSLWantReadError:
            flight = outgoing.read()
            for piece in cut(flight) if first else [flight]:
                writer.write(piece)
                await writer.drain()
                if first:
                    await asyncio.sleep(0.005)
            first = False
            incoming.write(await reader.read(65536))
        else:
            break
    writer.write(outgoing.read())
    await writer.drain()
    return writer


async def arrived(spot: Spot, count: int) -> None:
    """Wait for so many handshakes."""
    async with asyncio.timeout(5):
        while len(spot.arrivals) < count:
            await asyncio.sleep(0.005)


def test_a_hello_in_several_packets_is_waited_for(run, cast: Cast) -> None:
    def pieces(flight: bytes) -> list[bytes]:
        return [flight[:1], flight[1:5], flight[5:6], flight[6:200], flight[200:-1], flight[-1:]]

    async def story() -> None:
        async with answering(faces(cast)) as spot:
            writer = await handshake_by_hand(spot.port, pieces)
            await arrived(spot, 1)
            writer.close()

    run(story())


@pytest.mark.parametrize("size", [17, 100, 400])
def test_a_hello_in_several_records_is_put_together(run, cast: Cast, size) -> None:
    def at_once(flight: bytes) -> list[bytes]:
        return [in_records(flight, size)]

    def apart(flight: bytes) -> list[bytes]:
        cut = in_records(flight, size)
        return [cut[: size + 7], cut[size + 7 :]]

    async def story() -> None:
        async with answering(faces(cast)) as spot:
            writers = [await handshake_by_hand(spot.port, cut) for cut in (at_once, apart)]
            await arrived(spot, 2)
            for writer in writers:
                writer.close()
            assert [a.name for a, _ in spot.arrivals] == ["pool-join"] * 2

    run(story())


@pytest.mark.parametrize("close_half", [False, True])
def test_half_a_hello_costs_no_cpu(run, cast: Cast, close_half) -> None:
    hello = client_hello("pool")

    async def story() -> None:
        async with answering(faces(cast), limits=Limits(peek_seconds=0.6)) as spot:
            peers = []
            for n in range(50):
                reader, writer = await asyncio.open_connection("127.0.0.1", spot.port)
                writer.write(hello[: 1 + n * 5])
                if close_half:
                    writer.write_eof()
                peers.append((reader, writer))
            await asyncio.sleep(0.1)
            before = time.process_time()
            await asyncio.sleep(0.4)
            assert time.process_time() - before < 0.04
            assert [await closed(reader) for reader, _ in peers] == [b""] * 50
            await idle(spot)
            reason = "closed" if close_half else "late"
            assert {reason} == {refusal.reason for refusal in spot.refusals}
            assert len(spot.refusals) == 50

    run(story())


def test_a_byte_now_and_then_does_not_put_off_the_end(run, cast: Cast) -> None:
    hello = client_hello("pool")

    async def story() -> None:
        async with answering(faces(cast), limits=QUICK) as spot:
            reader, writer = await asyncio.open_connection("127.0.0.1", spot.port)
            began = time.monotonic()
            ended = asyncio.ensure_future(closed(reader))
            for byte in hello:
                if ended.done():
                    break
                writer.write(bytes([byte]))
                await asyncio.sleep(0.02)
            assert await ended == b""
            assert 0.2 < time.monotonic() - began < 1
            assert "did not send a whole ClientHello in time" in (await spot.refusal()).words
            writer.close()
            await idle(spot)

    run(story())


def test_a_handshake_that_stops_half_way_is_given_up(run, cast: Cast) -> None:
    async def story() -> None:
        async with answering(faces(cast), limits=QUICK) as spot:
            reader, writer = await asyncio.open_connection("127.0.0.1", spot.port)
            writer.write(client_hello("pool"))
            await closed(reader)
            assert (await spot.refusal()).reason == "handshake timeout"
            writer.close()
            await idle(spot)

    run(story())


def test_a_refused_peer_that_stays_is_cut_off(run, cast: Cast) -> None:
    async def story() -> None:
        async with answering(faces(cast)) as spot:
            writer = await handshake_by_hand(spot.port, lambda flight: [flight], "pool")
            began = time.monotonic()
            assert (await spot.refusal()).reason == "no certificate"
            assert time.monotonic() - began < 2
            await idle(spot)
            writer.transport.abort()

    run(story())


def test_a_refused_peer_that_goes_on_talking_is_cut_off(run, cast: Cast) -> None:
    async def story() -> None:
        async with answering(faces(cast)) as spot:
            writer = await handshake_by_hand(spot.port, lambda flight: [flight], "pool")
            began = time.monotonic()
            with pytest.raises((OSError, RuntimeError)):
                while time.monotonic() - began < 5:
                    writer.write(bytes(65536))
                    await writer.drain()
                    await asyncio.sleep(0.001)
            assert (await spot.refusal()).reason == "no certificate"
            assert time.monotonic() - began < FAREWELL_SECONDS / 2
            await idle(spot)
            assert spot.decrypted == b""
            writer.transport.abort()

    run(story())


def test_plain_http_is_told_to_speak_tls(run, cast: Cast) -> None:
    async def story() -> None:
        async with answering(faces(cast)) as spot:
            for request in (
                b"GET / HTTP/1.1\r\nHost: h1\r\n\r\n",
                b"POST / HTTP/1.0\r\nContent-Length: 40000\r\n\r\n" + b"password" * 5000,
            ):
                reader, writer = await asyncio.open_connection("127.0.0.1", spot.port)
                writer.write(request)
                answer = await closed(reader)
                head, _, body = answer.partition(b"\r\n\r\n")
                assert head.startswith(b"HTTP/1.1 400 Bad Request\r\n")
                assert body == b"This port speaks TLS: use https instead of http.\n"
                writer.close()
            assert (await spot.refusal()).reason == "plain HTTP"
            await idle(spot)
            assert spot.decrypted == b"" and spot.arrivals == []

    run(story())


def test_plain_http_without_an_end_is_cut_off(run, cast: Cast) -> None:
    async def story() -> None:
        async with answering(faces(cast)) as spot:
            _, writer = await asyncio.open_connection("127.0.0.1", spot.port)
            writer.write(b"POST / HTTP/1.1\r\n\r\n")
            with pytest.raises(OSError):
                while True:
                    writer.write(bytes(65536))
                    await writer.drain()
            await idle(spot)

    run(story())


@pytest.mark.parametrize("start", [b"", b"\x16\x03\x01\x40\x00", b"\x16\x03\x01\x02\x00\x01\x00"])
def test_sixteen_megabytes_of_noise_are_not_read(run, cast: Cast, start) -> None:
    noise = bytes(range(1, 256)) * 257

    async def story() -> None:
        async with answering(faces(cast)) as spot:
            before = time.process_time()
            _, writer = await asyncio.open_connection("127.0.0.1", spot.port)
            sent = 0
            with pytest.raises((OSError, RuntimeError)):
                writer.write(start)
                while sent < 16 * 2**20:
                    writer.write(noise)
                    await writer.drain()
                    sent += len(noise)
                await asyncio.sleep(0.1)
                await writer.drain()
            assert time.process_time() - before < 1
            await spot.refusal()
            await idle(spot)
            assert spot.decrypted == b"" and spot.arrivals == []
            assert not await refused(spot.port, None)
            writer.transport.abort()

    run(story())


async def silent(spot: Spot, address: str, count: int) -> list[asyncio.StreamWriter]:
    """So many connections from there that say nothing."""
    how = {"local_addr": (address, 0)}
    opened = [await asyncio.open_connection("127.0.0.1", spot.port, **how) for _ in range(count)]
    return [writer for _, writer in opened]


async def settled(
    spot: Spot, address: str, count: int, name: str = "h1", show: Player | None = None
) -> list[asyncio.StreamWriter]:
    """So many connections from there that have shaken hands and stay; fewer if refused."""
    opened = []
    for _ in range(count):
        with suppress(OSError):
            reader, writer = await asyncio.open_connection(
                "127.0.0.1", spot.port, local_addr=(address, 0), ssl=lax_client(show),
                server_hostname=name,
            )  # fmt: skip
            writer.write(b"hi")
            if await reader.read(100):
                opened.append(writer)
            else:
                writer.transport.abort()
    return opened


async def gone(spot: Spot, *writers: asyncio.StreamWriter) -> None:
    """Hang up, and see every place given back."""
    for writer in writers:
        writer.transport.abort()
    await idle(spot)


def test_half_open_the_newcomer_wins_and_the_oldest_goes(run, cast: Cast) -> None:
    async def story() -> None:
        limits = Limits(half_open=Share(20, 5))
        async with answering(faces(cast, cast.b), limits=limits) as spot:
            flood = []
            for n in range(1, 5):  # the last of each take the place of the first
                flood += await silent(spot, f"127.0.1.{n}", 8)
            await asyncio.sleep(0.05)
            assert spot.listener is not None and spot.listener.connections == 20
            assert {"crowded out"} == {refusal.reason for refusal in spot.refusals}
            assert len(spot.refusals) == 12
            assert await settled(spot, "127.0.0.3", 1, "pool", cast.b)  # from anywhere
            assert await settled(spot, "127.0.1.2", 1, "pool", cast.b)  # even from a greedy one
            assert len(spot.refusals) == 14
            assert await asyncio.wait_for(flood_end(spot, flood), 5)

    async def flood_end(spot: Spot, flood: list[asyncio.StreamWriter]) -> bool:
        for writer in flood:
            writer.transport.abort()
        assert spot.listener is not None
        while spot.listener.connections > 2:
            await asyncio.sleep(0.005)
        return True

    run(story())


def test_a_handshake_that_is_crowded_out_is_cut_off(run, cast: Cast) -> None:
    async def story() -> None:
        async with answering(faces(cast), limits=Limits(half_open=Share(3, 3))) as spot:
            half = [await asyncio.open_connection("127.0.0.1", spot.port) for _ in range(3)]
            for reader, writer in half:
                writer.write(client_hello("h1"))
                assert await reader.read(5)  # the handshake has begun
            more = await silent(spot, "127.0.0.5", 3)
            for reader, _ in half:
                await closed(reader)
            assert [refusal.reason for refusal in spot.refusals] == ["crowded out"] * 3
            await gone(spot, *more, *(writer for _, writer in half))

    run(story())


def test_strangers_take_no_place_of_a_member(run, cast: Cast) -> None:
    async def story() -> None:
        limits = Limits(half_open=Share(4, 2), strangers=Share(4, 3), members=Share(2, 2))
        async with answering(faces(cast, cast.b), limits=limits) as spot:
            strangers = await settled(spot, "127.0.1.1", 5)
            strangers += await settled(spot, "127.0.1.2", 1, "pool-join")
            strangers += await settled(spot, "127.0.1.3", 2, "pool-join")
            assert len(strangers) == 4
            assert [r.reason for r in spot.refusals] == ["too many connections"] * 4
            quiet = [w for n in range(4, 8) for w in await silent(spot, f"127.0.1.{n}", 4)]
            members = await settled(spot, "127.0.0.3", 3, "pool", cast.b)
            assert len(members) == 2
            assert spot.refusals[-1].reason == "too many connections"
            assert len(spot.arrivals) == 6  # nobody else's protocol was told of a connection
            await gone(spot, *strangers, *quiet, *members)

    run(story())


def test_live_connections_are_counted_until_they_close(run, cast: Cast) -> None:
    async def story() -> None:
        limits = Limits(strangers=Share(100, 3))
        async with answering(faces(cast), limits=limits) as spot:
            for _ in range(3):  # places are given back
                live = await settled(spot, "127.0.0.1", 4)
                assert len(live) == 3
                for writer in live:
                    writer.close()
                    await writer.wait_closed()
                await idle(spot)

    run(story())


def test_a_wake_up_for_nothing_is_no_farewell(uv, cast: Cast) -> None:
    hello = client_hello("h1")
    outcomes: list[object] = []

    async def story() -> None:
        ours, theirs = socket.socketpair()
        with ours, theirs:
            ours.setblocking(False)
            peek = Peek(ours, 5, outcomes.append)
            theirs.send(hello[:100])
            peek.start()
            peek._readable()
            assert outcomes == []
            theirs.send(hello[100:])
            peek._readable()
            assert outcomes == [ServerName("h1")]

    uv(story())


def test_without_descriptors_it_waits_instead_of_spinning(uv, cast: Cast) -> None:
    async def story() -> None:
        async with answering(faces(cast)) as spot:
            await ask(spot.port, None)
            await idle(spot)
            client = socket.socket()
            client.setblocking(False)
            soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
            resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
            try:
                await asyncio.get_running_loop().sock_connect(client, ("127.0.0.1", spot.port))
                before = time.process_time()
                await asyncio.sleep(0.7)
                assert time.process_time() - before < 0.05
            finally:
                resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
            refusal = await spot.refusal()
            assert refusal.reason == "can't accept"
            assert "this program has too many open files" in refusal.words
            assert len(spot.refusals) <= 3
            client.close()
            await asyncio.sleep(0.6)
            assert not await refused(spot.port, None)

    uv(story())


def test_closing_drops_what_is_half_open_and_frees_the_port(run, cast: Cast) -> None:
    async def story() -> None:
        async with answering(faces(cast)) as spot:
            half = await asyncio.open_connection("127.0.0.1", spot.port)
            half[1].write(client_hello("pool")[:50])
            stuck = await asyncio.open_connection("127.0.0.1", spot.port)
            stuck[1].write(client_hello("pool"))
            live = await asyncio.open_connection(
                "127.0.0.1", spot.port, ssl=lax_client(), server_hostname="h1"
            )
            await asyncio.sleep(0.05)
            assert spot.listener is not None
            await spot.listener.close()
            for reader, writer in (half, stuck):
                await closed(reader)
                writer.close()
            live[1].write(b"still there")
            assert await live[0].read(100) == b"heard still there"
            again = await Listener.open(
                "127.0.0.1", spot.port, lambda: faces(cast), lambda _: asyncio.Protocol(),
                refused=lambda _: None,
            )  # fmt: skip
            await again.close()
            live[1].close()

    run(story())


def test_a_port_that_is_taken_is_named(uv, cast: Cast) -> None:
    from pooltrust.errors import CannotListen

    async def story() -> None:
        async with answering(faces(cast)) as spot:
            with pytest.raises(CannotListen, match="port is taken") as caught:
                await Listener.open(
                    "127.0.0.1", spot.port, lambda: faces(cast), lambda _: asyncio.Protocol(),
                    refused=lambda _: None,
                )  # fmt: skip
            assert caught.value.parameters()[:2] == ["127.0.0.1", str(spot.port)]
            assert isinstance(caught.value.__cause__, OSError)
            assert caught.value.__cause__.errno == errno.EADDRINUSE

    uv(story())
