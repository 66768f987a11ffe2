"""Identities and rosters are swapped at the next connection; live ones do not notice."""

from __future__ import annotations

import asyncio

import pytest

from pooltrust.tls.contexts import ClientContexts, ClientKey

from .stage import Cast, answering, ask, faces, lax_client, refused


def test_a_swap_under_load_loses_no_connection(run, cast: Cast) -> None:
    async def story() -> None:
        both = [faces(cast, cast.b), faces(cast, cast.b, pool=cast.a_new)]
        served = [both[0]]
        stop = asyncio.Event()
        met: set[bytes] = set()

        async def keep_talking(port: int, name: str) -> int:
            context = lax_client(cast.b)
            reader, writer = await asyncio.open_connection(
                "127.0.0.1", port, ssl=context, server_hostname=name
            )
            answers = 0
            while not stop.is_set():
                writer.write(b"ping")
                assert await reader.readexactly(10) == b"heard ping"
                answers += 1
                await asyncio.sleep(0.01)
            writer.close()
            return answers

        async def keep_coming(port: int) -> int:
            made = 0
            while not stop.is_set():
                certificate, answer = await ask(port, "pool", cast.b)
                assert answer == b"heard secret"
                met.add(certificate)
                made += 1
            return made

        async with answering(lambda: served[0]) as spot:
            live = [
                asyncio.ensure_future(keep_talking(spot.port, name))
                for name in ("pool", "h1")
                for _ in range(10)
            ]
            coming = [asyncio.ensure_future(keep_coming(spot.port)) for _ in range(3)]
            for n in range(40):
                served[0] = both[n % 2]
                await asyncio.sleep(0.02)
            stop.set()
            assert min(await asyncio.gather(*live)) > 10
            assert sum(await asyncio.gather(*coming)) > 20
            assert met == {cast.a.der, cast.a_new.der}
            assert spot.refusals == []

    run(story())


def test_a_withdrawn_certificate_is_refused_at_the_next_connection(run, cast: Cast) -> None:
    async def story() -> None:
        served = [faces(cast, cast.b, cast.stranger)]
        async with answering(lambda: served[0]) as spot:
            assert not await refused(spot.port, "pool", cast.stranger)
            served[0] = faces(cast, cast.b)
            assert await refused(spot.port, "pool", cast.stranger)
            assert not await refused(spot.port, "pool", cast.b)

    run(story())


def test_no_session_resumes_past_a_withdrawal(uv, cast: Cast) -> None:
    async def story() -> None:
        async with answering(faces(cast, cast.b)) as spot:
            reader, writer = await asyncio.open_connection(
                "127.0.0.1", spot.port, ssl=lax_client(cast.b), server_hostname="pool"
            )
            writer.write(b"hi")
            await reader.read(100)
            session = writer.get_extra_info("ssl_object").session
            assert session is None or not session.has_ticket
            writer.close()

    uv(story())


def key(path, anchors=None) -> ClientKey:
    return ClientKey.of(path, newest_only=True, anchors=anchors)


def test_a_client_context_is_kept_while_its_identity_s_file_is_the_same(cast: Cast, tmp_path):
    path = tmp_path / "pool.pem"
    path.write_bytes(cast.a.identity.pem())
    kept = ClientContexts(most=3)
    first = key(path)
    context = first.build()
    kept.keep(first, context)
    assert kept.get(key(path)) is context
    assert kept.get(key(path, anchors=())) is None
    assert kept.get(key(None)) is None

    fresh = tmp_path / "fresh.pem"
    fresh.write_bytes(cast.a_new.identity.pem())
    fresh.rename(path)
    assert kept.get(key(path)) is None
    second = key(path)
    kept.keep(second, second.build())
    assert kept.get(first) is None  # a retired key is not kept in memory


def test_few_client_contexts_are_kept(cast: Cast) -> None:
    kept = ClientContexts(most=3)
    keys = [key(None, anchors=(bytes([n]),)) for n in range(5)]
    context = key(None).build()
    for each in keys:
        kept.keep(each, context)
        kept.get(keys[0])
    assert [each for each in keys if kept.get(each)] == [keys[0], keys[3], keys[4]]


def test_an_identity_that_cannot_be_read_is_our_fault(uv, cast: Cast, tmp_path) -> None:
    from pooltrust.errors import InternalError
    from pooltrust.tls.dial import dial

    from .conftest import A
    from .stage import member

    async def story() -> None:
        path = tmp_path / "pool.pem"
        for text in (None, b"no key", cast.a.identity.pem() + cast.b.identity.pem()[:300]):
            if text is not None:
                path.write_bytes(text)
            with pytest.raises(InternalError, match=r"pool\.pem can't be used"):
                await dial("127.0.0.1", 1, expect=member(A, cast.a), name="pool", identity=path)

    uv(story())
