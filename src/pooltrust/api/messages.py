"""Messages as clients see them: those that calls have made, and every alert that has a cause.

An alert is taken back by itself when its cause is gone.  Whoever removes its message before only
puts it out of sight.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pooltrust.api.classes.fields.choices import MessageClass
from pooltrust.api.classes.telling.message import Message
from pooltrust.api.declare.values import named_uuid

if TYPE_CHECKING:
    from pooltrust.api.views import Picture

ALERTS = "alert"
"""The table of the alerts that have a cause now, each by its name and object."""

Row = Mapping[str, Any]


def messages_of_alerts(picture: Picture) -> Iterator[Message]:
    """A message for each alert that nobody has put out of sight."""
    for row in picture.rows(ALERTS).values():
        try:
            if not row.get("seen"):
                yield _message(picture, row)
        except (KeyError, ValueError, TypeError):
            continue  # Written by another release, which shows it itself.


def _message(picture: Picture, row: Row) -> Message:
    cls, uuid = _object(picture, row["about"], row["object"])
    return Message(
        uuid=row["uuid"],
        name=row["name"],
        priority=row["priority"],
        cls=cls,
        obj_uuid=uuid,
        timestamp=datetime.fromisoformat(row["raised"]).astimezone(UTC),
        body=row["body"] or row["words"],
    )


def removal(uuid: str, alerts: Mapping[str, Row]) -> tuple[str, str, Row | None]:
    """What removes a message: the table, the key and the row that is there from then on."""
    for key, row in alerts.items():
        if row.get("uuid") == uuid:
            return ALERTS, key, {**row, "seen": True}
    return "message", uuid, None


def _object(picture: Picture, about: str, object: str) -> tuple[MessageClass, str]:
    roster = picture.roster
    match MessageClass(about):
        case MessageClass.POOL as cls:
            return cls, named_uuid("pool", roster.pool)
        case MessageClass.CERTIFICATE as cls:
            sorts = [one.sort for key, one in roster.anchors.items() if str(key) == object]
            return cls, named_uuid("Certificate", *sorts, "", object)
        case cls:
            return cls, object
