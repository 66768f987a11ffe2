"""What a joiner brings along, as a file of its own and in frames to its coordinator.

Blocking where it touches the disk: call it in a worker thread.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path

from pooltrust.errors import Failure
from pooltrust.host.peers import wire
from pooltrust.pki.revocation import BadList, read_list
from pooltrust.pool.anchors import MOST_ANCHORS
from pooltrust.pool.bringing import Luggage
from pooltrust.pool.revocations import MOST_LISTS
from pooltrust.terms import PoolId
from pooltrust.trust.entries import AnchorInstalled
from pooltrust.trust.store import replace_file
from pooltrust.trust.store.files import storing, sync_folder

PIECE_BYTES = 512 * 1024


def write(path: Path, pool: PoolId, luggage: Luggage) -> None:
    """Keep it for this pool; nothing is no file.  Raises CannotStore."""
    if not luggage:
        remove(path)
        return
    with storing(path):
        replace_file(path, json.dumps({"pool": pool, **content(luggage)}).encode(), 0o600)


def read(path: Path, pool: PoolId) -> Luggage:
    """What was kept for this pool; nothing if there is none, or if it can't be read."""
    try:
        said = json.loads(path.read_bytes())
        return luggage(said) if said.get("pool") == pool else Luggage()
    except (OSError, ValueError, AttributeError, RecursionError, Failure):
        return Luggage()


def remove(path: Path) -> None:
    """Forget it.  Raises CannotStore."""
    with storing(path):
        if path.exists():
            path.unlink()
            sync_folder(path.parent)


def content(brought: Luggage) -> wire.Frame:
    """As a frame's content."""
    return {
        "anchors": [anchor.record() for anchor in brought.anchors],
        "lists": [{"name": name, "der": wire.b64(der)} for name, der in brought.lists],
    }


def luggage(frame: wire.Frame) -> Luggage:
    """Read a frame's content.  Raises PeerMisspoke."""
    anchors = wire.objects(frame, "anchors", most=MOST_ANCHORS)
    lists = wire.objects(frame, "lists", most=MOST_LISTS)
    try:
        return Luggage(
            tuple(AnchorInstalled.read(one) for one in anchors),
            tuple((wire.text(one, "name", limit=256), _der(one)) for one in lists),
        )
    except ValueError as why:
        raise wire.PeerMisspoke(f"something brought that can't be read: {why}") from why


def pieces(brought: Luggage) -> Iterator[Luggage]:
    """The same, in parts that fit into a frame each."""
    anchors: list[AnchorInstalled] = []
    size = 0
    for anchor in brought.anchors:
        if anchors and size + len(anchor.certificate) > PIECE_BYTES:
            yield Luggage(tuple(anchors))
            anchors, size = [], 0
        anchors.append(anchor)
        size += len(anchor.certificate)
    if anchors:
        yield Luggage(tuple(anchors))
    for one in brought.lists:
        yield Luggage(lists=(one,))


def _der(content: wire.Frame) -> bytes:
    try:
        return read_list(base64.b64decode(content.get("der", ""), validate=True))
    except (TypeError, BadList) as why:
        raise ValueError(str(why)) from why
