"""A host's settings: one frozen value, read from a TOML file.

The table of keys is in settings.py; both the reader and the file that `host init` writes are drawn
from it.  Nothing here looks at the network or makes a folder.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

from pooltrust.errors import BadConfig
from pooltrust.host.configuration.settings import SETTINGS, Problem, Unusable, met, written
from pooltrust.pki.mint import KeyKind

LONGEST_FILE = 64 * 1024
"""Bytes of a configuration file that are looked at; a longer one is refused."""

LONGEST_SOCKET = 107
"""Bytes of a Unix socket's path that Linux takes (unix(7): `sun_path`, less its final NUL)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Everything an administrator decides for one host.  Each field is a key of settings.py."""

    name: str
    address: str
    listen: str
    names: tuple[str, ...]
    port: int
    folder: Path
    socket: Path
    verification_at_founding: bool
    expired_pool_identity: Literal["alert", "refuse"]
    server_key: KeyKind
    pool_lifetime: timedelta
    server_lifetime: timedelta
    passwords: Literal["pool", "pam"]
    pam_service: str
    session_hours: int
    log_level: Literal["debug", "info", "warning", "error"]

    @classmethod
    def read(cls, path: Path) -> Config:
        """Read a file.  Raises BadConfig with every problem of it at once."""
        try:
            with path.open("rb") as file:
                data = file.read(LONGEST_FILE + 1)
        except FileNotFoundError as why:
            raise BadConfig(str(path), "there is none.  Write it: pooltrust host init") from why
        except OSError as why:
            raise BadConfig(str(path), f"{why.strerror or why}.") from why
        return cls.parse(data, file=path, root=os.geteuid() == 0)

    @classmethod
    def parse(cls, data: bytes, *, file: Path, root: bool) -> Config:
        """Read the bytes of `file`; `root` decides the defaults of port and folder.

        Relative paths are taken from the file's folder.  Raises BadConfig.
        """
        tables = _toml(data, file)
        problems = list(_unknown(tables))
        values = _values(tables, problems)
        if not problems:
            config = _complete(values, folder=file.absolute().parent, root=root)
            problems = list(_unfit(config))
        if problems:
            raise BadConfig(str(file), "".join(f"\n  {problem}" for problem in problems))
        return config

    def text(self) -> str:
        """This configuration as a commented TOML file; `parse` reads the same value from it."""
        lines = ["# The settings of one pooltrust host.  pooltrust host run reads them at start."]
        section = ""
        for setting in SETTINGS:
            if setting.section != section:
                section = setting.section
                lines += ["", f"[{section}]"]
            lines += [f"# {line}" for line in setting.about.splitlines()]
            lines.append(f"{setting.key} = {written(getattr(self, setting.field))}")
        return "\n".join(lines) + "\n"


def default_port(*, root: bool) -> int:
    """The port of a host that names none: only root may open 443."""
    return 443 if root else 8443


def default_folder(*, root: bool) -> Path:
    """The state folder of a host that names none."""
    system = Path("/var/lib/pooltrust")
    try:
        return system if root else Path.home() / ".local/state/pooltrust"
    except RuntimeError:  # a user without a home: opening the folder will say what is missing
        return system


def _toml(data: bytes, file: Path) -> Mapping[str, Any]:
    if len(data) > LONGEST_FILE:
        raise BadConfig(str(file), f"it has more than {LONGEST_FILE} bytes.")
    try:
        return tomllib.loads(data.decode())
    except UnicodeDecodeError as why:
        raise BadConfig(str(file), f"it is not UTF-8 (byte {why.start}).") from why
    except ValueError as why:  # TOMLDecodeError is one; so is a number of 5,000 digits
        raise BadConfig(str(file), f"it is not TOML: {met(str(why))}.") from why
    except RecursionError as why:
        raise BadConfig(str(file), "it is not usable TOML: it is nested too deeply.") from why


def _unknown(tables: Mapping[str, Any]) -> list[Problem]:
    sections = {setting.section for setting in SETTINGS}
    problems = []
    for section, table in tables.items():
        keys = {setting.key for setting in SETTINGS if setting.section == section}
        if section not in sections:
            allowed = "one of " + ", ".join(f"[{known}]" for known in sorted(sections))
            problems.append(Problem(f"section [{met(section, quote=False)}]", "unknown", allowed))
        elif not isinstance(table, dict):
            problems.append(Problem(section, met(table), f"a section, [{section}]"))
        else:
            problems += [
                Problem(
                    f"[{section}] {met(key, quote=False)}",
                    "an unknown key",
                    "one of " + ", ".join(sorted(keys)),
                )
                for key in table
                if key not in keys
            ]
    return problems


def _values(tables: Mapping[str, Any], problems: list[Problem]) -> dict[str, Any]:
    """The keys that are there, read; what is wrong with them is added to `problems`."""
    values = {}
    for setting in SETTINGS:
        table = tables.get(setting.section)
        if not isinstance(table, dict):
            table = {}
        if setting.key in table:
            try:
                values[setting.field] = setting.read(table[setting.key])
            except Unusable as why:
                problems.append(Problem(setting.label, met(table[setting.key]), str(why)))
        elif setting.required:
            problems.append(Problem(setting.label, "nothing", setting.about.splitlines()[0]))
    return values


def _complete(values: dict[str, Any], *, folder: Path, root: bool) -> Config:
    state = folder / values.get("folder", default_folder(root=root))
    defaults = {setting.field: setting.default for setting in SETTINGS if not setting.required}
    return Config(
        **defaults
        | {"listen": values["address"], "port": default_port(root=root)}
        | values
        | {
            "folder": state,
            "socket": folder / values.get("socket", state / "pooltrust.sock"),
        }
    )


def _unfit(config: Config) -> list[Problem]:
    """What is wrong with the whole, each key being right."""
    size = len(str(config.socket).encode(errors="surrogateescape"))
    if size <= LONGEST_SOCKET:
        return []
    allowed = f"at most {LONGEST_SOCKET} bytes: give [socket] path a shorter one, e.g. under /run"
    return [Problem("[socket] path", f"{met(str(config.socket))} ({size} bytes)", allowed)]
