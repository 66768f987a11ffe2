"""Events: what has changed since a client last asked."""

from __future__ import annotations

from datetime import datetime

from pooltrust.api.classes.fields.choices import EventOperation
from pooltrust.api.declare.record import record, static


@record("event", calls=frozenset(), getters=False, evented=False)
class Event:
    """One change of one object.  On the wire there is its record too, as `snapshot`."""

    id: int = static("Counts the changes")
    timestamp: datetime = static("When it happened; not kept")
    class_: str = static("The object's class, in lower case")
    operation: EventOperation = static("What has happened to the object")
    ref: str = static("The object's reference")
    obj_uuid: str = static("The object's UUID; not sent")
