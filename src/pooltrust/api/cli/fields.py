"""Which fields `xe` shows of each class, under which names and in which order.

Source: XenAPI's command line.  A name is the API field's with dashes, unless it is said here; its
access is RO unless it is said.  What users may really set is the declaration's to say.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from pooltrust.api.declare.record import CLASSES
from pooltrust.api.declare.values import STRING, Type

POOL = """
uuid name-label/RW name-description/RW master default-SR/RW crash-dump-SR/RW suspend-image-SR/RW
supported-sr-types/SRO other-config/MRW allowed-operations/SRO current-operations/SRO ha-enabled
ha-configuration ha-statefiles ha-host-failures-to-tolerate/RW ha-plan-exists-for
ha-allow-overcommit/RW ha-overcommitted blobs wlb-url wlb-username wlb-enabled/RW wlb-verify-cert/RW
igmp-snooping-enabled/RW gui-config/MRW health-check-config/MRW vswitch-controller! restrictions
tags/SRW license-state ha-cluster-stack guest-agent-config/MRW cpu_info/MRO
policy-no-vendor-device/RW live-patching-disabled/RW uefi-certificates! custom-uefi-certificates!
tls-verification-enabled client-certificate-auth-enabled client-certificate-auth-name
repositories/SRW repository-proxy-url repository-proxy-username migration-compression/RW
coordinator-bias/RW telemetry-frequency telemetry-next-collection last-update-sync
update-sync-frequency update-sync-day update-sync-enabled recommendations/MRO
ext-auth-cache-enabled/RW ext-auth-cache-size/RW ext-auth-cache-expiry/RW
"""
HOST = """
uuid name-label/RW name-description/RW allowed-operations/SRO current-operations/SRO enabled display
API-version-major API-version-minor API-version-vendor API-version-vendor-implementation/MRO
logging/MRW suspend-image-sr-uuid=suspend_image_sr/RW crash-dump-sr-uuid=crash_dump_sr/RW
software-version/MRO capabilities/SRO other-config/MRW cpu_info/MRO chipset-info/MRO hostname
address https-only/RW supported-bootloaders/SRO blobs memory-overhead memory-total memory-free
host-metrics-live patches/SRO updates/SRO ha-statefiles ha-network-peers external-auth-type
external-auth-service-name external-auth-configuration/MRO edition license-server/MRO power-on-mode
power-on-config/MRO local-cache-sr tags/SRW ssl-legacy/RW guest_VCPUs_params/MRW
virtual-hardware-platform-versions/SRO control-domain-uuid=control_domain resident-vms/SRO
updates-requiring-reboot/SRO features/SRO iscsi_iqn/RW multipathing/RW uefi-certificates!
pending-guidances tls-verification-enabled last-software-update latest-synced-updates-applied
pending-guidances-recommended pending-guidances-full last-update-hash
"""
CERTIFICATE = """
uuid type name host not-before not-after fingerprint fingerprint_sha256 fingerprint_sha1 purpose
"""
MESSAGE = "uuid name priority class=cls obj-uuid timestamp body"
TASK = """
uuid name-label name-description subtask_of subtasks resident-on status progress type result created
finished error_info allowed_operations current_operations other-config/MRW
"""
SUBJECT = "uuid subject-identifier other-config/MRO roles/SRO"
ROLE = "uuid name=name_label description=name_description subroles/SRO"
SECRET = "uuid value/RW other-config/MRW"  # noqa: S105 - the fields of a class of that name

Computed = Callable[[Any, Any], str]
"""What a field that no class has says, from the context and the record."""


@dataclass(frozen=True, slots=True)
class Shown:
    """One field as `xe` has it.  `field` is the API's; empty if `computed` says it."""

    name: str
    access: str
    field: str
    type: Type
    hidden: bool = False
    computed: Computed | None = None

    @property
    def title(self) -> str:
        """The name with its access, as records show it."""
        return f"{self.name} ({self.access:>3})"


@dataclass(frozen=True, slots=True)
class Listed:
    """A class with commands of its own: its API class, and its fields by their names."""

    name: str
    cls: str
    fields: Mapping[str, Shown]
    default: tuple[str, ...]


def _live(context: Any, record: Any, field: str) -> str:
    metrics = CLASSES["host_metrics"].rows(context)[record.metrics]
    return str(getattr(metrics, field)).lower()


COMPUTED: Mapping[str, Computed] = {
    "supported-sr-types": lambda _context, _record: "<expensive field>",
    "license-state": lambda _context, _record: "edition: ; expiry: never",
    "memory-total": lambda context, record: _live(context, record, "memory_total"),
    "memory-free": lambda context, record: _live(context, record, "memory_free"),
    "host-metrics-live": lambda context, record: _live(context, record, "live"),
}
_TABLES: Mapping[str, tuple[str, str, str]] = {
    "pool": ("pool", POOL, "uuid name-label name-description master default-SR"),
    "host": ("host", HOST, "uuid name-label name-description"),
    "certificate": (
        "Certificate", CERTIFICATE, "uuid type name host not-before not-after fingerprint purpose",
    ),
    "message": ("message", MESSAGE, "uuid name priority class obj-uuid timestamp body"),
    "task": ("task", TASK, "uuid name-label name-description status progress"),
    "subject": ("subject", SUBJECT, "uuid subject-identifier other-config roles"),
    "role": ("role", ROLE, "uuid name description"),
    "secret": ("secret", SECRET, "uuid value"),
}  # fmt: skip
NAMES = tuple(_TABLES)
"""The classes that have commands."""


@cache
def listed(name: str) -> Listed:
    """A class by the name that `xe` has for it.  Raises KeyError."""
    cls, table, default = _TABLES[name]
    known = {field.lower(): field for field in CLASSES[cls].fields}
    fields = (_shown(cls, known, word) for word in table.split())
    return Listed(name, cls, {one.name: one for one in fields}, tuple(default.split()))


def _shown(cls: str, known: Mapping[str, str], word: str) -> Shown:
    word, hidden = word.removesuffix("!"), word.endswith("!")
    spelled, _, access = word.partition("/")
    name, _, field = spelled.partition("=")
    if name in COMPUTED:
        return Shown(name, access or "RO", "", STRING, hidden, COMPUTED[name])
    field = known[(field or name).replace("-", "_").lower()]
    return Shown(name, access or "RO", field, CLASSES[cls].fields[field].type, hidden)
