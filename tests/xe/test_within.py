"""All commands, each in every form: as they are, with --json, with --plan; for whom they may be."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from api.fake import H2, FakeContext, session_of
from api.samples import KEPT, stocked
from pooltrust.api.cli import planning
from pooltrust.api.cli.command import COMMANDS
from pooltrust.api.declare.call import CALLS
from pooltrust.api.declare.record import CLASSES
from pooltrust.api.sessions import Origin, Principal
from pooltrust.pool.code import JoinCode

from .stage import Ran
from .within import Client, carried_out

PEM = b"-----BEGIN CERTIFICATE-----"
FILES = {"a.pem": PEM, "k.pem": PEM}
VALUES = {
    "uuid": KEPT, "host-uuid": H2, "param-name": "other-config", "param-key": "a", "class": "host",
    "certificate": "a.pem", "private-key": "k.pem", "filename": "a.pem", "ca": "true",
    "shell": "bash", "priority": "3", "user": "alice", "role-name": "pool-admin",
    "subject-name": "alice", "name": "alice", "role": "vm-admin",
}  # fmt: skip
LISTS = sorted(name for name in COMMANDS if name.endswith("-list") and "-param-" not in name)
CHANGES = sorted(
    name for name, one in COMMANDS.items() if not one.free and not planning.changes_nothing(name)
)


def words_of(name: str, context: FakeContext) -> Iterator[str]:
    """A command with all that it requires."""
    command = COMMANDS[name]
    yield name
    for one in command.required:
        value = VALUES.get(one, "x")
        if one == "uuid" and name.startswith(("host-", "pool-", "role-", "subject-", "certific")):
            cls = {"certificate": "Certificate"}.get(name.split("-")[0], name.split("-")[0])
            value = uuid_of(cls, context)
        yield f"{one}={value}"
    if command.selects:
        yield "host=h2"


def uuid_of(cls: str, context: FakeContext) -> str:
    return str(next(iter(CLASSES[cls].rows(context).values())).uuid)


@pytest.mark.parametrize("name", LISTS)
def test_every_listing_is_an_array_of_objects_of_texts_as_json(name: str) -> None:
    context = stocked()
    ran = carried_out(context, name, "--json")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.count("\n") == 1
    rows: Any = json.loads(ran.out)
    assert isinstance(rows, list)
    for row in rows:
        assert all(isinstance(one, str) for pair in row.items() for one in pair)
        assert "OpaqueRef" not in str(row)


@pytest.mark.parametrize("name", LISTS)
def test_every_listing_is_one_line_with_minimal(name: str) -> None:
    ran = carried_out(stocked(), name, "--minimal")
    assert (ran.code, ran.err, ran.out.count("\n")) == (0, "", 1)


@pytest.mark.parametrize("name", CHANGES)
def test_every_change_has_a_plan_and_is_not_made(name: str, monkeypatch: Any) -> None:
    monkeypatch.setattr(JoinCode, "parse", lambda _: type("C", (), {"addresses": "7", "port": 1}))
    monkeypatch.setattr(FakeContext, "plan", whole_plan)
    monkeypatch.setattr(FakeContext, "join_plan", whole_plan)
    context = stocked()
    before = dict(context.rows)
    ran = carried_out(context, *words_of(name, context), "--plan", client=Client(FILES))
    assert (ran.code, ran.err) == (0, ""), ran
    assert "nothing is done yet" in ran.out and "Wherever it stops" in ran.out
    assert [one for one in context.did if one[0] != "login"] == []
    assert context.rows == before
    told = carried_out(context, *words_of(name, context), "--plan", "--json")
    assert json.loads(told.out)["order"]


async def whole_plan(*_: Any) -> dict[str, Any]:
    phases = [{"name": "accept", "steps": ["write"], "final": True}]
    return {"title": "it", "hosts": ["h1"], "order": phases, "standing": "All is well."}


@pytest.mark.parametrize("name", sorted(set(COMMANDS) - set(CHANGES) - {"help", "completion"}))
def test_what_only_looks_says_that_it_has_no_plan(name: str) -> None:
    context = stocked()
    ran = carried_out(context, *words_of(name, context), "--plan")
    assert ran == Ran(1, "", f"Error: {name} changes nothing, so it has no plan\n")


@pytest.mark.parametrize(
    "name",
    [name for name, one in COMMANDS.items() if not one.free and name not in planning.ALSO_LOOKS],
)
def test_nobody_may_do_by_a_command_what_no_call_lets_them_do(name: str) -> None:
    """Read-only users change nothing, whatever they type: each verb asks by the calls."""
    context = FakeContext(
        principal=Principal("reader", Origin("192.0.2.7"), frozenset({"read-only"}))
    )
    context.rows |= stocked().rows
    before = dict(context.rows)
    words = (*words_of(name, context), "name-label=x", "a=b")
    ran = carried_out(context, *words, origin=Origin("192.0.2.7"), client=Client(FILES))
    changed = [one for one in context.did if one[0] not in ("login", "plan", "join_plan")]
    assert (changed, context.rows) == ([], before), ran
    assert context.defects == []


def test_operations_are_resumed_and_abandoned_by_their_uuid() -> None:
    context = stocked()
    assert carried_out(context, "operation-resume", "uuid=7").out == "It is done.\n"
    assert carried_out(context, "operation-abandon", "uuid=7").out == "It was taken back.\n"
    assert [one for one in context.did if one[0] != "login"] == [("resume", "7"), ("abandon", "7")]


def test_an_interrupted_client_takes_back_what_is_its_own_alone() -> None:
    context = stocked()
    said = carried_out(context, "operation-interrupt").out
    assert said == "It was taken back.  The pool is as it was.\n"
    said = carried_out(context, "operation-interrupt", "command=pool-eject").out
    assert said.startswith("No operation is under way")
    elsewhere = Origin("192.0.2.7")
    context.principal = Principal("mabel", elsewhere, is_local_superuser=True)
    said = carried_out(context, "operation-interrupt", origin=elsewhere).out
    assert said.startswith("No operation is under way")


def test_a_task_is_looked_at_changed_and_cancelled() -> None:
    context = stocked()
    one = f"uuid={KEPT}"
    config = "param-name=other-config"
    table = (
        (("task-param-list", one, "--json"), None),
        (("task-param-set", one, "other-config:a=1"), ""),
        (("task-param-get", one, config, "param-key=a"), "1\n"),
        (("task-param-add", one, config, "b=2"), ""),
        (("task-param-remove", one, config, "param-key=a"), ""),
        (("task-param-get", one, config), "b: 2\n"),
        (("task-param-clear", one, config), ""),
        (("task-cancel", one), ""),
        (("task-param-get", one, "param-name=status"), "cancelling\n"),
    )
    for words, shown in table:
        ran = carried_out(context, *words)
        assert (ran.code, ran.err) == (0, ""), (words, ran)
        assert shown is None or ran.out == shown


def test_somebody_s_session_is_ended() -> None:
    context = stocked()
    ref = session_of(context, user="mallory")
    found = context.sessions.get(ref)
    assert found is not None
    assert carried_out(context, "session-end", f"uuid={found[0].uuid}").code == 0
    assert context.sessions.get(ref) is None


def test_a_file_for_the_client_is_offered_under_the_name_that_it_gave_and_no_other() -> None:
    client = Client()
    ran = carried_out(stocked(), "host-certificate-request", "host=h1", "filename=r", client=client)
    assert ran.code == 0 and list(client.saved) == ["r"]
    shown = carried_out(stocked(), "host-certificate-request", "host=h1")
    assert shown.out == "a request\n"


def test_who_asks_has_to_be_said_and_a_trace_shows_nothing_of_the_host() -> None:
    elsewhere, usage = Origin("192.0.2.7"), "For usage run: 'xe help'\n"
    said = carried_out(stocked(), "pool-list", "-u", "", origin=elsewhere, user="")
    assert said == Ran(1, "", f"Username/password must be specified\n{usage}")
    said = carried_out(stocked(), "host-param-list", "uuid=x", "--trace")
    assert said.err.splitlines()[-1] == "Raised UUID_INVALID: host, x"


SECRETS = sorted(name for name, one in COMMANDS.items() if one.secrets)


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_need_not_be_typed_as_a_word_where_others_can_read_it(name: str) -> None:
    context = stocked()
    secrets = COMMANDS[name].secrets
    words = [one for one in words_of(name, context) if one.partition("=")[0] not in secrets]
    client = Client(typed=b"hush\n")
    carried_out(context, *words, client=client)
    for one in secrets:
        assert f"{one}: " in client.err
    assert "hush" not in client.out + client.err
    silent = carried_out(context, *words, client=Client(typed=b"\n"))
    assert silent.err.startswith(f"{secrets[0]}: Required parameter not found: {secrets[0]}\n")


def test_every_secret_of_a_call_can_be_asked_for() -> None:
    known = {one for command in COMMANDS.values() for one in command.secrets}
    lines = [line for command in COMMANDS.values() for line in command.does]
    for line in lines:
        call, *words = line.split()
        for parameter in CALLS[call].parameters:
            if parameter.secret and parameter.name not in ("old_pwd", "old", "private_key"):
                typed = [word for word in words if f"{{{parameter.name}}}" in word]
                assert typed and typed[0].partition("=")[0] in known, line


def test_every_command_that_the_pages_name_is_one() -> None:
    pages = [*Path(__file__).parents[2].glob("*.md"), *Path(__file__).parents[2].glob("docs/*.md")]
    named = {
        (page.name, found[1])
        for page in pages
        if page.name not in ("CHANGELOG.md", "reference.md")
        for found in re.finditer(r"(?m)(?:`|^)xe ((?:[a-z]+-)+[a-z]+)\b(?![-…*])", page.read_text())
    }
    assert len(named) > 15
    assert {one for one in named if one[1] not in COMMANDS} == set()
