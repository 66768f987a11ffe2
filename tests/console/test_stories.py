"""What a person does with the console, in a real browser, with real hosts: one story after another.

Each begins where the one before ended.  At the end of each the page has nothing to complain of.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from appliances.stage import DATES, SECRET, Appliance
from appliances.test_balancing import ADDED, NEW_KEY
from certificates.test_requesting import CHAIN, answer
from certificates.test_trust import CA, CRL
from pki.offered.stage import key_text, made, private
from pools.stage import Host, within
from pooltrust.command.client import Reported
from pooltrust.pki.mint import mint_server_identity
from pooltrust.terms import Thumbprint
from stranger import knock

from .stage import Stage

pytestmark = pytest.mark.needs("chromium", "node", "npm")

ENABLE = "Enable Certificate Verification"
YES = "Yes, Enable certificate verification"
PAGES = ("general", "certificates", "map", "history", "trusted", "members", "users", "tasks")


@pytest.fixture(autouse=True)
def nothing_to_complain_of(told: Stage) -> Iterator[None]:
    told.browser.run("document.querySelector('dialog').close()")  # of a story that failed
    yield
    assert told.browser.complaints() == []


def test_a_server_is_shown_before_anything_is_said_to_it(told: Stage):
    browser, h1 = told.browser, told.h1
    told.add(h1)
    browser.see("First meeting with")

    assert browser.text(".thumbprint.large") == told.server_thumbprint(h1)
    assert f"CN={h1.name}" in browser.text("main") and "RSA-2048" in browser.text("main")
    browser.see("Its certificate is self-signed")
    logins = [one["originator"] for one in h1.call("pooltrust.get_sessions")]
    assert "pooltrust console" not in logins and told.console.servers == []
    assert browser.violations() == []


def test_an_expected_thumbprint_says_whether_it_is_the_one(told: Stage):
    browser = told.browser
    expected = "Paste the thumbprint that you expect (from the host: pooltrust host status)"

    browser.fill(expected, told.server_thumbprint(told.hosts[1]))
    browser.see("It is NOT the expected certificate.")
    browser.fill(expected, told.server_thumbprint(told.h1).lower().replace(":", " "))
    browser.see("It is the expected certificate.")


def test_to_trust_is_to_know_the_whole_pool_by_its_coordinator(told: Stage):
    told.browser.click("Trust and remember")
    told.browser.see("Certificate verification is off", "#dialog")

    known = {one["name"]: (one["thumbprint"], one["how"]) for one in told.console.servers}
    learned = "told by its pool over a verified connection"
    assert known == {
        "h1": (told.server_thumbprint(told.h1), "accepted by you when it was shown"),
        "h2": (told.server_thumbprint(told.hosts[1]), learned),
        "h3": (told.server_thumbprint(told.hosts[2]), learned),
    }
    assert told.h1.password not in told.console.known.read_text()


def test_verification_is_offered_at_each_connection_and_can_wait(told: Stage):
    browser = told.browser
    browser.run("location.reload()")
    browser.see("Certificate verification is off", "#dialog")
    browser.see("Ready: nothing is in its way.", "#dialog")
    assert browser.violations() == []
    browser.click("Not now")

    browser.see("Disabled", "[data-entry='Certificate Verification']")
    browser.see("Certificate verification is off: the hosts of this pool do not verify")


@pytest.mark.parametrize("way", ["menu", "right click", "keyboard"])
def test_there_are_three_ways_to_enable_and_each_asks_first(told: Stage, way: str):
    browser = told.browser
    if way == "menu":
        browser.menu("Pool", ENABLE)
    elif way == "right click":
        browser.rightclick("[data-entry='Certificate Verification'] dt")
        browser.item(ENABLE)
    else:
        browser.click("Actions for Certificate Verification")
        browser.press("ArrowDown")
        assert browser.focused() == ENABLE
        browser.press("Enter")
    browser.see("Ready: nothing is in its way.", "#dialog")
    browser.see(YES, "#dialog")

    browser.press("Escape")
    assert browser.count("#dialog[open]") == 0


def test_who_has_gone_on_is_not_called_back(told: Stage):
    browser = told.browser
    browser.menu("Pool", ENABLE)
    browser.press("Escape")  # while its plan is asked for, or after
    browser.click("Add server", area="#bar")
    time.sleep(0.5)  # nothing is waited for: the plan is not to come

    assert browser.text("#dialog h2") == "Add server"


def test_enabled_is_enabled_on_every_host_and_said_in_xe(told: Stage):
    browser = told.browser
    browser.click(ENABLE, area="main .banner")
    browser.click(YES)
    browser.see("Done.", "#dialog")

    assert "pool-enable-tls-verification" in browser.text("#dialog .xe")
    told.close()
    browser.see("Enabled", "[data-entry='Certificate Verification']")
    assert [host.status()["verification"] for host in told.hosts[:3]] == ["on"] * 3
    browser.menu("Pool")  # and the way to it is not dead, but ticked
    checked = browser.run(
        "document.querySelector('[role=menuitemcheckbox]').getAttribute('aria-checked')"
    )
    assert checked == "true"
    browser.press("Escape")


def test_a_change_made_elsewhere_appears_within_a_second(told: Stage):
    browser = told.browser
    [ref] = told.h1.call("pool.get_all_records")
    watching = """
        window.told = {began: Date.now()}
        new MutationObserver(() => {
          if (document.querySelector('main h1').innerText === 'herons') told.seen ??= Date.now()
        }).observe(document.body, {subtree: true, childList: true, characterData: true})
    """
    browser.run(f"(() => {{ {watching} }})()")
    told.h1.call("pool.set_name_label", ref, "herons")
    browser.wait("window.told.seen")

    assert browser.run("told.seen - told.began") < 1000


def test_a_reset_from_the_menu_needs_no_second_trust(told: Stage):
    browser, h1 = told.browser, told.h1
    old = told.server_thumbprint(h1)
    told.to_host(h1)
    browser.see("Server identity certificate")
    browser.see("Pool-internal identity certificate")
    browser.menu("Server", "Certificates", "Reset Certificate")
    browser.see("Every client of this host is disconnected", "#dialog")
    assert browser.violations() == []
    browser.click("Yes", area="#dialog")
    browser.see("Done.", "#dialog")

    new = told.server_thumbprint(h1)
    assert new != old and browser.text("#dialog .thumbprint.large") == new
    assert "host-reset-server-certificate" in browser.text("#dialog .xe")
    told.close()
    browser.see(new, "[data-entry='host']")
    assert {one["thumbprint"] for one in told.console.servers if one["name"] == "h1"} == {new}
    # And it speaks to h1 again, as whom it was told.
    browser.gone("Connecting again in")
    browser.menu("Server", "Certificates", "Refresh pool-internal identity…")
    browser.see("write into the trust log", "#dialog")
    browser.press("Escape")


def test_a_refresh_shows_its_plan_and_then_the_new_identity(told: Stage):
    browser, h2 = told.browser, told.hosts[1]
    old = told.pool_thumbprint(h2)
    told.to_host(h2)
    browser.rightclick("[data-entry='host_internal'] dt")
    browser.item("Refresh pool-internal identity…")
    browser.see("no way back from here on", "#dialog")
    browser.click("Refresh", area="#dialog")
    browser.see("Done.", "#dialog")

    told.close()
    new = told.pool_thumbprint(h2)
    assert new != old
    browser.see(new, "[data-entry='host_internal']")


def test_the_whole_pool_is_refreshed_one_host_after_another(told: Stage):
    browser = told.browser
    old = {told.pool_thumbprint(host) for host in told.hosts[:3]}
    told.go("pool", "members")
    browser.click("Refresh every pool-internal identity…", area="main")
    browser.see("h3: ", "#dialog")
    told_order = browser.run("document.querySelector('#dialog .plan').innerText")
    assert told_order.index("h2: ") < told_order.index("h3: ") < told_order.index("h1: ")
    browser.click("Refresh all", area="#dialog")
    browser.see("Done.", "#dialog")

    told.close()
    assert not old & {told.pool_thumbprint(host) for host in told.hosts[:3]}


def test_what_is_wrong_with_a_certificate_is_said_beside_its_field_before_a_host_is_asked(
    told: Stage,
):
    browser, h2 = told.browser, told.hosts[1]
    before = told.server_thumbprint(h2)
    told.to_host(h2)
    browser.menu("Server", "Certificates", "Install Certificate…")
    browser.fill("Certificate", "no certificate")
    browser.fill("Private key", "-----BEGIN RSA PRIVATE KEY-----")
    browser.click("Go on")
    browser.see("There is no certificate in it.", "#install-certificate-found")
    browser.see("A block of RSA PRIVATE KEY is cut off", "#install-key-found")
    assert browser.violations() == []
    other = mint_server_identity(["h9"], [], datetime.now(UTC)).pem().decode()
    browser.fill("Certificate", _parts(other)[1])
    browser.fill("Private key", key_text("p256"))
    browser.see("The certificate was issued for another key", "#install-key-found")
    browser.see(f"The certificate does not cover {h2.address}", "#install-certificate-found")
    browser.click("Go on")
    browser.see("1 thing is in the way.", "#dialog")

    browser.press("Escape")
    assert told.server_thumbprint(h2) == before


def test_a_certificate_that_ends_soon_is_installed_alerted_and_cured(told: Stage):
    browser, h2 = told.browser, told.hosts[1]
    lifetime = timedelta(days=5)
    soon = mint_server_identity(["h2"], [h2.address], datetime.now(UTC), lifetime=lifetime)
    key, certificate = _parts(soon.pem().decode())
    browser.menu("Server", "Certificates", "Install Certificate…")
    browser.fill("Certificate", certificate)
    browser.fill("Private key", key)
    browser.click("Go on")
    browser.click("Install", area="#dialog")
    browser.see("Done.", "#dialog")
    assert browser.text("#dialog .thumbprint.large") == str(soon.certificate.thumbprint)
    assert "host-server-certificate-install" in browser.text("#dialog .xe")
    assert key.splitlines()[1] not in browser.run("document.body.innerText")
    told.close()
    browser.see("4 d left", "#tree")

    browser.click("Notifications: 1, critical", "link")
    browser.see("4 days left", "main")
    assert browser.violations() == []
    browser.click("Reset Certificate", area="main")
    browser.click("Yes", area="#dialog")
    browser.see("Done.", "#dialog")
    told.close()
    browser.see("Nothing needs attention.")
    browser.see("Notifications: none", "#bar")


def _parts(pem: str) -> tuple[str, str]:
    """The key and the certificate."""
    blocks = re.findall(r"-----BEGIN .*?-----END [A-Z ]*-----\n", pem, re.DOTALL)
    [key] = [block for block in blocks if "PRIVATE KEY" in block]
    [certificate] = [block for block in blocks if "CERTIFICATE" in block]
    return key, certificate


@pytest.mark.parametrize("keys", ["Shift+F10", "ContextMenu"])
def test_what_a_right_click_offers_the_keyboard_does_too(told: Stage, keys: str):
    browser = told.browser
    told.to_host(told.hosts[1])
    browser.run("document.querySelector('[data-entry=host] dd.more button').focus()")
    browser.press(keys)
    browser.see("Reset Certificate", ".menu")
    assert browser.focused() == "Copy thumbprint"

    browser.press("Escape")
    assert browser.count(".menu") == 0 and browser.focused() == "⋯"


def test_the_keyboard_is_where_it_was_after_a_menu_and_its_dialog(told: Stage):
    browser = told.browser
    browser.run("document.querySelector('#bar [data-key=Server]').focus()")
    browser.press("Enter", "ArrowRight", "ArrowDown")
    assert browser.focused() == "Reset Certificate"
    browser.press("Enter")
    browser.see("Every client of this host is disconnected", "#dialog")
    browser.press("Escape")
    assert browser.focused() == "Server"


def test_a_right_click_in_the_tree_offers_what_the_menus_do(told: Stage):
    browser = told.browser
    browser.rightclick("#tree .pool")
    browser.see(ENABLE, ".menu")
    browser.press("Escape")
    browser.rightclick("#tree ul ul li:nth-child(3) a")
    browser.see("h3", ".menu .about")
    browser.item("Certificates")
    browser.see("Reset Certificate", ".menu:last-child")
    browser.press("Escape", "Escape")
    assert browser.count(".menu") == 0


def test_a_request_is_made_here_and_its_signed_answer_is_installed(told: Stage):
    browser, h2 = told.browser, told.hosts[1]
    told.to_host(h2)
    browser.menu("Server", "Certificates", "Certificate request (CSR)…")
    browser.fill("More DNS names than the host’s own", "herons.example.org")
    browser.click("Make a request", area="#dialog")
    browser.wait("!document.querySelector('#csr-key')")
    browser.click("Make a request", area="#dialog")
    browser.see("The request", "#dialog")
    asked = browser.run("document.querySelector('#csr-pem').value")
    assert asked == h2.call("pooltrust.get_certificate_request", _ref(h2))
    assert browser.violations() == []
    told.close()

    browser.click("CSR…", area="main")
    browser.click("Install the answer…", area="#dialog")
    browser.fill("Certificate", answer(asked))
    browser.fill("Intermediate certificates", CHAIN)
    browser.click("Go on")
    browser.click("Install", area="#dialog")
    browser.see("Done.", "#dialog")
    new = browser.text("#dialog .thumbprint.large")
    told.close()
    browser.see(new, "[data-entry='host']")
    assert new == told.server_thumbprint(h2)


def _ref(host: Host) -> str:
    return str(host.call("host.get_by_uuid", host.status()["host"]))


def test_an_authority_and_its_list_are_installed_and_removed(told: Stage):
    browser = told.browser
    told.go("pool", "trusted")
    for button, pem, file in (
        ("Install a CA certificate…", CA, "authority.pem"),
        ("Install a revocation list…", CRL, "list.pem"),
    ):
        browser.click(button, area="main")
        browser.fill("PEM", pem)
        browser.see("CN=root", "#dialog")
        browser.fill("Name (a file name that ends in .pem)", file)
        browser.click("Go on")
        browser.see("Thumbprint (SHA-256)", "#dialog")
        browser.click("Install", area="#dialog")
        browser.see("Done.", "#dialog")
        told.close()
        browser.see(file, "main")

    for button, file in (("Remove…", "authority.pem"), ("Remove…", "list.pem")):
        browser.click(button, area="main")
        browser.click("Remove", area="#dialog")
        browser.see("Done.", "#dialog")
        told.close()
        browser.gone(file, "main")
    assert told.h1.call("pool.crl_list") == []


@pytest.mark.needs("nginx")
def test_an_appliance_is_looked_at_pinned_and_connected(told: Stage, tmp_path: Path):
    browser = told.browser
    told.go("pool", "members")
    with Appliance.at(tmp_path / "appliance") as appliance:
        browser.click("Look at its certificate…", area="main")
        browser.fill("Address:port", appliance.url)
        browser.click("Look", area="#dialog")
        browser.see(str(appliance.thumbprint), "#dialog .thumbprint.large")
        browser.click("Trust exactly this certificate", area="#dialog")
        browser.wait("!document.querySelector('#dialog .thumbprint')")
        browser.click("Trust exactly this certificate", area="#dialog")
        browser.see("Done.", "#dialog")
        told.close()
        appliance.answers |= {"AddXenServer": ADDED, "RemoveXenServer": ""}
        browser.click("Connect…", area="main")
        browser.fill("Address:port", appliance.url)
        browser.fill("User there", "wlbuser")
        browser.fill("Password there", "counts-18-herons")
        browser.fill("Its password", told.h1.password)
        browser.click("Go on")
        browser.click("Connect", area="#dialog")
        browser.see("Done.", "#dialog")
        assert "counts-18-herons" not in browser.text("#dialog .xe")
        told.close()
        browser.see("its certificate is verified")
        browser.click("Disconnect…", area="main")
        browser.click("Disconnect", area="#dialog")
        browser.see("Done.", "#dialog")
        told.close()
        browser.see("No appliance is connected.")
    told.go("pool", "trusted")
    browser.click("Remove…", area="main")
    browser.click("Remove", area="#dialog")
    browser.see("Done.", "#dialog")
    told.close()


def test_a_task_is_shown_while_it_runs(told: Stage):
    browser, h1 = told.browser, told.h1
    told.go("pool", "tasks")
    task = h1.call("task.create", "Counting herons", "")
    browser.see("Counting herons")
    h1.call("task.set_status", task, "cancelled")
    browser.see("cancelled", "main")
    h1.call("task.destroy", task)
    browser.gone("Counting herons")


def test_every_certificate_is_in_one_table_that_is_filtered_and_saved(told: Stage):
    browser = told.browser
    told.go("pool", "certificates")
    browser.see("All certificates", "h2")
    assert browser.count("main tbody tr") == 6
    browser.fill("Filter All certificates", "h3 internal")
    browser.wait("document.querySelectorAll('main tbody tr').length === 1")

    assert told.pool_thumbprint(told.hosts[2]) in browser.saved("Save as CSV")
    browser.fill("Filter All certificates", "")
    browser.choose("Type", "Server identity")
    browser.wait("document.querySelectorAll('main tbody tr').length === 3")
    assert browser.saved("Save the ends as a calendar (iCal)").count("BEGIN:VEVENT") == 3
    browser.choose("Type", "all")
    browser.wait("document.querySelectorAll('main tbody tr').length === 6")
    # What ends first is above, and one more line has the rest.
    ends = re.findall(r"\b20\d\d-\d\d-\d\d\b", browser.text("main tbody"))
    assert len(ends) == 6 and ends == sorted(ends)
    browser.click("Details of h1")
    browser.see(told.pool_thumbprint(told.h1), "tr.details")
    browser.click("Details of h1")
    browser.wait("!document.querySelector('tr.details')")


def test_the_map_and_the_history_are_of_what_really_was(told: Stage):
    browser = told.browser
    told.go("pool", "map")
    browser.see("9 of 9 verified.")
    browser.click("h2 to h3: verified")
    browser.see(told.pool_thumbprint(told.hosts[2]), "#dialog")
    browser.press("Escape")
    told.go("pool", "history")
    browser.see("entries hold: every hash, signature and rule was checked here")
    browser.see("certificate verification is enabled")


@pytest.mark.needs("nginx")
def test_the_map_tells_who_refused_whom_and_why_while_one_looks(told: Stage, tmp_path: Path):
    browser, h1, h2 = told.browser, told.h1, told.hosts[1]
    told.go("pool", "map")
    browser.wait(seen("console at h1: let in"))
    with Appliance.at(tmp_path / "appliance") as appliance:
        h1.call("pooltrust.pin_wlb_certificate", appliance.url, str(appliance.thumbprint))
        pinned = appliance.thumbprint
        appliance.shows(made("impostor", private(NEW_KEY), names=(), dates=DATES), NEW_KEY)
        with pytest.raises(Reported, match="another certificate"):
            h1.call("pool.initialize_wlb", appliance.url, "wlbuser", SECRET, "root", h1.password)
        shown = Thumbprint.parse(told.pool_thumbprint(h2))
        asyncio.run(knock(h2.address, h2.port, shown, tmp_path))

        browser.wait(seen("Workload Balancing at h1: refused"))
        browser.wait(seen("no member, by the pool’s name at h2: refused"))
        rows = browser.text("main table.stacked")
        assert "h1 refused: it is another certificate than the one expected" in rows
        assert f"xe pool-pin-wlb-certificate wlb_url={appliance.url}" in rows
        assert "h2 refused: unknown certificate: not accepted from any member" in rows
        browser.click("Workload Balancing at h1: refused")
        said = browser.text("#dialog")
        assert str(appliance.thumbprint) in said and str(pinned) in said
        assert "CN=impostor" in said and browser.violations() == []
        assert SECRET not in said and h1.password not in said
    browser.press("Escape")
    browser.see("Exempt as a TLS client end point; hosts never dial it.", "main")
    [pin] = [
        ref
        for ref, one in h1.call("Certificate.get_all_records").items()
        if one["type"] == "pinned"
    ]
    h1.call("pool.uninstall_trusted_certificate", next(iter(h1.call("pool.get_all_records"))), pin)


def seen(cell: str) -> str:
    """A script: whether the map has this cell."""
    return f"!!document.querySelector('table.map button[aria-label=\"{cell}\"]')"


def test_a_coordinator_that_is_away_is_waited_for_in_sight(told: Stage):
    browser, h1 = told.browser, told.h1
    told.go("pool", "general")
    h1.stop()
    browser.see("Connecting again in")
    browser.see("was verified", "#tree")
    assert browser.violations() == []
    assert browser.count("main .banner button") == 1  # Now
    h1.run()
    browser.run("document.querySelector('main .banner button')?.click()")

    browser.gone("Connecting again in")
    browser.see("herons", "h1")


def test_a_host_joins_by_the_assistant_once_both_sides_verify(told: Stage):
    browser, h4 = told.browser, told.hosts[3]
    told.add(h4)
    browser.see("First meeting with")
    browser.click("Trust this once")
    browser.see("Certificate verification is off", "#dialog")
    browser.click("Not for this pool")
    browser.see(h4.name, "main h1")
    assert h4.name not in {one["name"] for one in told.console.servers}
    told.go("pool", "members")
    browser.click("Join a host to this pool…", area="main")
    browser.click(h4.name, area="#dialog")
    browser.see(told.pool_thumbprint(h4), "#dialog")
    browser.see("Certificate verification is off at the joining host", "#dialog")
    browser.click(ENABLE, area="#dialog")
    browser.click(YES)
    browser.see("Done.", "#dialog")
    told.close()
    browser.click("Join a host to this pool…", area="main")
    browser.click(h4.name, area="#dialog")
    browser.see("Ready: nothing is in its way.", "#dialog")
    browser.see("The host joins by a code", "#dialog")
    browser.see(f"must show certificate {told.pool_thumbprint(told.h1)}", "#dialog")
    browser.click("Join", area="#dialog")

    browser.see("It is a member of that pool now", "#dialog")
    told.close()
    assert len(told.h1.members()) == 4
    browser.wait(
        "document.querySelectorAll('main table')[0].querySelectorAll('tbody tr').length === 4"
    )
    browser.wait("document.querySelector('#tree > ul').children.length === 1")


def test_an_ejected_host_is_gone_from_the_tree_and_believed_by_nobody(told: Stage):
    browser, h4 = told.browser, told.hosts[3]
    told.go("pool", "members")
    browser.fill("Filter Members", "h4")
    browser.wait(
        "document.querySelectorAll('main table')[0].querySelectorAll('tbody tr').length === 1"
    )
    browser.click("Eject…", area="main")
    browser.see("is no member any more", "#dialog")
    browser.click("Eject", area="#dialog")
    browser.see("Done.", "#dialog")
    told.close()

    browser.wait(
        "![...document.querySelectorAll('#tree .label')].some(one => one.innerText === 'h4')"
    )
    assert h4.name not in told.h1.members()


def test_an_emergency_on_one_host_is_in_sight_everywhere(told: Stage):
    browser, h3 = told.browser, told.hosts[2]
    h3.call("host.emergency_disable_tls_verification")
    told.go("pool", "general")
    browser.see("Enabled on the pool, but disabled on:", "[data-entry='Certificate Verification']")
    browser.see("verification off here", "#tree")
    told.to_host(h3)
    browser.see("Disabled, but enabled on the pool", "[data-entry='Certificate Verification']")
    browser.run("location.hash = '#/notifications'")
    browser.see("xe host-emergency-reenable-tls-verification", "main table")
    browser.click("Verify again…")
    browser.see("It is switched off at:", "#dialog")
    browser.click("Yes, Enable certificate verification", area="#dialog")
    browser.see("Every host verifies whom it dials.", "#dialog")
    told.close()

    browser.see("Nothing needs attention.")
    assert h3.status()["verification"] == "on"


def test_a_user_is_added_with_a_role_and_sees_less(told: Stage):
    browser = told.browser
    told.go("pool", "users")
    browser.click("Add user…")
    browser.fill("Name", "mabel")
    browser.fill("Password", "counts-17-herons")
    browser.click("Go on")
    browser.click("Add", area="#dialog")
    browser.see("Done.", "#dialog")
    assert "counts-17-herons" not in browser.text("#dialog .xe")
    told.close()
    browser.see("mabel", "main table")
    assert [one["roles"] for one in told.h1.call("pooltrust.get_users")] == ["read-only", ""]


def test_the_console_follows_to_another_coordinator(told: Stage):
    browser, h2 = told.browser, told.hosts[1]
    told.go("pool", "members")
    browser.fill("Filter Members", "h2")
    browser.wait(
        "document.querySelectorAll('main table')[0].querySelectorAll('tbody tr').length === 1"
    )
    browser.click("Make coordinator…", area="main")
    browser.click("Hand over", area="#dialog")
    browser.see("Done.", "#dialog")
    told.close()
    browser.fill("Filter Members", "")
    told.go("pool", "general")
    browser.see(f"{h2.address}:{h2.port}, TLSv1.3, its certificate is remembered")

    told.h1.call(
        "pool.designate_new_master", told.h1.call("host.get_by_uuid", told.h1.status()["host"])
    )
    browser.see(f"{told.h1.address}:{h2.port}, TLSv1.3, its certificate is remembered")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_is_accessible_and_fits_a_telephone(told: Stage, scheme: str):
    browser = told.browser
    browser.scheme(scheme)
    found = []
    for width in (1280, 390):
        browser.size(width, 800)
        for page in (*PAGES, "#/known", "#/notifications"):
            if page.startswith("#"):
                browser.run(f"location.hash = '{page}'")
            else:
                told.go("pool", page)
            browser.wait("!document.querySelector('main .busy')")
            found += [f"{page} at {width}: {one}" for one in browser.violations()]
            wide = browser.run("document.documentElement.scrollWidth")
            found += [f"{page} is {wide} wide at {width}"] if wide > width else []
    browser.size(1280, 800)
    assert found == []


def test_every_dialog_is_accessible_fits_a_telephone_and_gives_the_focus_back(told: Stage):
    browser = told.browser
    asking = "[...document.querySelectorAll('main button')].map(one => one.innerText)"
    browser.size(390, 800)
    found, asked = [], set[str]()
    host = f"host/{told.h1.status()['host']}/general"
    for page in (*PAGES, host):
        told.go(*(["pool", page] if page in PAGES else page.split("/")))
        browser.wait("!document.querySelector('main .busy')")
        for label in [one for one in browser.run(asking) if one.endswith("…")]:
            if label in asked:
                continue
            browser.scheme("dark" if len(asked) % 2 else "light")
            asked.add(label)
            browser.click(label, area="main")
            browser.wait("document.querySelector('#dialog[open]')")
            browser.wait("!document.querySelector('#dialog .busy')")
            found += [f"{label} ({page}): {one}" for one in browser.violations()]
            wide = browser.run("document.documentElement.scrollWidth")
            found += [f"{label} is {wide} wide"] if wide > 390 else []
            browser.press("Escape")
            browser.wait("!document.querySelector('#dialog[open]')")
            back = browser.run("document.activeElement.innerText")
            found += [] if back == label else [f"{label}: the focus is on {back[:40]!r}"]
    browser.size(1280, 800)
    browser.scheme("light")
    assert found == [] and len(asked) > 10


def test_names_of_any_kind_harm_nothing(told: Stage):
    browser = told.browser
    refs = told.h1.call("pool.get_all_records")
    hostile = "<img src=x onerror=alert(1)>\u202etxt.exe" + "A" * 10_000
    told.h1.call("pool.set_name_label", next(iter(refs)), hostile)
    for page in PAGES:
        told.go("pool", page)
        browser.see("<img src=x onerror=alert(1)>", "main h1")
        assert browser.run("document.documentElement.scrollWidth") <= 1280
        assert browser.run("document.querySelectorAll('main img').length") == 0
    assert "\u202e" not in browser.text("main h1") and len(browser.text("main h1")) < 200
    told.h1.call("pool.set_name_label", next(iter(refs)), "herons")
    browser.see("herons", "main h1")


def test_a_certificate_that_changed_unseen_is_hostile_until_a_person_says_otherwise(told: Stage):
    browser, h1 = told.browser, told.h1
    told.console.stop()
    browser.complaints()  # that it could not reach the console
    old = told.server_thumbprint(h1)
    h1.call("host.reset_server_certificate", h1.call("host.get_by_uuid", h1.status()["host"]))
    new = told.server_thumbprint(h1)
    browser.fresh()
    browser.open(told.console.start())
    told.add(h1)
    browser.see("Certificate changed")
    browser.see("No known reason: treat this as hostile.")
    rows = browser.text("main table")
    assert old in rows and new in rows and browser.violations() == []

    browser.click("Refuse")
    browser.see("You refused its certificate.  Nothing was sent.")
    browser.click("Try again")
    browser.click("Trust the new one and remember")
    browser.see("herons", "main h1")
    [known] = [one for one in told.console.servers if one["name"] == "h1"]
    assert (known["thumbprint"], known["before"]) == (new, old)


def test_known_servers_are_exported_and_forgotten(told: Stage):
    browser = told.browser
    browser.run("location.hash = '#/known'")
    browser.see("told by its pool over a verified connection")
    assert '"thumbprint"' in browser.saved("Export") and browser.violations() == []
    browser.fill("Filter Known servers", "h3")
    browser.wait("document.querySelectorAll('main tbody tr').length === 1")
    browser.click("Forget…", area="main")
    browser.click("Forget", area="#dialog")

    within(5, lambda: "h3" not in {one["name"] for one in told.console.servers})


def test_a_coordinator_that_is_lost_is_found_again_as_another_member(told: Stage):
    browser, h2 = told.browser, told.hosts[1]
    told.go("pool", "general")
    told.h1.kill()
    browser.see("Connecting again in")
    h2.call("pool.emergency_transition_to_master")

    browser.see(f"{h2.address}:{h2.port}, TLSv1.3")
    browser.gone("Connecting again in")
    known = {one["name"]: one["how"] for one in told.console.servers}
    assert known["h2"] in (
        "told by its pool over a verified connection",
        "installed from here; its host told the thumbprint",  # in a story before
    )


def test_what_was_said_of_one_certificate_is_not_shown_beside_another(told: Stage):
    said = told.browser.run("""(async () => {
      const { stranger } = await import('/js/pages/trust/judging.js')
      const { draw } = await import('/js/core/dom.js')
      const root = document.createElement('div')
      document.body.append(root)
      const times = { not_before: '2026-01-01T00:00:00Z', not_after: '2030-01-01T00:00:00Z' }
      const met = { subject: 's', issuer: 's', self_signed: true, names: [], addresses: [], key: 'k', ...times }
      const show = thumbprint => draw(root, ...stranger({ id: 's1', asked: 'h', words: '', doubts: [], met: { ...met, thumbprint } }))
      const words = () => document.getElementById('expected-verdict').innerText
      show('A'.repeat(64))
      const box = document.getElementById('expected')
      box.value = 'A'.repeat(64)
      box.dispatchEvent(new Event('input'))
      show('A'.repeat(64))
      const first = words()
      show('B'.repeat(64))
      const second = words() + document.getElementById('expected').value
      root.remove()
      return [first, second]
    })()""")
    assert said == ["✓ It is the expected certificate.", ""]
