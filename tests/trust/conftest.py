"""A log file, and a disk whose calls fail when their turn comes."""

from __future__ import annotations

import errno
import os

import pytest

from pooltrust.trust.store import LogFile

from .pools import B, C, Pool

POOL = Pool.found(B, C)
LINES = [signed.line() for signed in POOL.log.entries]
WHOLE = b"".join(LINES)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "trust.log"


@pytest.fixture
def stored(path):
    LogFile.create(path, POOL.log.entries)
    return path


class Disk:
    """Calls of `os` that fail when their turn comes; everything else is the real disk."""

    def __init__(self, monkeypatch):
        self.calls: list[str] = []
        self.fails: dict[int, int] = {}
        self.short = 0
        for name in ("write", "fsync", "ftruncate"):
            monkeypatch.setattr(os, name, self._wrapped(name, getattr(os, name)))

    def _wrapped(self, name, real):
        def call(descriptor, *more):
            self.calls.append(name)
            if len(self.calls) - 1 in self.fails:
                code = self.fails[len(self.calls) - 1]
                if name == "write":
                    real(descriptor, bytes(more[0])[:7])  # some of it was written
                raise OSError(code, os.strerror(code))
            if name == "write" and self.short:
                return real(descriptor, bytes(more[0])[: self.short])
            return real(descriptor, *more)

        return call

    def fail(self, *turns, code=errno.EIO):
        self.calls.clear()
        self.fails = dict.fromkeys(turns, code)


@pytest.fixture
def disk(monkeypatch):
    return Disk(monkeypatch)
