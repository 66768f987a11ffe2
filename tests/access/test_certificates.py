"""Clients that come in by a certificate: who is asked, who is let in, and as what."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID

from daemons import PASSWORD, Host, alike, run, running, until
from pooltrust.terms import Thumbprint
from pooltrust.trust.entries import AnchorInstalled, AnchorRemoved

from .certified import DAY, Authority, Caller, Stalled
from .stage import Client, refusal

Pool = Callable[..., tuple[Host, ...]]
NAME = "monitor.example.org"
BROKEN = (OSError, ssl.SSLError, ConnectionError)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


async def install(host: Host, authority: Authority, *purposes: str, name: str = "an.pem") -> None:
    for_all = ("appliance", "client")
    body = AnchorInstalled(name, "ca", authority.der, purposes or for_all)
    await host.daemon.scribe.append(body, by="root", call="test")


@asynccontextmanager
async def asking(h1: Host, *others: Host, authority: Authority) -> AsyncIterator[Client]:
    """A pool that asks for a certificate with the name; its root."""
    async with running(h1, *others):
        root = await Client.login(h1)
        await install(h1, authority)
        (pool,) = await root.ask("pool.get_all")
        await root.ask("pool.enable_client_certificate_auth", pool, NAME.upper())
        yield root


async def admitted(host: Host, shows: Path | None) -> Caller:
    caller = Caller(host, shows)
    await caller.login()
    return caller


VERSIONS = [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]


def observed(host: Host, outcome: str) -> list[dict[str, str]]:
    """What a host tells of clients that showed a certificate, and came to this."""
    told = host.daemon.observations.told()
    return [
        row for row in told
        if row["kind"] == "client with a certificate" and row["outcome"] == outcome
    ]  # fmt: skip


@pytest.mark.parametrize("version", VERSIONS)
def test_a_certificate_of_that_name_is_as_good_as_a_password_and_no_better(
    pool: Pool, authority: Authority, version: ssl.TLSVersion
) -> None:
    (h1,) = pool(1)

    async def story() -> None:
        async with asking(h1, authority=authority) as root:
            caller = Caller(h1, authority.issue("other.example.org", NAME), version)
            await caller.login("root", "no password at all")
            record = await caller.ask("session.get_record", caller.session)
            assert record["client_certificate"] is True
            assert record["is_local_superuser"] is False
            assert record["auth_user_name"] == NAME
            assert record["subject"] == "OpaqueRef:NULL"
            (ref, known) = next(iter((await caller.ask("pool.get_all_records")).items()))
            assert known["client_certificate_auth_enabled"] is True
            assert known["client_certificate_auth_name"] == NAME
            for call, *parameters in [
                ("pool.set_name_label", ref, "x"),
                ("pooltrust.create_join_code", 60),
                ("subject.create", {"subject_identifier": "local:x"}),
                ("session.change_password", "", "x"),
            ]:
                assert (await refusal(caller.ask(call, *parameters))).code == (
                    "RBAC_PERMISSION_DENIED"
                )
            own = await refusal(caller.ask("pooltrust.change_own_password", "x", "y"))
            assert own.code in ("OPERATION_NOT_ALLOWED", "RBAC_PERMISSION_DENIED")
            assert await root.is_there()
            caller.close()

    run(story())


def test_who_shows_none_is_asked_for_the_password_as_before(
    pool: Pool, authority: Authority
) -> None:
    (h1,) = pool(1)

    async def story() -> None:
        async with asking(h1, authority=authority):
            caller = Caller(h1)
            wrong = await refusal(caller.login("root", "wrong"))
            assert wrong.code == "SESSION_AUTHENTICATION_FAILED"
            await caller.login("root", PASSWORD)
            assert not await caller.ask("session.get_client_certificate", caller.session)
            caller.close()

    run(story())


@pytest.mark.parametrize(
    ("names", "common_name"),
    [
        (("other.example.org",), "a client"),
        (("other.example.org",), NAME),
        ((), "other"),
        ((f"x.{NAME}",), "y"),
    ],
)
def test_a_good_certificate_of_another_name_needs_a_password(
    pool: Pool, authority: Authority, names: tuple[str, ...], common_name: str
) -> None:
    """The common name counts only where there is no DNS name."""
    (h1,) = pool(1)

    async def story() -> None:
        async with asking(h1, authority=authority):
            caller = Caller(h1, authority.issue(*names, common_name=common_name))
            assert (await refusal(caller.login())).code == "SESSION_AUTHENTICATION_FAILED"
            await caller.login("root", PASSWORD)
            assert not await caller.ask("session.get_client_certificate", caller.session)
            caller.close()

    run(story())


def test_the_common_name_counts_where_there_is_no_other(pool: Pool, authority: Authority) -> None:
    (h1,) = pool(1)

    async def story() -> None:
        async with asking(h1, authority=authority):
            caller = await admitted(h1, authority.issue(common_name=NAME))
            assert await caller.ask("session.get_client_certificate", caller.session)
            caller.close()

    run(story())


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("fault", ["another authority", "expired", "not yet", "for servers"])
def test_a_bad_certificate_ends_the_handshake_and_the_log_says_why(
    pool: Pool, authority: Authority, tmp_path: Path, fault: str, version: ssl.TLSVersion
) -> None:
    """The API falls back to the password here; we do not: see docs/decisions."""
    (h1,) = pool(1)
    now = datetime.now(UTC)
    shown, reason = {
        "another authority": (Authority(tmp_path, "Other").issue(NAME), "client certificate"),
        "expired": (authority.issue(NAME, since=now - 20 * DAY), "expired"),
        "not yet": (authority.issue(NAME, since=now + DAY), "not yet valid"),
        "for servers": (
            authority.issue(NAME, usage=ExtendedKeyUsageOID.SERVER_AUTH),
            "client certificate",
        ),
    }[fault]

    async def story() -> None:
        async with asking(h1, authority=authority):
            caller = Caller(h1, shown, version)
            with pytest.raises(BROKEN):
                await caller.login("root", PASSWORD)
            await until(lambda: h1.lines("connection-refused"))
            (line,) = h1.lines("connection-refused")
            assert line.facts["reason"] == reason
            if reason == "client certificate":
                assert "xe pool-disable-client-certificate-auth" in line.facts["cure"]
            (row,) = observed(h1, "refused")
            assert row["refused_by"] == "this host" and row["cure"] == line.facts["cure"]
            caller.close()

    run(story())


def test_nobody_is_asked_by_default_or_without_an_authority(
    pool: Pool, authority: Authority, tmp_path: Path
) -> None:
    """A browser that is asked troubles its user, and a stranger's certificate would be refused."""
    (h1,) = pool(1)
    strangers = Authority(tmp_path, "Other").issue(NAME)

    async def story() -> None:
        async with running(h1):
            root = await Client.login(h1)
            (ref,) = await root.ask("pool.get_all")
            for step in ("as it is", "an authority", "no authority"):
                if step == "an authority":
                    await install(h1, authority)
                if step == "no authority":
                    gone = AnchorRemoved(Thumbprint.of(authority.der))
                    await h1.daemon.scribe.append(gone, by="root", call="test")
                    await install(h1, authority, "licensing")  # for another purpose only
                    await root.ask("pool.enable_client_certificate_auth", ref, NAME)
                assert h1.daemon.belief.faces.server.verify_mode == ssl.CERT_NONE, step
                caller = Caller(h1, strangers)
                assert (await refusal(caller.login())).code == "SESSION_AUTHENTICATION_FAILED"
                caller.close()

    run(story())


def test_a_revoked_one_opens_nothing_any_more_and_what_it_opened_ends(
    pool: Pool, authority: Authority
) -> None:
    (h1,) = pool(1)

    async def story() -> None:
        async with asking(h1, authority=authority) as root:
            lost, kept = authority.issue(NAME), authority.issue(NAME)
            caller = await admitted(h1, lost)
            await root.ask("pool.crl_install", "an.pem", authority.revocation_of(lost))
            assert [
                one for one, _ in h1.daemon.context.sessions if one.principal.client_certificate
            ] == []
            with pytest.raises(BROKEN):
                await caller.ask("pool.get_all")
            again = Caller(h1, lost)
            assert (await refusal(again.login())).code == "SESSION_AUTHENTICATION_FAILED"
            (line,) = h1.lines("client-certificate-refused")
            assert line.facts["reason"] == "revoked"
            (row,) = observed(h1, "refused")
            assert "was revoked by its issuer" in row["reason"] and row["says"] == "CN=a client"
            (row,) = observed(h1, "verified")
            assert row["tls_version"] == "TLSv1.3" and row["met"]
            await again.login("root", PASSWORD)  # as a client without a certificate
            other = await admitted(h1, kept)
            for one in (again, other):
                one.close()

    run(story())


def test_an_authority_that_the_one_above_took_back_opens_nothing_though_both_are_installed(
    pool: Pool, authority: Authority, tmp_path: Path
) -> None:
    """OpenSSL's chain then ends below the one that has signed the list."""
    (h1,) = pool(1)
    below = Authority(tmp_path, "Below", by=authority)

    async def story() -> None:
        async with asking(h1, authority=authority) as root:
            await install(h1, below, name="below.pem")
            shown = below.issue(NAME)
            (await admitted(h1, shown)).close()
            gone = authority.revoking(below.certificate.serial_number)
            await root.ask("pool.crl_install", "an.pem", gone)
            caller = Caller(h1, shown)
            assert (await refusal(caller.login())).code == "SESSION_AUTHENTICATION_FAILED"
            caller.close()

    run(story())


def test_switching_it_off_ends_what_it_let_in_and_answers_the_call_that_did(
    pool: Pool, authority: Authority
) -> None:
    (h1,) = pool(1)

    async def story() -> None:
        async with asking(h1, authority=authority) as root:
            shown = authority.issue(NAME)
            caller, other = await admitted(h1, shown), await admitted(h1, shown)
            (ref,) = await root.ask("pool.get_all")
            assert await caller.ask("pool.disable_client_certificate_auth", ref) == ""
            assert [
                one for one, _ in h1.daemon.context.sessions if one.principal.client_certificate
            ] == []
            with pytest.raises(BROKEN):
                await other.ask("pool.get_all")
            again = Caller(h1, shown)
            assert (await refusal(again.login())).code == "SESSION_AUTHENTICATION_FAILED"
            for one in (caller, other, again):
                one.close()
            assert await root.is_there()

    run(story())


def test_an_authority_that_is_removed_lets_nobody_in_any_more(
    pool: Pool, authority: Authority
) -> None:
    (h1,) = pool(1)

    async def story() -> None:
        async with asking(h1, authority=authority):
            caller = await admitted(h1, authority.issue(NAME))
            gone = AnchorRemoved(Thumbprint.of(authority.der))
            await h1.daemon.scribe.append(gone, by="root", call="test")
            with pytest.raises(BROKEN):
                await caller.ask("pool.get_all")
            caller.close()
            caller = Caller(h1, authority.issue(NAME))
            assert (await refusal(caller.login())).code == "SESSION_AUTHENTICATION_FAILED"
            caller.close()

    run(story())


LOGIN = b'{"jsonrpc":"2.0","method":"session.login_with_password","params":["x","y"],"id":1}'
REQUEST = b"POST /jsonrpc HTTP/1.1\r\nHost: h1\r\nContent-Length: %d\r\n\r\n%s" % (
    len(LOGIN),
    LOGIN,
)


@pytest.mark.parametrize("removed", [False, True])
def test_a_handshake_that_was_held_open_does_not_outlast_its_authority(
    pool: Pool, authority: Authority, removed: bool
) -> None:
    (h1,) = pool(1)

    async def story() -> None:
        async with asking(h1, authority=authority):
            stalled = await asyncio.to_thread(Stalled, h1, authority.issue(NAME))
            if removed:
                gone = AnchorRemoved(Thumbprint.of(authority.der))
                await h1.daemon.scribe.append(gone, by="root", call="test")
            answer = await asyncio.to_thread(stalled.finish, REQUEST)
            stalled.close()
            assert (b"SESSION_AUTHENTICATION_FAILED" in answer) == removed
            assert (b"OpaqueRef:" in answer) != removed

    run(story())


def test_a_connection_of_before_the_rule_lets_nobody_in_by_another_name(
    pool: Pool, authority: Authority
) -> None:
    (h1,) = pool(1)

    async def story() -> None:
        async with asking(h1, authority=authority) as root:
            (ref,) = await root.ask("pool.get_all")
            caller = await admitted(h1, authority.issue(NAME))
            await root.ask("pool.enable_client_certificate_auth", ref, "other.example.org")
            with pytest.raises(BROKEN):
                await caller.login()
            caller.close()
            for bad in ("", "*.example.org", "a b", "192.0.2.1"):
                refused = await refusal(root.ask("pool.enable_client_certificate_auth", ref, bad))
                assert refused.code == "INVALID_VALUE"

    run(story())


def test_every_member_and_a_restarted_one_ask_alike(pool: Pool, authority: Authority) -> None:
    h1, h2 = pool(2)

    async def story() -> None:
        async with asking(h1, h2, authority=authority):
            await until(lambda: alike(h1, h2))

            def asks(host: Host) -> bool:
                return host.daemon.belief.faces.server.verify_mode == ssl.CERT_OPTIONAL

            await until(lambda: asks(h2))
            await h2.restart()
            assert asks(h2)
            # A supporter sends everybody on, whatever they show.
            caller = Caller(h2, authority.issue(NAME))
            assert (await refusal(caller.login())).code == "HOST_IS_SLAVE"
            caller.close()

    run(story())


def test_members_are_never_asked_for_a_client_s_certificate(
    pool: Pool, authority: Authority
) -> None:
    """A client's certificate opens nothing under the names `pool` and `pool-join`."""
    h1, h2 = pool(2)

    async def story() -> None:
        async with asking(h1, h2, authority=authority):
            assert h1.daemon.belief.faces.pool is not None
            assert authority.der not in h1.daemon.belief.faces.pool.accepted
            assert h1.daemon.belief.faces.join is not None
            assert h1.daemon.belief.faces.join.verify_mode == ssl.CERT_NONE
            await asyncio.gather(h1.daemon.peers.look(h2.me), h2.daemon.peers.look(h1.me))

    run(story())
