"""Installing from files, many hosts at once, and operations that are cancelled or stop half-way.

One story after another, in a real browser with real hosts, like test_stories.py.  The coordinator
waits where a story wants it to: see held.py.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12

from certificates.test_requesting import CHAIN, answer
from certificates.test_trust import CA, DATES
from pki.offered.stage import Maker, made, private
from pools.stage import Host, within
from pooltrust.pki.certificate import read_pem

from .stage import Stage, stage
from .test_reading import x

pytestmark = pytest.mark.needs("chromium", "node", "npm")

TESTS = Path(__file__).resolve().parent.parent
SECRET = "herons at three"
MIDDLE = Maker.named("middle")
STOPPED = "main .banner[data-key^='stopped']"


@pytest.fixture(scope="module")
def told() -> Iterator[Stage]:
    with stage() as ready:
        h1 = ready.h1
        h1.stop()
        h1.program = (sys.executable, "-m", "console.held", str(h1.folder / "held"))
        h1.environment = {"PYTHONPATH": str(TESTS)}
        h1.run()
        ready.add(h1)
        ready.browser.click("Trust and remember")
        ready.browser.click("Not for this pool")
        ready.browser.see("Disabled", "[data-entry='Certificate Verification']")
        yield ready


@pytest.fixture(autouse=True)
def nothing_to_complain_of(told: Stage) -> Iterator[None]:
    told.browser.run("document.querySelector('dialog').close()")  # of a story that failed
    yield
    assert told.browser.complaints() == []


@contextmanager
def held(host: Host, step: str) -> Iterator[Path]:
    """Let its operations wait before this step; yields the file that is there once one does."""
    order = host.folder / "held"
    order.write_text(step)
    try:
        yield order.with_suffix(".waits")
    finally:
        order.unlink()
        order.with_suffix(".waits").unlink(missing_ok=True)


def ref(host: Host) -> str:
    return str(host.call("host.get_by_uuid", host.status()["host"]))


def test_a_pfx_is_opened_here_compared_and_installed(told: Stage, tmp_path: Path):
    browser, h2 = told.browser, told.hosts[1]
    leaf = made("h2", private("rsa-2048"), MIDDLE, names=("h2", h2.address), dates=DATES)
    sealed = BestAvailableEncryption(SECRET.encode())
    key = private("rsa-2048")
    pfx = pkcs12.serialize_key_and_certificates(b"h2", key, x(leaf), [x(CHAIN)], sealed)
    file = tmp_path / "h2.pfx"
    file.write_bytes(pfx)
    told.to_host(h2)
    before = told.server_thumbprint(h2)

    browser.menu("Server", "Certificates", "Install Certificate…")
    browser.give("Files", file)
    browser.see("The PKCS#12 file is encrypted: give its passphrase.", "#dialog")
    assert browser.violations() == []
    browser.fill("Passphrase", "herons at four")
    browser.see("does not open with this passphrase", "#dialog")
    browser.fill("Passphrase", SECRET)
    browser.see("h2.pfx: 1 key, 2 certificates", "#dialog")
    browser.see("The key (RSA-2048) belongs to the certificate.", "#install-key-found")
    browser.click("Go on")
    browser.see("Will be installed", "#dialog")
    table = browser.text("#dialog table")
    new = str(read_pem(leaf)[0].thumbprint)
    assert before in table and new in table and "CN=middle" in table
    assert browser.violations() == []
    browser.click("Install", area="#dialog")
    browser.see("Done.", "#dialog")

    assert browser.text("#dialog .thumbprint.large") == new == told.server_thumbprint(h2)
    line = browser.text("#dialog .xe")
    assert "host-server-certificate-install" in line and "held:" not in line
    page = browser.run("document.documentElement.outerHTML")
    assert SECRET not in page and "PRIVATE KEY" not in page
    told.close()


def test_files_are_dropped_and_taken_back_and_a_large_one_is_not_read(told: Stage):
    browser = told.browser
    browser.menu("Server", "Certificates", "Install Certificate…")
    browser.run("""(() => {
      const given = new DataTransfer()
      given.items.add(new File(['heron'], 'heron.txt'))
      given.items.add(new File([new Uint8Array(2 ** 20 + 1)], 'large.bin'))
      const how = { dataTransfer: given, bubbles: true, cancelable: true }
      document.querySelector('.drop').dispatchEvent(new DragEvent('drop', how))
      const beside = new DragEvent('drop', how)
      document.body.dispatchEvent(beside)
      window.opened = !beside.defaultPrevented
    })()""")
    browser.see("heron.txt: nothing that can be used", "#dialog")
    browser.see("large.bin: over 1 MiB", "#dialog")
    browser.click("Take back heron.txt", area="#dialog")
    browser.gone("heron.txt", "#dialog")

    assert browser.run("opened") is False
    browser.press("Escape")


def test_what_an_authority_signed_is_dropped_by_who_types_the_hosts_name(told: Stage):
    browser, h2 = told.browser, told.hosts[1]
    old = told.server_thumbprint(h2)
    browser.menu("Server", "Certificates", "Reset Certificate")
    browser.see("An authority signed it: it can’t be brought back from here", "#dialog")
    browser.see("CN=middle", "#dialog")
    assert browser.violations() == []
    browser.click("Yes", area="#dialog")
    browser.see("That is not its name.", "#dialog")
    assert told.server_thumbprint(h2) == old
    browser.fill("To confirm, type its name: h2", "h2")
    browser.click("Yes", area="#dialog")
    browser.see("Done.", "#dialog")

    assert told.server_thumbprint(h2) != old
    told.close()


def test_requests_of_all_hosts_are_one_file_and_their_answers_find_their_hosts(told: Stage):
    browser, hosts = told.browser, told.hosts[:3]
    told.go("pool", "general")
    browser.menu("Pool", "Certificate requests of all hosts…")
    browser.see("Without a request: h2, h3, h1", "#dialog")
    browser.click("Make requests", area="#dialog")
    browser.wait("!document.querySelector('#csr-key')")
    browser.click("Make requests", area="#dialog")
    browser.see("3 of 3 done.", "#dialog")
    browser.click("All requests…", area="#dialog")
    browser.see("The requests of 3 hosts, as one file", "#dialog")
    file = browser.saved("Save")
    assert [name in file for name in ("# h1\n", "# h2\n", "# h3\n")] == [True] * 3
    requests = [f"-----BEGIN{one}" for one in file.split("-----BEGIN")[1:]]
    signed = "".join(answer(one.partition("# ")[0], MIDDLE) for one in reversed(requests))
    browser.click("Install the answers…", area="#dialog")
    browser.fill("Answers", signed + CHAIN)
    browser.wait("document.querySelectorAll('#dialog section .thumbprint').length === 3")
    assert browser.violations() == []
    h3 = hosts[2]
    h3.call("pooltrust.discard_certificate_request", ref(h3))  # so that one of the three fails
    before = {host.name: told.server_thumbprint(host) for host in hosts}
    browser.click("Go on")
    browser.click("Install", area="#dialog")
    browser.see("2 of 3 done.", "#dialog")

    changed = [host.name for host in hosts if told.server_thumbprint(host) != before[host.name]]
    assert changed == ["h1", "h2"]
    assert browser.count("#dialog .xe") == 3
    told.close()
    browser.gone("Connecting again in")


def test_of_several_authorities_in_a_bundle_one_is_chosen_by_its_thumbprint(told: Stage):
    browser = told.browser
    told.go("pool", "trusted")
    browser.click("Install a CA certificate…", area="main")
    browser.fill("PEM", CHAIN + CA)
    browser.wait("document.querySelectorAll('#dialog [type=radio]').length === 2")
    assert browser.violations() == []
    suggested = "document.getElementById('trusted-name').value"
    assert browser.run(suggested) == "middle.pem"
    browser.run("document.querySelectorAll('#dialog [type=radio]')[1].click()")
    assert browser.run(suggested) == "root.pem"
    browser.click("Go on")
    browser.see(str(read_pem(CA)[0].thumbprint), "#dialog .thumbprint.large")
    browser.click("Install", area="#dialog")
    browser.see("Done.", "#dialog")

    told.close()
    browser.see("root.pem", "main table")


def test_an_action_that_takes_a_while_is_cancelled_in_its_dialog(told: Stage):
    browser, h1, h2 = told.browser, told.h1, told.hosts[1]
    old = told.pool_thumbprint(h2)
    told.to_host(h2)
    with held(h1, "promote") as waits:
        browser.menu("Server", "Certificates", "Refresh pool-internal identity…")
        browser.click("Refresh", area="#dialog")
        within(20, waits.exists)
        browser.see("The refresh of h2: promote".removeprefix("The "), "#dialog")
        assert browser.violations() == []
        browser.click("Cancel", area="#dialog")
        browser.see("It is asked to stop", "#said")
    browser.see("It was not done.", "#dialog")
    assert "TASK_CANCELLED" in browser.run("dialog.textContent")
    told.close()
    assert told.pool_thumbprint(h2) == old
    told.go("pool", "tasks")
    browser.see("cancelled", "main")
    browser.see("abandoned", "main")


def test_what_is_begun_elsewhere_appears_within_a_second_and_is_cancelled_on_the_page(told: Stage):
    browser, h1, h2 = told.browser, told.h1, told.hosts[1]
    told.go("pool", "tasks")
    browser.wait("!document.querySelector('main .chip.note')")
    watching = """
        window.told = {}
        new MutationObserver(() => {
          const shown = document.querySelector('main').innerText
          if (/pending/.test(shown) && /running/.test(shown)) told.seen ??= Date.now()
        }).observe(document.body, {subtree: true, childList: true, characterData: true})
    """
    browser.run(f"(() => {{ {watching} }})()")
    with held(h1, "promote") as waits:
        task = h1.call("Async.host.refresh_server_certificate", ref(h2))
        within(20, waits.exists)
        browser.run("told.began = Date.now()")
        browser.wait("window.told.seen")
        assert browser.run("told.seen - told.began") < 1000
        browser.click("Cancel", area="main")
        browser.see("cancelling", "main")
    within(20, lambda: h1.call("task.get_status", task) == "cancelled")
    browser.wait("!document.querySelector('main .chip.note')")


def stopped(told: Stage) -> None:
    """h2 goes away in the midst of its refresh, which was ordered here."""
    browser, h1, h2 = told.browser, told.h1, told.hosts[1]
    told.to_host(h2)
    with held(h1, "promote") as waits:
        browser.menu("Server", "Certificates", "Refresh pool-internal identity…")
        browser.click("Refresh", area="#dialog")
        within(20, waits.exists)
        h2.kill()
    browser.see("It was not done.", "#dialog")
    browser.see("h2 does not answer", "#dialog")
    told.close()
    browser.see("refresh of h2 stopped", STOPPED)
    told.go("pool", "general")
    browser.see("refresh of h2 stopped", STOPPED)


def test_an_operation_that_stopped_is_in_sight_and_is_taken_back(told: Stage):
    browser = told.browser
    stopped(told)
    browser.see("h2 does not answer", STOPPED)
    assert browser.violations() == []
    browser.click("Abandon…", area=STOPPED)
    browser.see("What it has done so far is taken back", "#dialog")
    browser.click("Abandon", area="#dialog")
    browser.see("The refresh of h2 was taken back.", "#dialog")
    assert "operation-abandon" in browser.text("#dialog .xe")
    told.close()

    browser.wait(f'!document.querySelector("{STOPPED}")')
    told.hosts[1].run()


def test_an_operation_that_stopped_is_resumed_once_who_was_missing_is_back(told: Stage):
    browser, h2 = told.browser, told.hosts[1]
    old = told.pool_thumbprint(h2)
    stopped(told)
    told.go("pool", "tasks")
    browser.click("Resume…", area="main li")
    browser.click("Resume", area="#dialog")
    browser.see("It was not done.", "#dialog")
    browser.see("h2 does not answer", "#dialog")
    told.close()
    h2.run()
    browser.click("Resume…", area=STOPPED)
    browser.click("Resume", area="#dialog")
    browser.see("The refresh of h2 is done.", "#dialog")
    assert "operation-resume" in browser.text("#dialog .xe")
    told.close()

    browser.wait(f'!document.querySelector("{STOPPED}")')
    assert told.pool_thumbprint(h2) != old
