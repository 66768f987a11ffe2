"""Looking at certificates, refreshing pool identities, resetting server identities."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pki.offered.stage import Maker, made
from pools.stage import SOON, Host, within

from .rows import proves
from .stage import World, ended, fingerprint, good, gui, shown, uuid_of

pytestmark = pytest.mark.needs("openssl")

DATES = datetime.now(UTC) - timedelta(days=1), datetime.now(UTC) + timedelta(days=90)


@proves(33, 36, 37)
def test_a_graphical_client_shows_verification_and_each_authority(
    world: World, tmp_path: Path
) -> None:
    h1, pem = world["h1"], made("an authority", Maker.named("any").key, ca=True, dates=DATES)
    (file := tmp_path / "authority.pem").write_text(pem)
    good(world["h2"], "pool-install-ca-certificate", f"filename={file}")
    with gui(h1) as client:
        assert client.pool()["tls_verification_enabled"]
        [one] = [one for one in client.records("Certificate") if one["type"] == "ca"]
    assert (one["name"], one["fingerprint_sha256"]) == ("authority.pem", fingerprint(pem))
    assert one["not_after"] == f"{DATES[1]:%Y%m%dT%H:%M:%SZ}"
    good(h1, "pool-uninstall-ca-certificate", "name=authority.pem")


@proves(33, 40, 41)
def test_both_identities_of_each_host_are_listed_with_thumbprint_and_dates(world: World) -> None:
    with gui(world["h1"]) as client:
        hosts = {one["hostname"]: one["certificates"] for one in client.records("host")}
        certificates = client.call("Certificate.get_all_records")
    listed = good(world["h3"], "certificate-list")
    for host in world.pool:
        records = [certificates[ref] for ref in hosts[host.name]]
        for sort, name in (("host", ""), ("host_internal", "pool")):
            [record] = [one for one in records if one["type"] == sort]
            met = shown(host, name)
            assert record["fingerprint_sha256"] == fingerprint(met.pem())
            dates = met.not_before, met.not_after
            assert [record["not_before"], record["not_after"]] == [
                f"{date:%Y%m%dT%H:%M:%SZ}" for date in dates
            ]
            assert record["fingerprint"] in listed


def changed(host: Host, before: object, name: str = "") -> None:
    within(SOON, lambda: shown(host, name) != before)


@proves(42, 43, 44, 45)
def test_a_pool_identity_is_refreshed_by_one_command_and_any_selector(world: World) -> None:
    h2, h3 = world["h2"], world["h3"]
    before, others = shown(h2, "pool"), shown(h2)
    good(h3, "host-refresh-server-certificate", f"host={uuid_of(h3, 'h2')}")
    changed(h2, before, "pool")
    assert shown(h2) == others
    before = shown(h3, "pool")
    good(h2, "host-refresh-server-certificate", "name-label=h3")
    changed(h3, before, "pool")
    assert all(one["verified"] == "true" for one in world["h1"].probe().values())


def keys(host: Host) -> set[str]:
    return {path.name for path in (host.state / "identities").glob("server-*")}


@proves(33, 46, 47, 48, 49, 50, 51, 52, 53, 54)
def test_a_graphical_client_resets_a_server_identity_by_one_call_and_connects_again(
    world: World,
) -> None:
    h1 = world["h1"]
    before, files = shown(h1), keys(h1)
    with gui(h1) as client:
        [host] = [ref for ref, one in client.call("host.get_all_records").items()
                  if one["hostname"] == "h1"]  # fmt: skip
        client.call("host.reset_server_certificate", host)
        assert ended(client.connection)
    assert shown(h1) != before and shown(h1).self_signed
    assert len(keys(h1)) == 1 and not keys(h1) & files
    with gui(h1) as again:
        assert len(again.records("host")) >= 3


@proves(33, 46, 47, 53, 54, 55, 56, 57, 58, 59)
def test_a_server_identity_is_reset_by_one_command_and_any_selector(world: World) -> None:
    h1, h2 = world["h1"], world["h2"]
    for selector in (f"host={uuid_of(h2, 'h1')}", "name-label=h1"):
        before, members = shown(h1), shown(h1, "pool")
        with gui(h1) as client:
            good(h2, "host-reset-server-certificate", selector)
            assert ended(client.connection)
        assert shown(h1) != before and shown(h1).self_signed
        assert shown(h1, "pool") == members
        with gui(h1) as again:
            assert again.pool()["uuid"]
