"""The message that another host coordinates now, in the words that published clients know.

Unlike an alert it has no cause that lasts: it is told once, and kept until somebody removes it.
"""

from __future__ import annotations

from datetime import datetime
from uuid import uuid4

from pooltrust.api.classes.telling.message import MOST
from pooltrust.api.declare.values import compact
from pooltrust.host.records.store import Change, Row, Stale, Store
from pooltrust.terms import HostId

NAME = "POOL_MASTER_TRANSITION"
PRIORITY = 4
TABLE = "message"


async def tell_transition(store: Store, coordinator: HostId, now: datetime) -> None:
    """Keep the message about this new coordinator; the oldest ones make room.  `now`: UTC.

    A host that dies between its first moment as coordinator and this says nothing.
    Raises CannotStore.
    """
    row: Row = {
        "name": NAME,
        "priority": PRIORITY,
        "cls": "Host",
        "obj_uuid": coordinator,
        "timestamp": compact(now),
        "body": "",
    }
    while True:
        revision, kept = store.revision, store.rows(TABLE)
        oldest = sorted(kept, key=lambda uuid: str(kept[uuid].get("timestamp")))
        gone = [Change(TABLE, uuid, None) for uuid in oldest[: max(0, len(kept) + 1 - MOST)]]
        try:
            await store.append(revision, [*gone, Change(TABLE, str(uuid4()), row)])
        except Stale:
            continue
        return
