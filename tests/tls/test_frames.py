"""The pool wire: bounded both ways, one write per frame, and every end has its words."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager

import pytest

from pooltrust.errors import CannotConnect, FrameError, OperationNotAllowed
from pooltrust.tls.dial import dial
from pooltrust.tls.frames import Frames, frames_protocol, open_frames

from .conftest import A
from .stage import Cast, answering, faces, member


@asynccontextmanager
async def served(cast: Cast, serve, *, limit: int = 1000):
    """A host that serves frames, and member b's frames to it."""

    def protocol(arrival):
        return frames_protocol(serve, arrival, limit=limit)

    async with answering(faces(cast, cast.b), protocol=protocol) as spot:
        how = {"expect": member(A, cast.a), "name": "pool", "identity": cast.b.path}
        connection = await dial("127.0.0.1", spot.port, **how)
        frames = open_frames(connection, limit=limit)
        try:
            yield frames
        finally:
            await frames.close()


async def echo(frames: Frames, *_) -> None:
    while True:
        await frames.send(await frames.receive(5))


def test_a_frame_arrives_as_it_was_sent(run, cast: Cast) -> None:
    async def story() -> None:
        async with served(cast, echo) as frames:
            for frame in ({}, {"hello": 1}, {"text": "pöol\0" * 50, "list": [None, True, 2**53]}):
                await frames.send(frame)
                assert await frames.receive(2) == frame

    run(story())


def test_the_server_learns_whose_certificate_it_was_and_how_it_came(run, cast: Cast) -> None:
    async def serve(frames: Frames, certificate, arrival) -> None:
        same = certificate == cast.b.der
        await frames.send({"b": same, "name": arrival.name, "address": arrival.address})

    async def story() -> None:
        async with served(cast, serve) as frames:
            expected = {"b": True, "name": "pool", "address": "127.0.0.1"}
            assert await frames.receive(2) == expected
            with pytest.raises(CannotConnect, match="cut the connection"):
                await frames.receive(2)

    run(story())


def test_many_frames_in_one_packet_and_one_in_many(run, cast: Cast) -> None:
    async def story() -> None:
        async with served(cast, echo, limit=10**6) as frames:
            sent = [{"n": n, "padding": "x" * n * 1000} for n in range(40)]
            await asyncio.gather(*(frames.send(frame) for frame in sent))
            assert sent == [await frames.receive(2) for _ in sent]

    run(story())


def test_a_frame_is_one_write(run, cast: Cast) -> None:
    async def story() -> None:
        async with served(cast, echo) as frames:
            writes = []
            writer = frames._writer
            frames._writer = Writes(writer, writes)  # type: ignore[assignment]
            await frames.send({"hello": 1})
            frames._writer = writer
            assert writes == [b'\x00\x00\x00\x0b{"hello":1}']

    class Writes:
        def __init__(self, writer, writes) -> None:
            self.writer, self.write = writer, writes.append

        async def drain(self) -> None:
            await self.writer.drain()

    run(story())


def test_what_we_must_not_say_is_not_sent(run, cast: Cast) -> None:
    async def story() -> None:
        async with served(cast, echo) as frames:
            with pytest.raises(
                FrameError, match=r"This host .* a message of 1012 bytes is too long"
            ):
                await frames.send({"text": "x" * 1001})
            with pytest.raises(FrameError, match="no JSON"):
                await frames.send({"bytes": b"x"})
            await frames.send({"still": "usable"})
            assert await frames.receive(2) == {"still": "usable"}

    run(story())


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"\x00\x00\x03\xe9", "a message of 1001 bytes is too long"),
        (b"\xff\xff\xff\xff" + bytes(100), "a message of 4294967295 bytes is too long"),
        (b"\x00\x00\x00\x00", "no JSON"),
        (b"\x00\x00\x00\x02[]", "no JSON object"),
        (b"\x00\x00\x00\x041234", "no JSON object"),
        (b"\x00\x00\x00\x03NaN", "no JSON"),
        (b'\x00\x00\x00\x07{"a":1,', "no JSON"),
        (b"\x00\x00\x00\x04\xff\xfe{}", "no JSON"),
        (b"\x00\x00\x03\xe8" + b"[" * 1000, "no JSON"),
    ],
)
def test_what_is_no_frame_ends_the_connection(uv, cast: Cast, raw: bytes, words: str) -> None:
    async def serve(frames: Frames, *_) -> None:
        frames._writer.write(raw)
        with pytest.raises(CannotConnect):
            await frames.receive(5)
        heard.append("end")

    heard: list[str] = []

    async def story() -> None:
        async with served(cast, serve) as frames:
            with pytest.raises(FrameError, match=words) as caught:
                await frames.receive(2)
            assert "The peer at 127.0.0.1 does not speak the pool's protocol" in str(caught.value)
            async with asyncio.timeout(2):
                while not heard:
                    await asyncio.sleep(0.005)

    uv(story())


def test_a_silent_peer_is_given_up_in_time(run, cast: Cast) -> None:
    async def serve(frames: Frames, *_) -> None:
        frames._writer.write(b"\x00\x00\x00\x0a{")
        await asyncio.sleep(1)

    async def story() -> None:
        async with served(cast, serve) as frames:
            with pytest.raises(CannotConnect, match=r"it said nothing for 0\.2 s"):
                await frames.receive(0.2)

    run(story())


def test_a_peer_that_does_not_read_makes_the_sender_wait_and_then_give_up(run, cast: Cast) -> None:
    async def serve(frames: Frames, *_) -> None:
        await asyncio.sleep(5)

    async def story() -> None:
        async with served(cast, serve, limit=10**6) as frames:
            with pytest.raises(CannotConnect, match=r"it took no message for 0\.2 s"):
                for _ in range(200):
                    await frames.send({"text": "x" * 900_000}, within=0.2)

    run(story())


def test_a_connection_that_ends_after_the_first_answer_is_no_question_of_trust(run, cast: Cast):
    async def serve(frames: Frames, *_) -> None:
        await frames.send({"hello": 1})
        await frames.receive(5)
        frames.abort()

    async def story() -> None:
        async with served(cast, serve) as frames:
            await frames.receive(2)
            await frames.send({"go": "on"})
            with pytest.raises(CannotConnect, match="it cut the connection"):
                await frames.receive(2)
            with pytest.raises(CannotConnect):
                for _ in range(100):
                    await frames.send({"hello": 1})
                    await asyncio.sleep(0.005)

    run(story())


def test_a_declared_failure_of_the_serving_side_just_closes(run, cast: Cast) -> None:
    async def serve(*_) -> None:
        raise OperationNotAllowed("no")

    async def story() -> None:
        async with served(cast, serve) as frames:
            with pytest.raises(Exception, match="closed the connection without an answer"):
                await frames.receive(2)

    run(story())  # which fails if the loop's exception handler was told


def test_a_fault_of_the_serving_side_is_told_to_the_loop(uv, cast: Cast) -> None:
    async def serve(*_) -> None:
        raise ZeroDivisionError

    async def story() -> None:
        told: list[object] = []
        asyncio.get_running_loop().set_exception_handler(
            lambda _, context: told.append(context["exception"])
        )
        async with served(cast, serve) as frames:
            with pytest.raises(Exception, match="closed the connection without an answer"):
                await frames.receive(2)
        assert [ZeroDivisionError] == [type(what) for what in told]

    uv(story())


def test_frames_are_plain_json_after_four_bytes_of_length(uv, cast: Cast) -> None:
    async def serve(frames: Frames, *_) -> None:
        length = int.from_bytes(await frames._reader.readexactly(4), "big")
        seen.append(json.loads(await frames._reader.readexactly(length)))
        await frames.send({"done": True})

    seen: list[object] = []

    async def story() -> None:
        async with served(cast, serve) as frames:
            await frames.send({"a": [1, "ü"]})
            await frames.receive(2)
            assert seen == [{"a": [1, "ü"]}]

    uv(story())
