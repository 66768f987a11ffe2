"""The files of identities: replaced as a whole, readable by their owner only."""

from __future__ import annotations

import errno
import os
import stat

import pytest

from pooltrust.errors import CannotStore
from pooltrust.pki.identity import BadIdentity, Identity
from pooltrust.trust.store import (
    delete_identity,
    read_identity,
    replace_file,
    write_identity,
)

from .pools import A, B, pool_identity


def test_a_key_is_stored_with_its_certificate_readable_by_its_owner_only(tmp_path):
    path = tmp_path / "pool.pem"
    old_mask = os.umask(0)
    try:
        written = write_identity(path, pool_identity(A))
    finally:
        os.umask(old_mask)
    assert stat.S_IMODE(path.stat().st_mode) == 0o400
    assert read_identity(path) == written
    assert read_identity(path).identity.sign(b"x")
    assert "PRIVATE" not in repr(written)


def test_an_identity_is_replaced_as_a_whole(tmp_path):
    path = tmp_path / "pool.pem"
    write_identity(path, pool_identity(A))
    write_identity(path, pool_identity(A, 2))
    assert read_identity(path).identity == pool_identity(A, 2)
    assert [item.name for item in tmp_path.iterdir()] == ["pool.pem"]


def test_a_crash_before_the_rename_leaves_the_old_pair(tmp_path, monkeypatch):
    def crash(*_):
        raise KeyboardInterrupt

    path = tmp_path / "pool.pem"
    write_identity(path, pool_identity(A))
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("pathlib.Path.rename", crash)
        write_identity(path, pool_identity(A, 2))
    assert read_identity(path).identity == pool_identity(A)


@pytest.mark.parametrize("turn", [0, 1], ids=["write", "fsync"])
def test_a_full_disk_leaves_the_old_pair_and_no_stray_key(tmp_path, disk, turn):
    path = tmp_path / "pool.pem"
    write_identity(path, pool_identity(A))
    disk.fail(turn, code=errno.ENOSPC)
    with pytest.raises(CannotStore):
        write_identity(path, pool_identity(A, 2))
    assert read_identity(path).identity == pool_identity(A)
    assert [item.name for item in tmp_path.iterdir()] == ["pool.pem"]


def test_everything_is_synced_before_and_after_the_rename(tmp_path, monkeypatch):
    done = []
    sync, rename = os.fsync, type(tmp_path).rename

    def synced(descriptor):
        folder = stat.S_ISDIR(os.fstat(descriptor).st_mode)
        done.append("folder" if folder else "file")
        sync(descriptor)

    def renamed(self, target):
        done.append("rename")
        return rename(self, target)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr("pathlib.Path.rename", renamed)
    replace_file(tmp_path / "x", b"data", 0o600)
    assert done == ["file", "rename", "folder"]


def test_a_mismatched_pair_is_refused_before_the_rename(tmp_path):
    path = tmp_path / "pool.pem"
    write_identity(path, pool_identity(A))
    mismatched = pool_identity(A, 2)
    wrong = object.__new__(Identity)
    for name, value in (
        ("certificate", mismatched.certificate),
        ("chain", ()),
        ("_key", pool_identity(B)._key),
    ):
        object.__setattr__(wrong, name, value)
    with pytest.raises(BadIdentity):
        write_identity(path, wrong)
    assert read_identity(path).identity == pool_identity(A)


@pytest.mark.parametrize("data", [b"", b"junk", b"x" * (1024 * 1024 + 1)])
def test_a_file_that_is_no_identity_is_refused(tmp_path, data):
    path = tmp_path / "pool.pem"
    path.write_bytes(data)
    with pytest.raises(BadIdentity):
        read_identity(path)


def test_a_deleted_identity_is_gone_and_twice_is_once(tmp_path):
    path = tmp_path / "pool.pem"
    write_identity(path, pool_identity(A))
    delete_identity(path)
    delete_identity(path)
    assert not list(tmp_path.iterdir())


def test_a_pair_that_a_power_cut_may_take_back_says_so(tmp_path, disk):
    path = tmp_path / "pool.pem"
    write_identity(path, pool_identity(A))
    disk.fail(2)
    with pytest.raises(CannotStore, match="it was replaced, but a power cut may bring the old one"):
        write_identity(path, pool_identity(A, 2))
    assert read_identity(path).identity == pool_identity(A, 2)
    assert [item.name for item in tmp_path.iterdir()] == ["pool.pem"]
