"""The cast: members, strangers and impostors, each with an identity in a file."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import uvloop

from pooltrust.pki.mint import KeyKind, mint_pool_identity, mint_server_identity
from pooltrust.terms import host_id

from .stage import Cast, Player, authority, impostor, leaf_signed_by

A, B, C = (host_id(f"{digit * 8}-0000-4000-8000-000000000000") for digit in "abc")


@pytest.fixture(scope="session")
def cast(tmp_path_factory: pytest.TempPathFactory) -> Cast:
    folder: Path = tmp_path_factory.mktemp("cast")
    now = datetime.now(UTC)
    day = timedelta(days=1)
    a, b = mint_pool_identity(A, now), mint_pool_identity(B, now)
    identities = {
        "a": a,
        "a_new": mint_pool_identity(A, now),
        "b": b,
        "stranger": mint_pool_identity(C, now),
        "impostor_of_b": impostor(b),
        "b_signed_by_a": leaf_signed_by(a, b),
        "expired": mint_pool_identity(A, now - 400 * day),
        "early": mint_pool_identity(A, now + 400 * day),
        "authority": authority(),
        "server": mint_server_identity(["h1.example"], ["127.0.0.1"], now),
        "server_new": mint_server_identity(["h1.example"], ["127.0.0.1"], now, kind=KeyKind.P256),
        "server_expired": mint_server_identity(
            ["h1.example"], [], now - 400 * day, kind=KeyKind.P256, lifetime=day
        ),
    }
    players = {}
    for name, identity in identities.items():
        path = folder / f"{name}.pem"
        path.write_bytes(identity.pem())
        path.chmod(0o400)
        players[name] = Player(path, identity)
    return Cast(**players)


@pytest.fixture(params=["uvloop", "asyncio"])
def run(request: pytest.FixtureRequest) -> Callable[[Coroutine[Any, Any, Any]], Any]:
    """Runs a story on each kind of event loop; whatever a loop complains of fails the test."""
    factory = uvloop.new_event_loop if request.param == "uvloop" else asyncio.new_event_loop
    return lambda story: run_on(factory, story)


@pytest.fixture
def uv() -> Callable[[Coroutine[Any, Any, Any]], Any]:
    """Runs a story on uvloop only, where a second loop would prove nothing new."""
    return lambda story: run_on(uvloop.new_event_loop, story)


def run_on(
    factory: Callable[[], asyncio.AbstractEventLoop], story: Coroutine[Any, Any, Any]
) -> Any:
    complaints: list[dict[str, Any]] = []

    async def told() -> Any:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: complaints.append(context))
        async with asyncio.timeout(20):
            return await story

    with asyncio.Runner(loop_factory=factory) as runner:
        result = runner.run(told())
    assert complaints == []
    return result
