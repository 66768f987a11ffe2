"""The objects of one pool as its events tell of them, and what changed, for the browser.

Plain records by class and reference.  Fields that no page shows and that are long are left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

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

Change = dict[str, Any]


class Mirror:
    """What is known of one pool's objects."""

    def __init__(self) -> None:
        self.objects: dict[str, dict[str, dict[str, Any]]] = {name: {} for name in CLASSES}

    def take(self, events: Iterable[Mapping[str, Any]]) -> list[Change]:
        """Take events in; returns what changed: class, ref, and the record or None."""
        changes: list[Change] = []
        for event in events:
            kind = str(event.get("class", "")).lower()
            ref = str(event.get("ref", ""))
            if kind not in self.objects:
                continue
            snapshot = event.get("snapshot")
            if event.get("operation") == "del" or not isinstance(snapshot, dict):
                if self.objects[kind].pop(ref, None) is not None:
                    changes.append({"class": kind, "ref": ref, "record": None})
                continue
            record = {name: value for name, value in snapshot.items() if name not in LEFT_OUT}
            if self.objects[kind].get(ref) != record:
                self.objects[kind][ref] = record
                changes.append({"class": kind, "ref": ref, "record": record})
        return changes

    def clear(self) -> None:
        """Forget everything: the next events tell of everything there is."""
        for known in self.objects.values():
            known.clear()

    def one(self, kind: str) -> tuple[str, dict[str, Any]] | None:
        """The only object of this class, such as the pool."""
        return next(iter(self.objects[kind].items()), None)
