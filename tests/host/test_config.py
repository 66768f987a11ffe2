"""A configuration file is read whole or refused with everything that is wrong with it."""

from __future__ import annotations

import tomllib
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pooltrust.errors import BadConfig, Refused
from pooltrust.host.configuration.config import LONGEST_FILE, LONGEST_SOCKET, Config
from pooltrust.host.configuration.settings import SETTINGS, met
from pooltrust.pki.mint import KeyKind

FILE = Path("/etc/pooltrust/host.toml")
LEAST = '[host]\nname = "h1"\naddress = "192.0.2.1"\n'


def parse(text: str, *, root: bool = False) -> Config:
    return Config.parse(text.encode(), file=FILE, root=root)


def problems(text: str | bytes) -> str:
    data = text if isinstance(text, bytes) else text.encode()
    with pytest.raises(BadConfig) as refused:
        Config.parse(data, file=FILE, root=False)
    assert refused.value.file == str(FILE)
    assert isinstance(refused.value, Refused)
    return str(refused.value)


def test_a_name_and_an_address_are_enough():
    config = parse(LEAST + "[state]\nfolder = '/srv/pt'")
    assert config == Config(
        name="h1",
        address="192.0.2.1",
        listen="192.0.2.1",
        names=(),
        port=8443,
        folder=Path("/srv/pt"),
        socket=Path("/srv/pt/pooltrust.sock"),
        verification_at_founding=True,
        expired_pool_identity="alert",
        server_key=KeyKind.RSA2048,
        pool_lifetime=timedelta(days=365),
        server_lifetime=timedelta(days=3650),
        passwords="pool",
        pam_service="pooltrust",
        session_hours=24,
        log_level="info",
    )


def test_root_gets_the_port_and_the_folder_of_a_system_daemon():
    config = parse(LEAST, root=True)
    assert (443, Path("/var/lib/pooltrust")) == (config.port, config.folder)


def test_relative_paths_are_taken_from_the_folder_of_the_file():
    config = parse(LEAST + '[state]\nfolder = "state"\n[socket]\npath = "run/s"')
    assert Path("/etc/pooltrust/state") == config.folder
    assert Path("/etc/pooltrust/run/s") == config.socket


def test_names_and_addresses_are_kept_in_one_spelling():
    config = parse('[host]\nname = "H1.Example"\naddress = "2001:DB8::01"\nnames = ["a", "A"]')
    assert (config.name, config.address, config.names) == ("h1.example", "2001:db8::1", ("a",))


def test_everything_wrong_is_said_at_once_with_file_key_met_and_allowed():
    said = problems(
        """
        [host]
        adress = "192.0.2.1"
        port = "443"
        listen = "eth0"
        names = ["ok", "not ok"]
        [verification]
        at_founding = "yes"
        expired_pool_identity = "ignore"
        [identity]
        server_key = "dsa"
        pool_lifetime_days = 0
        [logs]
        [login]
        passwords = "ldap"
        pam_service = "../passwd"
        session_hours = 0
        [log]
        level = 3
        """
    )
    lines = said.splitlines()
    assert str(FILE) in lines[0]
    expected = [
        ("[host] adress", "unknown key", "address"),
        ("section [logs]", "unknown", "[log]"),
        ("[host] name", "nothing", "DNS name"),
        ("[host] address", "nothing", "address"),
        ("[host] listen", "'eth0'", "IP address"),
        ("[host] names", "'not ok'", "DNS name"),
        ("[host] port", "'443'", "1 to 65535"),
        ("[verification] at_founding", "'yes'", "true or false"),
        ("[verification] expired_pool_identity", "'ignore'", '"alert", "refuse"'),
        ("[identity] server_key", "'dsa'", '"rsa-2048"'),
        ("[identity] pool_lifetime_days", "0", "1 to 3650"),
        ("[login] passwords", "'ldap'", '"pool", "pam"'),
        ("[login] pam_service", "'../passwd'", "a file in /etc/pam.d"),
        ("[login] session_hours", "0", "1 to 8760"),
        ("[log] level", "3", '"debug"'),
    ]
    assert len(expected) == len(lines) - 1, said
    for line, (key, found, allowed) in zip(lines[1:], expected, strict=True):
        where, rest = line.strip().split(": met ", 1)
        assert where == key
        assert found in rest.split("; allowed is ")[0]
        assert allowed in rest.split("; allowed is ", 1)[1]


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("port = true", "1 to 65535"),
        ("port = 0", "1 to 65535"),
        ("port = 65536", "1 to 65535"),
        ("port = 443.0", "1 to 65535"),
        ("port = 0x" + "f" * 9000, "1 to 65535"),
        ('listen = "fe80::1%lo"', "IP address"),
        ("names = 'h1'", "list"),
        ("names = [1]", "text in quotes"),
        ("names = " + str([f"n{i}" for i in range(65)]), "64"),
    ],
)
def test_a_value_that_a_key_can_not_have_is_refused(line: str, word: str):
    assert word in problems(LEAST + line)


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "224.0.0.1", "h1", "fe80::1%lo", ""])
def test_an_address_is_one_at_which_others_reach_the_host(address: str):
    assert "[host] address" in problems(f'[host]\nname = "h1"\naddress = "{address}"')


def test_a_socket_path_may_have_as_many_bytes_as_linux_takes():
    room = LONGEST_SOCKET - len("/")
    assert parse(LEAST + f'[socket]\npath = "/{"s" * room}"').socket
    said = problems(LEAST + f'[socket]\npath = "/{"s" * (room + 1)}"')
    assert "(108 bytes)" in said
    assert "shorter" in said
    assert "[socket] path" in problems(LEAST + f'[state]\nfolder = "/{"ö" * 48}"')


def test_a_section_that_is_no_table_is_named():
    assert "host: met 3; allowed is a section, [host]" in problems("host = 3")


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (b"\xff", "UTF-8 (byte 0)"),
        (b"[host", "not TOML"),
        (b"a = " + b"9" * 5000, "not TOML"),
        (b"a = " + b"[" * 20_000, "nested too deeply"),
        (b"#" * (LONGEST_FILE + 1), "more than 65536 bytes"),
    ],
)
def test_what_is_no_toml_is_refused_in_words(data: bytes, word: str):
    assert word in problems(data)


def test_hostile_text_stays_on_its_line():
    said = problems(LEAST + '"a\\n[host] port: fine" = 1\nlisten = "\\u001b[2J"')
    assert len(said.splitlines()) == 3
    assert "\x1b" not in said


def test_a_missing_file_says_who_writes_one(tmp_path: Path):
    with pytest.raises(BadConfig, match="pooltrust host init"):
        Config.read(tmp_path / "host.toml")
    with pytest.raises(BadConfig, match="directory"):
        Config.read(tmp_path)


def test_what_is_written_is_read_back_and_every_key_is_explained(tmp_path: Path):
    config = parse(LEAST + '[state]\nfolder = "/srv/a \\"b\\"\\\\c\\td"')
    (tmp_path / "host.toml").write_text(config.text())
    assert config == Config.read(tmp_path / "host.toml")
    tables = tomllib.loads(config.text())
    assert {(s.section, s.key) for s in SETTINGS} == {
        (section, key) for section, table in tables.items() for key in table
    }
    lines = config.text().splitlines()
    for number, line in enumerate(lines):
        if " = " in line and not line.startswith("#"):
            assert lines[number - 1].startswith("# ")


PATHS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)
CONFIGS = st.builds(
    Config,
    name=st.sampled_from(["h1", "h2.example.org"]),
    address=st.ip_addresses().filter(lambda a: not (a.is_unspecified or a.is_multicast)).map(str),
    listen=st.ip_addresses().map(str),
    names=st.lists(st.sampled_from(["a", "b.c", "localhost"]), unique=True).map(tuple),
    port=st.integers(1, 65535),
    folder=PATHS.map(lambda text: Path("/srv") / text.lstrip("/")),
    socket=PATHS.map(lambda text: Path("/run") / text.lstrip("/")),
    verification_at_founding=st.booleans(),
    expired_pool_identity=st.sampled_from(["alert", "refuse"]),
    server_key=st.sampled_from(KeyKind),
    pool_lifetime=st.integers(1, 3650).map(lambda days: timedelta(days=days)),
    server_lifetime=st.integers(1, 36500).map(lambda days: timedelta(days=days)),
    passwords=st.sampled_from(["pool", "pam"]),
    pam_service=st.sampled_from(["pooltrust", "common-auth", "x_1.y"]),
    session_hours=st.integers(1, 8760),
    log_level=st.sampled_from(["debug", "info", "warning", "error"]),
)


@settings(max_examples=100, deadline=None)
@given(CONFIGS)
def test_every_configuration_survives_its_file(config: Config):
    assert config == parse(config.text())


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["2026-11-24", "0x" + "f" * 5000, "127.0.0.1", "~nobody-of-this-name/x"]),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=150, deadline=None)
@given(
    st.binary(max_size=200)
    | st.dictionaries(
        st.sampled_from([(s.section, s.key) for s in SETTINGS] + [("host", "x"), ("y", "z")]),
        VALUES,
        max_size=6,
    ).map(
        lambda found: "".join(
            f"[{section}.{key}]\n" if value is None else f"{section}.{key} = {value!r}\n"
            for (section, key), value in found.items()
        ).encode(errors="replace")
    )
)
def test_no_bytes_make_it_fail_in_any_other_way(data: bytes):
    try:
        Config.parse(data, file=FILE, root=False)
    except BadConfig as refused:
        assert refused.problems


def test_a_value_of_any_size_is_shown_in_a_few_characters():
    assert len(met("x" * 10_000)) <= 80
    assert met(int("f" * 9000, 16)) == "int of no printable size"
