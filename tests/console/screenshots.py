"""`make screenshots`: the console's main pages with a real pool, into docs/screenshots."""

from __future__ import annotations

from sources import PROJECT

from .stage import Stage, stage

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
    told.to_host(told.hosts[1])
    browser.see("; self-signed;")
    shoot(told, "host")
    for page, text in (
        ("certificates", "RSA-2048"),
        ("map", "9 of 9 verified."),
        ("history", "entries hold"),
    ):
        told.go("pool", page)
        browser.see(text)
        shoot(told, page)
    browser.scheme("dark")
    told.go("pool", "general")
    browser.see("Enabled")
    shoot(told, "general-dark")
    browser.size(390, 780)
    shoot(told, "narrow")


def shoot(told: Stage, name: str) -> None:
    """One picture, when the notices in the corner are gone."""
    told.browser.wait("document.getElementById('said').children.length === 0")
    told.browser.picture(FOLDER / f"{name}.png")
    print(FOLDER / f"{name}.png", flush=True)


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    with stage() as told:
        take(told)
