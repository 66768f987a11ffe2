"""Prints how large files, functions and folders are, beside what we aim at.  Fails nobody."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
TREES = ("src", "tests", "bench", "tools")

AIMS = """\
A file 60 to 250 lines (look twice at 300); half of functions within 10 lines, nine in ten within
30; a folder at most nine modules; at most five parameters (then keyword-only, or a dataclass)."""

Function = ast.FunctionDef | ast.AsyncFunctionDef


def main() -> None:
    """Print the table of every tree, then what is worth a second look."""
    spreads = f"{'half':>8}{'9 in 10':>8}{'all':>6}"
    print(f"{'':8}{'files':>7}{'lines':>8}{spreads}{'functions':>11}{spreads}")
    for tree in TREES:
        row(tree, sorted((PROJECT / tree).rglob("*.py")))
    print("\n" + AIMS)
    for remark in remarks(sorted((PROJECT / "src").rglob("*.py"))):
        print(f"  {remark}")


def row(tree: str, files: list[Path]) -> None:
    """Print one line of the table."""
    lengths = [len(path.read_text().splitlines()) for path in files]
    bodies = [length(function) for path in files for function in functions(path)]
    print(
        f"{tree:8}{len(files):7}{sum(lengths):8}{spread(lengths)}{len(bodies):11}{spread(bodies)}"
    )


def spread(values: list[int]) -> str:
    """What half, nine in ten and all of these do not exceed, as three columns."""
    return "".join(
        f"{percentile(values, of):{width}}" for of, width in ((50, 8), (90, 8), (100, 6))
    )


def remarks(files: list[Path]) -> Iterator[str]:
    """Long files, long functions, many parameters and crowded folders, each in words."""
    for path in files:
        name = path.relative_to(PROJECT)
        lines = len(path.read_text().splitlines())
        if lines > 250:
            yield f"{name} has {lines} lines"
        for function in functions(path):
            if length(function) > 30:
                yield f"{name}: {function.name} has {length(function)} lines"
            if positional(function) > 5:
                yield f"{name}: {function.name} has {positional(function)} positional parameters"
    modules = Counter(path.parent for path in files if path.name != "__init__.py")
    for folder, count in modules.items():
        if count > 9:
            yield f"{folder.relative_to(PROJECT)} has {count} modules"


def functions(path: Path) -> Iterator[Function]:
    """Every function and method of a file."""
    return (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, Function))


def length(function: Function) -> int:
    """Lines from `def` to the end, the docstring left out: explaining oneself costs nothing."""
    lines = (function.end_lineno or 0) - function.lineno + 1
    first = function.body[0]
    if ast.get_docstring(function) is not None:
        lines -= (first.end_lineno or 0) - first.lineno + 1
    return lines


def positional(function: Function) -> int:
    """Parameters that a call may give without a name, but for `self` and `cls`."""
    names = [arg.arg for arg in (*function.args.posonlyargs, *function.args.args)]
    return len(names) - (names[:1] in (["self"], ["cls"]))


def percentile(values: Iterable[int], percent: int) -> int:
    """The smallest value that at least so many per cent do not exceed; 0 of nothing."""
    ordered = sorted(values)
    return ordered[-(-len(ordered) * percent // 100) - 1] if ordered else 0


if __name__ == "__main__":
    main()
