"""How one of several recorded values is written as JSON: its kind beside its fields."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pooltrust.trust.fields import Form, Recorded


def tagged(classes: Mapping[str, type[Recorded]]) -> Form[Any]:
    """One of these classes, told apart by ``kind``.  A class must have no field of that name."""
    names = {cls: kind for kind, cls in classes.items()}

    def check(value: Any) -> None:
        if type(value) not in names:
            raise ValueError(f"none of {', '.join(sorted(classes))}")

    def write(value: Any) -> dict[str, Any]:
        return {"kind": names[type(value)], **value.record()}

    def read(record: Any) -> Any:
        if type(record) is not dict or type(record.get("kind")) is not str:
            raise ValueError("not an object with a kind")
        cls = classes.get(record["kind"])
        if cls is None:
            raise ValueError(f"no kind of it: {record['kind'][:40]!r}")
        return cls.read({key: value for key, value in record.items() if key != "kind"})

    return Form(check, write, read)
