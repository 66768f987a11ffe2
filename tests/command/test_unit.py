"""A unit for the service manager names what the daemon needs, and shuts it off from all else."""

from __future__ import annotations

from pathlib import Path

import pytest

from pooltrust.command.unit import unit
from pooltrust.host.configuration.config import Config

PROGRAM = ["/opt/pooltrust/bin/pooltrust"]


def lines(
    toml: str, *, user: str = "root", path: str = "/etc/pooltrust/pooltrust.toml"
) -> list[str]:
    whole = f'[host]\nname = "h1"\naddress = "192.0.2.11"\n{toml}'
    config = Config.parse(whole.encode(), file=Path(path), root=user == "root")
    return unit(config, Path(path), user, PROGRAM).splitlines()


def test_it_runs_this_very_configuration_as_who_owns_it():
    made = lines("")
    assert (
        "ExecStart=/opt/pooltrust/bin/pooltrust host run --config /etc/pooltrust/pooltrust.toml"
        in made
    )
    assert {"Type=notify", "User=root", "ReadWritePaths=/var/lib/pooltrust"} <= set(made)
    assert {"ProtectHome=yes", "NoNewPrivileges=yes"} <= set(made)


def test_an_ordinary_user_gets_the_one_right_that_a_low_port_takes():
    low, high = lines("port = 443\n", user="hosts"), lines("port = 8443\n", user="hosts")
    assert "AmbientCapabilities=CAP_NET_BIND_SERVICE" in low
    assert "CapabilityBoundingSet=CAP_NET_BIND_SERVICE" in low
    assert "CapabilityBoundingSet=" in high and not any("Ambient" in line for line in high)


def test_passwords_of_the_system_are_checked_with_more_rights():
    made = lines('[login]\npasswords = "pam"\n', user="hosts")
    assert not any(line.startswith(("NoNewPrivileges", "CapabilityBoundingSet")) for line in made)


@pytest.mark.parametrize(
    ("socket", "line"),
    [
        ("/run/pooltrust/h1.sock", "RuntimeDirectory=pooltrust"),
        ("/srv/sockets/h1.sock", "ReadWritePaths=/srv/sockets"),
    ],
)
def test_a_socket_elsewhere_has_its_folder(socket: str, line: str):
    assert line in lines(f'[socket]\npath = "{socket}"\n')


def test_a_state_at_home_is_not_hidden_from_it():
    made = lines('[state]\nfolder = "/home/ann/pooltrust"\n', user="ann")
    assert "ProtectHome=read-only" in made


def test_no_name_or_path_becomes_anything_else():
    made = lines('[state]\nfolder = "/srv/a b%c\\"d"\n', path="/etc/my hosts/50%.toml")
    assert 'ReadWritePaths="/srv/a b%%c\\"d"' in made
    assert any(line.endswith('--config "/etc/my hosts/50%%.toml"') for line in made)
