"""A host's record: every published field, those of virtual machines and storage empty."""

# ruff: noqa: N815 - the names are the API's
from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from pooltrust.api.classes.fields.choices import (
    HostDisplay,
    HostOperation,
    NtpMode,
    NumaPolicy,
    UpdateGuidance,
    UpdatesApplied,
)
from pooltrust.api.classes.fields.refs import (
    BlobRef,
    CertificateRef,
    CrashdumpRef,
    FeatureRef,
    HostCpuRef,
    HostMetricsRef,
    PatchRef,
    PbdRef,
    PciRef,
    PgpuRef,
    PifRef,
    PusbRef,
    SrRef,
    UpdateRef,
    VmRef,
)
from pooltrust.api.declare.record import EVERYTHING, OfTheContext, record, ro, rw, static
from pooltrust.api.declare.values import EPOCH, NULL, Ref
from pooltrust.api.roles import VM_OPERATOR
from pooltrust.errors import OperationNotAllowed

Text = Mapping[str, str]
Guidances = tuple[UpdateGuidance, ...]
_KEYS = {"folder": VM_OPERATOR, "XenCenter.CustomFields.*": VM_OPERATOR}
_LICENSE_SERVER = {"address": "localhost", "port": "27000"}


FROM_THE_ROSTER = frozenset(("hostname", "address"))
"""Fields that the API lets users set, but which only the trust log can say."""


class OfTheRoster(OfTheContext):
    """Where a host is, the trust log says: refused, not written where nobody reads it."""

    async def change(
        self, context: Any, cls: type, ref: Ref, field: str, edit: Callable[[Any], Any], caller: Any
    ) -> None:
        """Set one field of a host, unless the log has it."""
        if field in FROM_THE_ROSTER:
            raise OperationNotAllowed(
                f"The {field} of a host is in the trust log, not in a record."
            )
        await super().change(context, cls, ref, field, edit, caller)


@record("host", calls=EVERYTHING | {"get_by_name_label"}, source=OfTheRoster())
class Host:
    """One member of the pool."""

    uuid: str = ro("Names the host for life, and is the name in its pool certificates")
    name_label: str = rw("The host's name for people", "")
    name_description: str = rw("What the host is for, in its owner's words", "")
    memory_overhead: int = ro("Bytes that virtualisation itself takes", 0)
    allowed_operations: tuple[HostOperation, ...] = ro("Operations that could begin now", ())
    current_operations: Mapping[str, HostOperation] = ro("Operations that run now, by task", {})
    API_version_major: int = ro("Major version of the API that the host speaks")
    API_version_minor: int = ro("Minor version of the API that the host speaks")
    API_version_vendor: str = ro("Whose API the host speaks")
    API_version_vendor_implementation: Text = ro("Particulars of this implementation")
    enabled: bool = ro("The host is up and takes part")
    software_version: Text = static("Names and versions of what runs on the host")
    other_config: Text = rw("Free keys and values for clients", keys=_KEYS)
    capabilities: tuple[str, ...] = static("What its processors can run")
    cpu_configuration: Text = ro("How its processors are set up")
    sched_policy: str = ro("How processor time is shared")
    supported_bootloaders: tuple[str, ...] = ro("Boot loaders for virtual machines")
    resident_VMs: tuple[VmRef, ...] = ro("Virtual machines that run on it")
    logging: Text = rw("Settings of remote logging")
    PIFs: tuple[PifRef, ...] = ro("Its network cards")
    suspend_image_sr: SrRef = rw("Where its suspended machines go")
    crash_dump_sr: SrRef = rw("Where its crash dumps go")
    crashdumps: tuple[CrashdumpRef, ...] = ro("Its crash dumps")
    patches: tuple[PatchRef, ...] = ro("Its patches")
    updates: tuple[UpdateRef, ...] = ro("Its updates")
    PBDs: tuple[PbdRef, ...] = ro("Its storage connections")
    host_CPUs: tuple[HostCpuRef, ...] = ro("Its processors")
    cpu_info: Text = ro("Facts about its processors", {})
    hostname: str = rw("Its name on the network")
    address: str = rw("The address where clients and members find it")
    metrics: HostMetricsRef = ro("Whether it lives, and when it was last heard")
    license_params: Text = ro("What its licence says")
    boot_free_mem: int = ro("Free bytes at boot", hidden=True)
    ha_statefiles: tuple[str, ...] = ro("Disks that high availability uses", ())
    ha_network_peers: tuple[str, ...] = ro("Hosts that high availability sees from here", ())
    blobs: Mapping[str, BlobRef] = ro("Binary attachments", {})
    tags: tuple[str, ...] = rw("Words by which clients find the host", (), role=VM_OPERATOR)
    external_auth_type: str = ro("The kind of directory that knows its users", "")
    external_auth_service_name: str = ro("The directory that knows its users", "")
    external_auth_configuration: Text = ro("Settings of that directory", {})
    edition: str = ro("The edition that its licence is for", "")
    license_server: Text = rw("Where its licence comes from", _LICENSE_SERVER)
    bios_strings: Text = ro("What its firmware says of itself", {})
    power_on_mode: str = ro("How it can be switched on from afar", "")
    power_on_config: Text = ro("Settings of that", {})
    local_cache_sr: SrRef = static("Storage used as a cache", NULL)
    chipset_info: Text = ro("Facts about its chips", {})
    PCIs: tuple[PciRef, ...] = ro("Its cards")
    PGPUs: tuple[PgpuRef, ...] = ro("Its graphics processors")
    PUSBs: tuple[PusbRef, ...] = ro("Its USB devices")
    ssl_legacy: bool = static("Old ciphers are accepted; never here", True)
    guest_VCPUs_params: Text = rw("Settings for the processors of every machine", {})
    display: HostDisplay = rw("Whether its own screen shows a console", HostDisplay.ENABLED)
    virtual_hardware_platform_versions: tuple[int, ...] = ro("Virtual hardware it can be", (0,))
    control_domain: VmRef = ro("The machine that controls the others", NULL)
    updates_requiring_reboot: tuple[UpdateRef, ...] = ro("Updates that wait for a reboot")
    features: tuple[FeatureRef, ...] = ro("Features that can be switched")
    iscsi_iqn: str = static("Its name for network storage", "")
    multipathing: bool = static("Storage is reached on several paths", False)
    uefi_certificates: str = static("Certificates for secure boot of machines", "")
    certificates: tuple[CertificateRef, ...] = ro("Its server certificate and pool certificates")
    editions: tuple[str, ...] = ro("Editions that it could have", ())
    pending_guidances: Guidances = ro("What updates still ask for", ())
    tls_verification_enabled: bool = ro("It verifies whom it dials; false in an emergency", False)
    last_software_update: datetime = ro("When its software was last updated", EPOCH)
    https_only: bool = ro("It answers nothing without TLS", False)
    recommended_guidances: Guidances = ro("What updates recommended", (), hidden=True)
    latest_synced_updates_applied: UpdatesApplied = ro(
        "Whether it has the newest updates", UpdatesApplied.UNKNOWN
    )
    numa_affinity_policy: NumaPolicy = ro("How memory is placed", NumaPolicy.DEFAULT_POLICY)
    pending_guidances_recommended: Guidances = ro("What updates recommend", ())
    pending_guidances_full: Guidances = ro("What updates would like best", ())
    last_update_hash: str = ro("The updates that were installed last", "")
    ssh_enabled: bool = ro("It can be reached by SSH", True)
    ssh_enabled_timeout: int = ro("For how many seconds; 0: always", 0)
    ssh_expiry: datetime = ro("When that ends", EPOCH)
    console_idle_timeout: int = ro("Seconds after which an idle console is closed; 0: never", 0)
    ssh_auto_mode: bool = ro("SSH is off unless the daemon is down", False)
    max_cstate: str = ro("How deep its processors may sleep", "")
    secure_boot: bool = ro("It was started with secure boot", False)
    ntp_mode: NtpMode = ro("Where its time comes from", NtpMode.FACTORY)
    ntp_custom_servers: tuple[str, ...] = ro("Its own choice of time servers", ())
    timezone: str = ro("Its time zone", "UTC")
