"""A host that serves another pool identity than the one its pool accepts: the table turns red."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from pooltrust.host.folder import StateFolder
from pooltrust.pki.mint import mint_pool_identity, pool_host
from pooltrust.terms import HostId, Thumbprint
from pooltrust.trust.store import delete_identity, read_identity, write_identity

from .demonstration import Demo, running_demo
from .page import Cell, Page
from .stage import Host


@dataclass(frozen=True)
class Story:
    """A demonstration whose h3 was given a new key, for its own UUID, behind its pool's back."""

    demo: Demo
    uuid: HostId
    accepted: dict[str, str]
    """By host: the thumbprint of the pool identity that the pool accepts."""
    wrong: str
    """The thumbprint of what h3 serves."""

    @property
    def page(self) -> Page:
        return self.demo.page

    def accepts(self, name: str) -> str:
        return self.accepted[name][:23]


@pytest.fixture(scope="module")
def story() -> Iterator[Story]:
    with running_demo() as demo:
        accepted = {name: demo.page.thumbprints[name, "pool"] for name in demo.hosts}
        demo.interrupt()
        uuid, wrong = replace_key(demo.hosts["h3"])
        yield Story(demo.start(), uuid, accepted, str(wrong))


def replace_key(host: Host) -> tuple[HostId, Thumbprint]:
    folder = StateFolder(host.state)
    [old] = folder.identity_files("pool")
    uuid = pool_host(read_identity(old).identity.certificate)
    new = mint_pool_identity(uuid, datetime.now(UTC))
    write_identity(folder.identity("pool", new.certificate.thumbprint), new)
    delete_identity(old)
    return uuid, new.certificate.thumbprint


def test_exactly_the_cells_of_that_host_are_red(story: Story):
    verdicts = {pair: cell.verdict for pair, cell in story.page.handshakes.items()}
    red = {pair for pair in verdicts if "h3" in pair}
    assert verdicts == {p: "REFUSED" if p in red else "verified" for p in verdicts}


def test_each_red_cell_shows_the_certificate_actually_met(story: Story):
    cells = story.page.handshakes
    for name in ("h1", "h2", "h3"):
        assert cells[name, "h3"] == Cell(story.wrong[:23], "REFUSED")
    for name in ("h1", "h2"):
        assert cells["h3", name] == Cell(story.accepts(name), "REFUSED")


@pytest.mark.parametrize("name", ["h1", "h2"])
def test_dialling_it_the_words_name_expected_met_reason_and_cure(story: Story, name: str):
    expected = (
        f"Expected h3 ({story.uuid}) with certificate {story.accepted['h3']}, "
        rf"met certificate {story.wrong} \(serialNumber=[0-9A-F]+,CN={story.uuid}\): "
        "it names that host, but the roster does not accept this certificate from it. "
        "If that host was refreshed or restored meanwhile, compare its thumbprint with the one "
        "shown there: pooltrust host status."
    )
    pattern = expected.replace(f"h3 ({story.uuid})", rf"h3 \({story.uuid}\)")
    assert re.fullmatch(pattern, story.page.reason(name, "h3"))


@pytest.mark.parametrize("name", ["h1", "h2"])
def test_its_own_dials_are_refused_and_it_is_told_why(story: Story, name: str):
    told = story.page.reason("h3", name)
    assert told.startswith(f"Expected {name} (")
    assert f"met certificate {story.accepted[name]} (" in told
    assert "it refused our certificate (unknown to it)" in told
    assert "pooltrust log show, on both hosts" in told


@pytest.mark.parametrize("name", ["h1", "h2"])
def test_who_refused_it_says_so_in_its_log(story: Story, name: str):
    lines = story.demo.hosts[name].log.read_text().splitlines()
    refused = [line for line in lines if "connection-refused peer=127.0.0.3" in line]
    assert any('reason="unknown certificate" name=pool' in line for line in refused)


def test_it_says_itself_that_it_may_have_missed_something(story: Story):
    assert story.demo.hosts["h3"].status()["current"] == "no"
    assert story.demo.hosts["h1"].status()["current"] == "yes"
