"""Root's session on one host alone: for when the coordinator is lost."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from daemons import PASSWORD, Host, alike, run, running, until

from .stage import AWAY, ON_THE_HOST, Client, Told, refusal, send

Pool = Callable[..., tuple[Host, ...]]
LOGIN = "session.slave_local_login_with_password"
ANOTHER = "another-password-8"


async def alone(host: Host, username: str = "root", password: str = PASSWORD) -> Client:
    return Client(host, await send(host, LOGIN, username, password))


def test_root_logs_in_to_a_supporter_whose_coordinator_is_lost(pool: Pool) -> None:
    _, h2 = pool(2)

    async def story() -> None:
        async with running(h2):
            elsewhere = await refusal(Client.login(h2))
            assert elsewhere.code == "HOST_IS_SLAVE"
            session = await alone(h2)
            assert await session.ask("host.is_in_emergency_mode") is False
            assert await session.ask("session.get_auth_user_name", session.session) == "root"
            # What the pool decides is not asked with it.
            for call in ("pool.get_all", "subject.get_all", "no.such"):
                assert (await refusal(session.ask(call))).code == "HOST_IS_SLAVE"
            await session.ask("session.local_logout")
            assert not await session.is_there()

    run(story())


def test_on_a_coordinator_too_it_is_good_for_that_host_alone(pool: Pool) -> None:
    (h1,) = pool(1)

    async def story() -> None:
        async with running(h1):
            session = await alone(h1)
            refused = await refusal(session.ask("pool.get_all"))
            assert (refused.code, refused.parameters) == ("SESSION_INVALID", (session.session,))
            assert await session.is_there()
            on_the_host = Client(h1, await send(h1, LOGIN, "", "", origin=ON_THE_HOST), ON_THE_HOST)
            assert (await refusal(on_the_host.ask("pool.get_all"))).code == "SESSION_INVALID"

    run(story())


@pytest.mark.parametrize(
    ("username", "password", "code"),
    [
        ("root", "wrong", "SESSION_AUTHENTICATION_FAILED"),
        ("nobody", PASSWORD, "SESSION_AUTHENTICATION_FAILED"),
        ("alice", PASSWORD, "USER_IS_NOT_LOCAL_SUPERUSER"),
    ],
)
def test_it_is_root_s_and_needs_root_s_password(
    pool: Pool, username: str, password: str, code: str
) -> None:
    h1, h2 = pool(2)

    async def story() -> None:
        async with running(h1, h2):
            root = await Client.login(h1)
            await root.ask("pooltrust.create_user", "alice", PASSWORD, "pool-admin")
            await until(lambda: alike(h1, h2))
            assert (await refusal(alone(h2, username, password))).code == code

    run(story())


def test_guesses_there_are_counted_like_any(pool: Pool) -> None:
    _, h2 = pool(2)

    async def story() -> None:
        async with running(h2):
            for n in range(5):
                assert (await refusal(alone(h2, password=f"wrong {n}"))).parameters[0] == "root"
            assert "try again in 1 s" in (await refusal(alone(h2))).parameters[1]

    run(story())


def test_it_ends_when_the_password_is_changed_at_the_coordinator(pool: Pool) -> None:
    h1, h2 = pool(2)

    async def story() -> None:
        async with running(h1, h2):
            session = await alone(h2)
            root = await Client.login(h1)
            await root.ask("session.change_password", "", ANOTHER)
            await until(lambda: alike(h1, h2))
            assert not await session.is_there()
            await alone(h2, password=ANOTHER)

    run(story())


def test_sessions_do_not_outlast_their_host_s_coordinating(pool: Pool) -> None:
    """Who is removed meanwhile, at another coordinator, would come back with the old one."""
    h1, h2 = pool(2)

    async def story() -> None:
        async with running(h1, h2):
            root = await Client.login(h1)
            await root.ask("pooltrust.create_user", "alice", PASSWORD, "pool-admin")
            alice = await Client.login(h1, "alice")
            hosts = await root.ask("host.get_all_records")
            refs = {record["uuid"]: ref for ref, record in hosts.items()}
            try:
                await root.ask("pool.designate_new_master", refs[h2.me])
            except Told as why:
                assert why.code == "HOST_IS_SLAVE", why
            await until(lambda: h1.roster.coordinator == h2.me and alike(h1, h2))
            hers = await Client.login(h2, "alice")
            assert await hers.is_there()
            again = await Client.login(h2, origin=AWAY)
            await again.ask("subject.destroy", *await again.ask("subject.get_all"))
            await again.ask("pool.designate_new_master", refs[h1.me])
            await until(lambda: h1.daemon.belief.is_coordinator)
            assert not await alice.is_there() and not await root.is_there()
            assert not await hers.is_there()
            assert (await refusal(Client.login(h1, "alice"))).code == (
                "SESSION_AUTHORIZATION_FAILED"
            )

    run(story())
