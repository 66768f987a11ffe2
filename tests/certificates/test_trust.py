"""What a pool trusts beside its members: entries of its log and shipped records, or refusals."""

from __future__ import annotations

from base64 import b64encode
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from daemons import Host, run, running, tree, until
from operations.stage import Pool, settled
from pki.offered.stage import Maker, made, private, revocation
from pooltrust.command.client import Reported
from pooltrust.host.records.store import Change
from pooltrust.pki.certificate import read_pem
from pooltrust.pki.pemtext import write
from pooltrust.terms import Thumbprint

NOW = datetime.now(UTC)
DATES = NOW - timedelta(days=1), NOW + timedelta(days=90)
ROOT = Maker.named("root")
CA = made("root", ROOT.key, ca=True, names=(), dates=DATES)
OTHER = made("other", Maker.named("other").key, ca=True, names=(), dates=DATES)
LEAF = made("leaf", private("p256"), ROOT, dates=DATES)
EXPIRED = made("old", ROOT.key, ca=True, dates=(NOW - timedelta(days=9), NOW - timedelta(days=1)))
CRL = write("X509 CRL", revocation(ROOT, dates=DATES))


def thumbprint(pem: str) -> Thumbprint:
    return read_pem(pem)[0].thumbprint


async def pool_ref(host: Host) -> str:
    return str((await host.ask("pool.get_all"))[0])


async def refused(story: Any) -> list[str]:
    with pytest.raises(Reported) as why:
        await story
    return [why.value.code, *why.value.parameters()]


async def trust(host: Host, ca: bool, pem: str, *purposes: str) -> None:
    call = "pool.install_trusted_certificate"
    await host.ask(call, await pool_ref(host), ca, pem, list(purposes))


async def rows(host: Host) -> list[tuple[str, str, list[str], str]]:
    """Type, name, purposes and thumbprint of what is installed, as any client sees it."""
    found = (await host.ask("Certificate.get_all_records")).values()
    return sorted(
        (one["type"], one["name"], one["purpose"], one["fingerprint_sha256"])
        for one in found
        if one["type"] in ("ca", "pinned")
    )


def test_an_authority_is_installed_by_name_on_every_host_and_removed_again(pool: Pool) -> None:
    hosts = h1, h2, h3 = pool(3)

    async def story() -> None:
        async with running(*hosts):
            await h2.ask("pool.install_ca_certificate", "ca.pem", CA)
            await settled(*hosts)
            for host in hosts:
                assert await rows(host) == [("ca", "ca.pem", [], str(thumbprint(CA)))]
            assert await h3.ask("pool.certificate_list") == ["ca.pem"]
            entry = (await h1.ask("pooltrust.get_log", h1.roster.number - 1))[0]
            assert (entry["kind"], entry["call"]) == (
                "anchor-installed",
                "pool.install_ca_certificate",
            )
            await h1.ask("pool.certificate_uninstall", "ca.pem")
            await settled(*hosts)
            assert [await rows(host) for host in hosts] == [[]] * 3

    run(story())


def test_a_name_and_a_certificate_are_installed_once(pool: Pool) -> None:
    (h1,) = pool(1)

    async def story() -> None:
        async with running(h1):
            install, uninstall = "pool.install_ca_certificate", "pool.uninstall_ca_certificate"
            await h1.ask(install, "ca.pem", CA)
            before = tree(h1)
            exists = "CERTIFICATE_ALREADY_EXISTS"
            for call in (install, "pool.certificate_install"):
                assert await refused(h1.ask(call, "ca.pem", OTHER)) == [exists, "ca.pem"]
                assert await refused(h1.ask(call, "b.pem", CA)) == [exists, "b.pem"]
                assert await refused(h1.ask(call, "b.pem", "bogus")) == ["CA_CERTIFICATE_INVALID"]
                code = (await refused(h1.ask(call, "b.pem", EXPIRED)))[0]
                assert code == "CA_CERTIFICATE_EXPIRED"
                invalid = "CERTIFICATE_NAME_INVALID"
                assert await refused(h1.ask(call, "b.crt", OTHER)) == [invalid, "b.crt"]
            none = "CERTIFICATE_DOES_NOT_EXIST"
            assert await refused(h1.ask(uninstall, "b.pem")) == [none, "b.pem"]
            forced = await refused(h1.ask(uninstall, "b.pem", True))
            assert forced == ["INVALID_VALUE", "certificate:name", "b.pem"]
            assert tree(h1) == before
            await h1.ask(uninstall, "ca.pem", True)
            assert await rows(h1) == []

    run(story())


def test_a_certificate_is_trusted_for_what_it_was_installed_for(pool: Pool) -> None:
    hosts = h1, h2 = pool(2)

    async def story() -> None:
        async with running(*hosts):
            await trust(h1, True, CA)
            await trust(h2, False, LEAF, "ldaps")
            ca, leaf = str(thumbprint(CA)), str(thumbprint(LEAF))
            await settled(*hosts)
            assert await rows(h2) == [("ca", "", [], ca), ("pinned", "", ["ldaps"], leaf)]
            exists = "TRUSTED_CERTIFICATE_ALREADY_EXISTS"
            assert await refused(trust(h1, True, CA)) == [exists, ca]
            assert await refused(trust(h1, False, LEAF, "licensing", "ldaps")) == [exists, leaf]
            assert await refused(trust(h1, False, LEAF)) == ["CERTIFICATE_LACKS_PURPOSE"]
            assert await refused(trust(h1, False, CA, "ldaps")) == [exists, ca]
            await trust(h1, False, LEAF, "licensing")
            await trust(h1, True, CA, "ldaps")
            await h1.ask("pool.install_ca_certificate", "ca.pem", CA)
            await settled(*hosts)
            assert await rows(h2) == [
                ("ca", "ca.pem", ["ldaps"], ca),
                ("pinned", "", ["licensing", "ldaps"], leaf),
            ]
            assert len(h1.roster.anchors) == 2

    run(story())


def test_what_is_uninstalled_is_trusted_for_nothing_any_more(pool: Pool) -> None:
    hosts = h1, h2 = pool(2)

    async def story() -> None:
        async with running(*hosts):
            await trust(h1, True, CA, "ldaps")
            await h1.ask("pool.install_ca_certificate", "ca.pem", CA)
            call, of = "pool.uninstall_trusted_certificate", await pool_ref(h1)
            records = await h1.ask("Certificate.get_all_records")
            (found,) = [ref for ref, one in records.items() if one["type"] == "ca"]
            own = next(ref for ref, one in records.items() if one["type"] == "host")
            assert await refused(h1.ask(call, of, own)) == ["NOT_TRUSTED_CERTIFICATE", own]
            await h2.ask(call, of, found)
            await settled(*hosts)
            assert await rows(h1) == await rows(h2) == []
            gone = await refused(h1.ask(call, of, found))
            assert gone == ["HANDLE_INVALID", "Certificate", found]

    run(story())


def test_a_revocation_list_is_held_by_every_host_and_by_the_next_coordinator(pool: Pool) -> None:
    hosts = h1, h2, h3 = pool(3)

    async def story() -> None:
        async with running(*hosts):
            await h2.ask("pool.crl_install", "root.pem", CRL)
            # Before it was answered as done, half of the members held it.
            held = [bool(host.daemon.store.get("crl", "root.pem")) for host in hosts]
            assert held.count(True) >= 2
            await settled(*hosts)
            assert await h3.ask("pool.crl_list") == ["root.pem"]
            exists = await refused(h1.ask("pool.crl_install", "root.pem", CRL))
            assert exists == ["CRL_ALREADY_EXISTS", "root.pem"]
            name = await refused(h1.ask("pool.crl_install", "root", CRL))
            assert name == ["CRL_NAME_INVALID", "root"]
            bad = await refused(h1.ask("pool.crl_install", "bad.pem", "bogus"))
            assert bad == ["CRL_CORRUPT", "bad.pem"]
            none = await refused(h1.ask("pool.crl_uninstall", "bad.pem"))
            assert none == ["CRL_DOES_NOT_EXIST", "bad.pem"]
            await h1.stop()
            await h2.ask("pool.emergency_transition_to_master")
            assert await h2.ask("pool.crl_list") == ["root.pem"]
            await h2.ask("pool.crl_uninstall", "root.pem")
            assert await h3.ask("pool.crl_list") == []

    run(story(), 60)


def test_a_list_of_another_release_that_this_one_can_not_use_is_an_alert_until_it_is_replaced(
    pool: Pool,
) -> None:
    (h1,) = pool(1)

    async def alerts() -> set[str]:
        await h1.daemon.alerting.look()
        return {row["name"] for row in h1.daemon.store.rows("alert").values()}

    async def story() -> None:
        async with running(h1):
            store = h1.daemon.store
            row = {"der": b64encode(b"a form of its own").decode()}
            await store.append(store.revision, [Change("crl", "old.pem", row)])
            await h1.ask("pool.crl_install", "good.pem", CRL)
            assert list(h1.daemon.trusting.lists()) == ["good.pem"]
            assert "POOL_CRL_UNUSABLE" in await alerts()
            await h1.ask("pool.crl_install", "old.pem", CRL)
            assert "POOL_CRL_UNUSABLE" not in await alerts()

    run(story())


def test_who_lacks_what_is_trusted_is_named(pool: Pool) -> None:
    hosts = h1, _, h3 = pool(3)

    async def story() -> None:
        async with running(*hosts):
            await h1.ask("pool.certificate_sync")
            lost = h3.me
            await h3.stop()
            await h1.ask("pool.install_ca_certificate", "ca.pem", CA)
            await h1.ask("pool.crl_install", "root.pem", CRL)
            with pytest.raises(Reported) as why:
                await h1.ask("pool.certificate_sync")
            assert (why.value.code, why.value.parameters()) == ("CANNOT_CONTACT_HOST", [lost])
            assert "h3" in str(why.value)
            await h3.start()
            await until(lambda: h3.roster.anchors)
            await h1.ask("pool.certificate_sync")
            assert h3.daemon.store.get("crl", "root.pem")

    run(story(), 60)


def test_a_pool_trusts_so_many_and_no_more(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    (h1,) = pool(1)
    monkeypatch.setattr("pooltrust.pool.anchors.MOST_ANCHORS", 1)
    monkeypatch.setattr("pooltrust.pool.revocations.MOST_BYTES", len(CRL))

    async def story() -> None:
        async with running(h1):
            await trust(h1, True, CA)
            refusal = await refused(trust(h1, True, OTHER))
            assert refusal[0] == "OPERATION_NOT_ALLOWED"
            await trust(h1, True, CA, "ldaps")
            await h1.ask("pool.crl_install", "a.pem", CRL)
            refusal = await refused(h1.ask("pool.crl_install", "b.pem", CRL))
            assert refusal[0] == "OPERATION_NOT_ALLOWED"
            # Every connection with a client certificate asks: they are read when they change only.
            read = h1.daemon.trusting.lists()
            await h1.ask("pool.set_name_label", await pool_ref(h1), "renamed")
            assert h1.daemon.trusting.lists() is read
            await h1.ask("pool.crl_uninstall", "a.pem")
            assert (list(read), list(h1.daemon.trusting.lists())) == (["a.pem"], [])

    run(story())
