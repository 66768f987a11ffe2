"""`make screenshots`: the console's main pages with a real pool, into docs/screenshots."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from pooltrust.pki.mint import mint_server_identity
from sources import PROJECT

from .stage import Stage, stage

_BEGIN = "-----BEGIN CERTIFICATE-----"
FOLDER = PROJECT / "docs" / "screenshots"


def take(told: Stage) -> None:
    """Every picture, in the order in which a person comes by."""
    browser = told.browser
    told.add(told.h1)
    browser.see("First meeting with")
    shoot(told, "first-meeting")
    browser.click("Trust and remember")
    browser.see("Ready: nothing is in its way.", "#dialog")
    shoot(told, "enable")
    browser.click("Yes, Enable certificate verification", area="#dialog")
    browser.see("Done.", "#dialog")
    told.close()
    [ref] = told.h1.call("pool.get_all_records")
    told.h1.call("pool.set_name_label", ref, "herons")
    _worry(told)
    told.go("pool", "map")
    browser.click("Probe again")
    browser.see("9 of 9 verified.")
    shoot(told, "map")
    for page, text in (
        ("general", "2 of 6 need attention"),
        ("certificates", "RSA-2048"),
        ("history", "entries hold"),
    ):
        told.go("pool", page)
        browser.see(text)
        shoot(told, page)
    browser.run("location.hash = '#/notifications'")
    browser.see("11 days left")
    shoot(told, "notifications")
    told.to_host(told.hosts[1])
    browser.see("; self-signed;")
    shoot(told, "host")
    browser.scheme("dark")
    told.go("pool", "general")
    browser.see("2 of 6 need attention")
    shoot(told, "general-dark")
    browser.size(390, 780)
    shoot(told, "narrow")
    told.go("pool", "certificates")
    browser.see("RSA-2048")
    shoot(told, "narrow-certificates")


def _worry(told: Stage) -> None:
    """Two server certificates that end soon, one of them for another address."""
    for host, days, address in (
        (told.hosts[1], 5, told.hosts[1].address),
        (told.hosts[2], 12, "10.9.9.9"),
    ):
        minted = mint_server_identity(
            [host.name], [address], datetime.now(UTC), lifetime=timedelta(days=days)
        )
        ref = host.call("host.get_by_uuid", host.status()["host"])
        key, certificate = minted.pem().decode().split(_BEGIN)
        host.call("host.install_server_certificate", ref, _BEGIN + certificate, key, "")


def shoot(told: Stage, name: str) -> None:
    """One picture, when the notices in the corner are gone."""
    told.browser.wait("document.getElementById('said').children.length === 0")
    told.browser.picture(FOLDER / f"{name}.png")
    print(FOLDER / f"{name}.png", flush=True)


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    with stage() as told:
        take(told)
