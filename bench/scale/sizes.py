"""How much memory values hold, counted by walking them.

What lies outside Python's own objects is not seen; of a roster that is nothing.
"""

from __future__ import annotations

import gc
import resource
import sys
from dataclasses import dataclass
from pathlib import Path
from types import BuiltinFunctionType, FunctionType, ModuleType

_SHARED = (type, ModuleType, FunctionType, BuiltinFunctionType)
"""What belongs to the program, not to a value."""


@dataclass(frozen=True)
class Size:
    """Objects that are reached, each once, and their bytes."""

    objects: int
    bytes: int


def size(*values: object) -> Size:
    """What these values hold together."""
    seen: set[int] = set()
    waiting, total = list(values), 0
    while waiting:
        value = waiting.pop()
        if id(value) in seen or isinstance(value, _SHARED):
            continue
        seen.add(id(value))
        total += sys.getsizeof(value)
        waiting += gc.get_referents(value)
    return Size(len(seen), total)


def resident() -> int:
    """Bytes of memory that this process has now; the most it ever had where /proc is not there."""
    try:
        pages = Path("/proc/self/statm").read_text().split()[1]
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return int(pages) * resource.getpagesize()
