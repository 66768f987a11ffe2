"""A real Chromium in a process of its own, driven by lines of JSON: see npm/driver.mjs."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from npm import installed

HERE = Path(__file__).with_name("npm")


class Browser:
    """What a person does and sees; every step fails with what was on the page."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._answer()

    def _do(self, *step: object) -> Any:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(step) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the browser has ended"
        said = json.loads(line)
        if "fault" in said:
            seen = "" if said["fault"].startswith("run") else self.run("document.body.innerText")
            raise AssertionError(f"{said['fault']}\n--- on the page:\n{str(seen)[:3000]}")
        return said["ok"]

    def fresh(self) -> None:
        """Begin as a browser without cookies."""
        self._do("fresh")

    def open(self, url: str) -> int:
        return int(self._do("open", url) or 0)

    def click(self, name: str, role: str = "button", area: str | None = None) -> None:
        self._do("click", role, name, area)

    def rightclick(self, selector: str) -> None:
        self._do("rightclick", selector)

    def menu(self, *path: str) -> None:
        """Choose from the bar: the menu's button, then its items."""
        self.click(path[0], area="#bar")
        for item in path[1:]:
            self.item(item)

    def item(self, name: str) -> None:
        """Choose from the menu that is open."""
        self._do("item", name)

    def press(self, *keys: str) -> None:
        for key in keys:
            self._do("press", key)

    def fill(self, label: str, text: str) -> None:
        self._do("fill", label, text)

    def give(self, label: str, *files: Path) -> None:
        """Choose these files."""
        self._do("give", label, *map(str, files))

    def choose(self, label: str, text: str) -> None:
        """Choose from a list."""
        self._do("choose", label, text)

    def see(self, text: str, area: str | None = None) -> None:
        """Wait until this text is on the page."""
        self._do("see", text, area)

    def gone(self, text: str, area: str | None = None) -> None:
        self._do("gone", text, area)

    def text(self, selector: str) -> str:
        return str(self._do("text", selector))

    def count(self, selector: str) -> int:
        return int(self._do("count", selector))

    def wait(self, script: str) -> None:
        """Wait until this is true on the page."""
        self._do("wait", script)

    def run(self, script: str) -> Any:
        return self._do("run", script)

    def size(self, width: int, height: int) -> None:
        self._do("size", width, height)

    def scheme(self, scheme: str) -> None:
        self._do("scheme", scheme)

    def picture(self, path: Path) -> None:
        self._do("picture", str(path))

    def focused(self) -> str:
        return str(self._do("focused"))

    def saved(self, name: str) -> str:
        """The file that a button has the browser save."""
        return str(self._do("saved", "button", name))

    def violations(self) -> list[str]:
        """What axe-core finds on the page."""
        return list(self._do("axe"))

    def complaints(self) -> list[str]:
        """What the page complained of since this was last asked."""
        return list(self._do("complaints"))


@contextmanager
def chromium() -> Iterator[Browser]:
    """Debian's Chromium, without a window."""
    driver = installed(HERE, "driver.mjs", "npm-console")
    found = shutil.which("chromium")
    assert found is not None
    process = subprocess.Popen(
        ["node", str(driver), found], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        yield Browser(process)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
