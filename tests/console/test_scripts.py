"""The scripts and styles of the pages, read by a type checker and a formatter."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from console.browser import HERE
from npm import installed
from pooltrust.console.web.serve import STATIC

pytestmark = pytest.mark.needs("node", "npm")


def read_by(program: str, *words: str) -> None:
    folder = installed(HERE, "driver.mjs", "npm-console").parent
    command = [str(folder / "node_modules" / ".bin" / program), *words]
    read = subprocess.run(command, cwd=STATIC, capture_output=True, text=True, timeout=120)
    assert read.returncode == 0, read.stdout + read.stderr


def test_the_types_that_the_scripts_declare_hold(tmp_path: Path) -> None:
    settings = (HERE / "tsconfig.json").read_text().rstrip().removesuffix("}").rstrip()
    project = tmp_path / "tsconfig.json"
    project.write_text(f'{settings},\n  "files": ["{STATIC / "js" / "main.js"}"]\n}}')
    read_by("tsc", "--project", str(project))


def test_the_scripts_and_styles_are_in_their_one_form() -> None:
    forms = ["--config", str(HERE / "prettier.json"), "--ignore-path", str(HERE / "none")]
    read_by("prettier", *forms, "--check", "js/**/*.js", "css/*.css", str(HERE / "driver.mjs"))
