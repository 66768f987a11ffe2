"""The line that somebody would have typed for a call."""

from __future__ import annotations

import json
import shlex
from typing import Any

import pytest

from api.fake import H2, LOCAL, FakeContext, ask, session_of
from api.samples import PLAIN, arguments_of, stocked
from pooltrust.api.cli import run, typed
from pooltrust.api.cli.command import COMMANDS
from pooltrust.api.cli.wire.words import STANDARD, read
from pooltrust.api.declare.call import CALLS
from pooltrust.api.declare.values import ref_of

assert run, "which declares every command"
HOST = ref_of("host", H2)
CERTIFICATE = "-----BEGIN CERTIFICATE-----"


@pytest.mark.parametrize(
    ("call", "arguments", "line"),
    [
        ("host.refresh_server_certificate", [HOST], f"host-refresh-server-certificate host={H2}"),
        ("Async.pool.eject", [HOST], f"pool-eject host-uuid={H2}"),
        ("pool.enable_tls_verification", [], "pool-enable-tls-verification"),
        ("pool.recover_slaves", [], "pool-recover-slaves"),
        (
            "pool.join",
            ["192.0.2.1", "root", "hush"],
            "pool-join master-address=192.0.2.1 master-username=root "
            "master-password=MASTER-PASSWORD",
        ),
        (
            "pool.initialize_wlb",
            ["wlb:8012", "u", "hush", "root", "hush"],
            "pool-initialize-wlb wlb_url=wlb:8012 wlb_username=u wlb_password=WLB-PASSWORD "
            "xenserver_username=root xenserver_password=XENSERVER-PASSWORD",
        ),
        (
            "pool.send_test_post",
            ["h", 8, "b"],
            "pool-send-test-post dest-host=h dest-port=8 body=b",
        ),
        ("pooltrust.create_join_code", [], "pool-join-code-create"),
        ("pooltrust.create_join_code", [60], "pool-join-code-create lifetime=60"),
        (
            "host.install_server_certificate",
            [HOST, CERTIFICATE, "hush"],
            f"host-server-certificate-install host={H2} certificate=FILE private-key=FILE",
        ),
        (
            "pooltrust.install_server_certificate",
            [HOST, CERTIFICATE, "", CERTIFICATE],
            f"host-server-certificate-install host={H2} certificate=FILE private-key=FILE "
            "certificate-chain=FILE",
        ),
        (
            "pool.install_ca_certificate",
            ["our ca.pem", CERTIFICATE],
            "pool-install-ca-certificate 'filename=our ca.pem'",
        ),
        (
            "pooltrust.create_certificate_request",
            [HOST, ["h2", "h2.example.org"], ""],
            f"host-certificate-request-create host={H2} names=h2,h2.example.org",
        ),
        ("session.change_password", ["", "hush"], "user-password-change old=OLD-PWD new=NEW-PWD"),
        ("pooltrust.get_log", [7], "log-list after=7"),
        ("host.get_all_records", [], "host-list"),
        ("host.get_by_name_label", ["h 2"], "host-list 'name-label=h 2'"),
        ("host.get_record", [HOST], f"host-param-list uuid={H2}"),
        ("host.get_tags", [HOST], f"host-param-get uuid={H2} param-name=tags"),
        ("host.get_record", [ref_of("host", "x")], "host-param-list uuid=HOST-UUID"),
        (
            "host.set_name_description",
            [HOST, "it's here"],
            f"""host-param-set uuid={H2} 'name-description=it'"'"'s here'""",
        ),
        (
            "host.set_other_config",
            [HOST, {}],
            f"host-param-clear uuid={H2} param-name=other-config",
        ),
        (
            "host.add_to_other_config",
            [HOST, "a", "1"],
            f"host-param-add uuid={H2} param-name=other-config a=1",
        ),
        (
            "host.remove_from_other_config",
            [HOST, "a"],
            f"host-param-remove uuid={H2} param-name=other-config param-key=a",
        ),
        ("host.add_tags", [HOST, "x"], f"host-param-add uuid={H2} param-name=tags param-key=x"),
        # What no line says exactly is not said.
        ("host.set_other_config", [HOST, {"a": "1"}], ""),
        ("host.add_to_other_config", [HOST, "password", "1"], ""),
        ("host.set_name_description", [HOST, "a\nhost=another"], ""),
        ("host.set_name_description", [HOST, "a\tb"], ""),
        ("host.set_name_description", [HOST, "a\x7fb"], ""),
        ("host.set_name_description", [HOST, "a\x9b201~"], ""),
        ("event.get_current_id", [], ""),
        ("host_metrics.get_all", [], ""),
    ],
)
def test_a_call_as_it_is_typed(call: str, arguments: list[Any], line: str) -> None:
    context = FakeContext()
    given = [session_of(context), call, json.dumps(arguments)]
    said = ask(context, "pooltrust.get_command_line", *given)
    assert said == (f"xe {line}" if line else "")


def test_every_line_is_one_that_its_command_takes_and_no_secret_is_in_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(PLAIN, "string", "ü <&> \"'")
    context, made = stocked(), set()
    for call in CALLS.values():
        arguments = ["hush" if one.secret else given for one, given in _samples(call, context)]
        line = typed.command_line(call, arguments, lambda _: {})
        if not line:
            continue
        assert "hush" not in line
        words = read("\n".join(shlex.split(line)[1:]))
        command = COMMANDS[words.command]
        made.add(command.name)
        given = {name for name, _ in words.parameters}
        assert set(command.required) <= given, line
        free = "-param-" in command.name or command.name.endswith("-list") or command.selects
        if not free:
            maps = {one.rstrip(":") for one in command.optional}
            known = {*command.required, *maps, *STANDARD}
            assert {name.partition(":")[0] for name in given} <= known, line
    assert len(made) > 70


def _samples(call: Any, context: FakeContext) -> Any:
    raw = arguments_of(call, context)
    pairs = zip(call.parameters, raw, strict=False)
    return [(one, one.type.read(given)) for one, given in pairs]


@pytest.mark.parametrize(
    ("call", "arguments"),
    [
        ("pool.nothing", "[]"),
        ("pool.eject", "[]"),
        ("pool.eject", "["),
        ("pool.eject", "7"),
        ("pool.eject", '["a", "b"]'),
        ("session.change_password", '["hush", {}]'),
        ("pool.eject", "[" * 100_000),
    ],
)
def test_what_is_no_call_is_refused_and_not_repeated(call: str, arguments: str) -> None:
    context = FakeContext()
    session = session_of(context, origin=LOCAL)
    said = ask(context, "pooltrust.get_command_line", session, call, arguments)
    assert said[0] == "INVALID_VALUE" and "hush" not in str(said)
    assert context.defects == []
