"""The objects of one pool as its events tell of them, and what changed, for the browser.

Plain records by class and reference.  Fields that no page shows and that are long are left out.
Whatever a host tells, what pages read as text or as a list is one, and all of it has a bound: one
odd pool must not spoil the page that shows the others.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import orjson

CLASSES = ("pool", "host", "host_metrics", "certificate", "message", "task", "subject", "role")
"""Those that are listened for, as events spell them."""

LEFT_OUT = frozenset(
    {
        "subroles", "cpu_info", "blobs", "capabilities", "bios_strings", "license_params",
        "guest_agent_config", "cpu_configuration", "supported_bootloaders", "uefi_certificates",
        "custom_uefi_certificates", "resident_VMs", "PCIs", "PUSBs", "PGPUs", "PIFs", "PBDs",
        "host_CPUs", "recommendations", "license_server", "rbac_permissions", "sr_pool_uuid",
        "last_updated", "memory_free", "memory_total",
    }
)  # fmt: skip

NULL = "OpaqueRef:NULL"
MOST_BYTES = 64 * 1024 * 1024
"""Of one pool's records, as JSON."""

TEXTS: Mapping[str, tuple[str, ...]] = {
    "pool": ("uuid", "name_label", "master"),
    "host": ("uuid", "name_label", "address", "metrics"),
    "host_metrics": (),
    "certificate": (
        "uuid", "type", "host", "name", "not_before", "not_after", "fingerprint",
        "fingerprint_sha256",
    ),
    "message": ("uuid", "name", "obj_uuid", "body", "timestamp"),
    "task": ("name_label", "status", "created"),
    "subject": ("subject_identifier",),
    "role": ("name_label",),
}  # fmt: skip
LISTS: Mapping[str, tuple[str, ...]] = {
    "certificate": ("purpose",),
    "task": ("error_info", "allowed_operations"),
    "subject": ("roles",),
}

Change = dict[str, Any]


class TooMuch(ValueError):
    """A pool tells more than any pool of the size that the console is made for."""


class Mirror:
    """What is known of one pool's objects."""

    def __init__(self) -> None:
        self.objects: dict[str, dict[str, dict[str, Any]]] = {name: {} for name in CLASSES}
        self._sizes: dict[tuple[str, str], int] = {}
        self._bytes = 0

    def take(self, events: Iterable[Mapping[str, Any]]) -> list[Change]:
        """Take events in; returns what changed: class, ref, and the record or None.

        Raises TooMuch, and TypeError for a record that is nested too deep to be shown.
        """
        changes: list[Change] = []
        for event in events:
            kind = str(event.get("class", "")).lower()
            ref = str(event.get("ref", ""))
            if kind not in self.objects:
                continue
            snapshot = event.get("snapshot")
            if event.get("operation") == "del" or not isinstance(snapshot, dict):
                if self.objects[kind].pop(ref, None) is not None:
                    self._bytes -= self._sizes.pop((kind, ref))
                    changes.append({"class": kind, "ref": ref, "record": None})
                continue
            record = _as_read(kind, snapshot)
            if self.objects[kind].get(ref) != record:
                self._measure(kind, ref, record)
                self.objects[kind][ref] = record
                changes.append({"class": kind, "ref": ref, "record": record})
        return changes

    def _measure(self, kind: str, ref: str, record: dict[str, Any]) -> None:
        size = len(ref) + len(orjson.dumps(record))
        self._bytes += size - self._sizes.get((kind, ref), 0)
        self._sizes[kind, ref] = size
        if self._bytes > MOST_BYTES:
            raise TooMuch(f"more than {MOST_BYTES} bytes of records")

    def clear(self) -> None:
        """Forget everything: the next events tell of everything there is."""
        self._sizes.clear()
        self._bytes = 0
        for known in self.objects.values():
            known.clear()

    def one(self, kind: str) -> tuple[str, dict[str, Any]] | None:
        """The only object of this class, such as the pool."""
        return next(iter(self.objects[kind].items()), None)


def _as_read(kind: str, snapshot: Mapping[str, Any]) -> dict[str, Any]:
    record = {name: value for name, value in snapshot.items() if name not in LEFT_OUT}
    for name in TEXTS[kind]:
        value = record.get(name)
        record[name] = value if isinstance(value, str) else "" if value is None else str(value)
    if kind == "certificate" and not record["type"]:
        # Releases before the pool-internal identity tell no type, and of servers' only.
        record["type"] = "host" if record["host"] not in ("", NULL) else "ca"
    for name in LISTS.get(kind, ()):
        value = record.get(name)
        told = value if isinstance(value, list) else []
        record[name] = [one if isinstance(one, str) else str(one) for one in told]
    return record
