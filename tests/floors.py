"""The floors and their bans as a table, and the checker that reads modules against it.

It reads syntax trees, so an import inside a function or for a type checker counts as well.
It knows nothing of files: the modules come in as text.  See test_floors.py.
"""

from __future__ import annotations

import ast
import builtins
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

FLOORS = (
    "terms",
    "errors",
    "pki",
    "trust",
    "tls",
    "pool",
    "api",
    "host",
    "console",
    "command",
    "xe",
)
"""From the lowest up.  A module may import its own floor and those before it in this list."""

PURE = ("terms", "errors", "pki", "trust", "pool", "api")
MOST_MODULES = 9

STORE = frozenset(
    f"pooltrust.trust.store.{module}"
    for module in ("contents", "evidence", "files", "identities", "log_file", "reserve", "votes")
)
MINT = frozenset({"pooltrust.pki.mint"})


@dataclass(frozen=True)
class Ban:
    """Names that must not be imported (or called, with `calls`) on these floors, and why."""

    names: tuple[str, ...]
    floors: tuple[str, ...]
    reason: str
    but: frozenset[str] = frozenset()
    calls: bool = False


def _all_but(*floors: str) -> tuple[str, ...]:
    return tuple(floor for floor in FLOORS if floor not in floors)


BANS = (
    Ban(
        ("ssl", "_ssl", "OpenSSL"),
        _all_but("tls"),
        "who is believed is decided in one place; a second importer would be a second opinion",
    ),
    Ban(
        ("asyncio", "uvloop"),
        _all_but("tls", "host", "console", "command"),
        "a verdict that can wait can be overtaken by another one",
    ),
    Ban(
        ("pooltrust.tls",),
        ("pool", "api"),
        "an operation must be testable, and crash-testable, without one handshake",
    ),
    Ban(
        ("pooltrust.pool", "pooltrust.api", "pooltrust.host"),
        ("console",),
        "it is a client of the public API: what it could see only from inside, nobody else's could",
    ),
    Ban(
        ("socket", "_socket", "select", "selectors", "socketserver", "http", "urllib.request"),
        PURE,
        "rules take bytes and return verdicts; there is one door to the network",
    ),
    Ban(
        ("threading", "_thread", "multiprocessing", "concurrent", "queue"),
        PURE,
        "rules take values that nobody else changes",
    ),
    Ban(("time", "sched"), PURE, "the time comes in as an argument, or a test has to wait for it"),
    Ban(
        ("datetime.now", "datetime.utcnow", "datetime.today", "date.today"),
        PURE,
        "the time comes in as an argument, or a test has to wait for it",
        calls=True,
    ),
    Ban(
        ("random", "secrets"),
        PURE,
        "a nonce comes in as an argument, or a crash can't be played again",
    ),
    Ban(
        ("uuid4", "uuid1", "urandom"),
        PURE,
        "a nonce comes in as an argument, or a crash can't be played again",
        calls=True,
    ),
    Ban(
        ("generate_private_key", "random_serial_number"),
        PURE,
        "keys are made in one module, which is never called on the event loop",
        but=MINT,
        calls=True,
    ),
    Ban(
        ("os", "io", "shutil", "tempfile", "glob", "fcntl", "mmap", "pathlib.Path"),
        PURE,
        "only the store touches keys and the log, and it knows what a crash leaves behind",
        but=STORE,
    ),
    Ban(
        ("open",),
        PURE,
        "only the store touches keys and the log, and it knows what a crash leaves behind",
        but=STORE,
        calls=True,
    ),
    Ban(
        ("subprocess", "signal", "pty"),
        _all_but("host", "command"),
        "below the daemon nothing knows of processes",
    ),
    Ban(("sqlite3",), _all_but("host"), "records lie behind the Store interface"),
    Ban(
        ("aiohttp", "httptools"),
        _all_but("host", "console"),
        "the HTTP library can be exchanged because only the two servers know it",
    ),
    Ban(
        ("xmlrpc", "xml.etree", "xml.dom", "xml.sax"),
        _all_but("command"),
        "they expand entities: a kilobyte from anybody becomes a gigabyte here",
    ),
    Ban(
        ("pickle", "marshal", "shelve"),
        FLOORS,
        "bytes from a peer must not be able to become code",
    ),
    Ban(("importlib.import_module",), FLOORS, "it would walk around this test"),
    Ban(("__import__", "eval", "exec"), FLOORS, "it would walk around this test", calls=True),
)


def violations(sources: Mapping[str, str]) -> list[str]:
    """Every breach in these modules (text by dotted name), in words, with its reason."""
    found = []
    for module, text in sources.items():
        tree = ast.parse(text, module)
        floor = _floor(module)
        if floor not in (*FLOORS, ""):
            found.append(f"{module}: {floor} is on no floor; add it to FLOORS, with a thought")
            continue
        for line, name in _imports(module, tree):
            found += _upward(module, floor, line, name)
            found += _banned(module, floor, f"line {line} imports {name}", name, calls=False)
        for line, name in _calls(tree):
            found += _banned(module, floor, f"line {line} calls {name}()", name, calls=True)
    return found


def crowded(sources: Mapping[str, str]) -> list[str]:
    """The folders with more modules than a reader keeps in mind."""
    count = Counter(
        module.rpartition(".")[0] for module in sources if not module.endswith(".__init__")
    )
    return [f"{folder} has {n} modules" for folder, n in count.items() if n > MOST_MODULES]


def _floor(module: str) -> str:
    name = module.split(".")[1]
    return {"__init__": "", "__main__": FLOORS[-1]}.get(name, name)


def _upward(module: str, floor: str, line: int, name: str) -> list[str]:
    root, _, rest = name.partition(".")
    target = rest.partition(".")[0]
    if root != "pooltrust" or target not in FLOORS:
        return []
    allowed = FLOORS[: FLOORS.index(floor) + 1] if floor else ()
    if target in allowed:
        return []
    return [f"{module}: line {line} imports {name}, which is above it: a module looks down only"]


def _banned(module: str, floor: str, what: str, name: str, *, calls: bool) -> list[str]:
    return [
        f"{module}: {what}: {ban.reason}"
        for ban in BANS
        if ban.calls is calls
        and floor in ban.floors
        and module not in ban.but
        and any(_reaches(name, banned, calls=calls) for banned in ban.names)
    ]


def _reaches(name: str, banned: str, *, calls: bool) -> bool:
    if calls:
        # A built-in is called by its bare name: `sessions.open()` is somebody else's word.
        return name == banned or (not hasattr(builtins, banned) and name.endswith("." + banned))
    # Importing all of a package makes what is in it reachable: `import pathlib`.
    return name == banned or name.startswith(banned + ".") or banned.startswith(name + ".")


def _imports(module: str, tree: ast.AST) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = module.split(".")[: -node.level] if node.level else []
            origin = ".".join([*above, *filter(None, [node.module])])
            for alias in node.names:
                yield node.lineno, origin if alias.name == "*" else f"{origin}.{alias.name}"


def _calls(tree: ast.AST) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
            yield node.lineno, ast.unparse(node.func)
