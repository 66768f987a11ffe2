"""The pool's record: every published field, those of virtual machines and storage empty."""

# ruff: noqa: N815 - the names are the API's
from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from pooltrust.api.classes.fields.choices import (
    PoolOperation,
    TelemetryFrequency,
    UpdateSyncFrequency,
)
from pooltrust.api.classes.fields.refs import (
    BlobRef,
    HostRef,
    RepositoryRef,
    SecretRef,
    SrRef,
    VdiRef,
)
from pooltrust.api.declare.record import record, ro, rw, static
from pooltrust.api.declare.values import EPOCH, NULL
from pooltrust.api.roles import VM_OPERATOR

Text = Mapping[str, str]
WEEKLY = TelemetryFrequency.WEEKLY
_KEYS = {
    "folder": VM_OPERATOR,
    "XenCenter.CustomFields.*": VM_OPERATOR,
    "EMPTY_FOLDERS": VM_OPERATOR,
}


@record("pool")
class Pool:
    """The pool that this host belongs to; there is exactly one."""

    uuid: str = ro("Names the pool for as long as it exists")
    name_label: str = rw("The pool's name; empty until somebody gives it one")
    name_description: str = rw("What the pool is for, in its owner's words")
    master: HostRef = ro("The coordinator")
    default_SR: SrRef = rw("Where new disks go; null here")
    suspend_image_SR: SrRef = rw("Where suspended machines go; null here")
    crash_dump_SR: SrRef = rw("Where crash dumps go; null here")
    other_config: Text = rw("Free keys and values for clients", keys=_KEYS)
    ha_enabled: bool = ro("High availability is on", False)
    ha_configuration: Text = ro("Settings of high availability", {})
    ha_statefiles: tuple[str, ...] = ro("Disks that high availability uses", ())
    ha_host_failures_to_tolerate: int = ro("Failures of hosts that may be survived", 0)
    ha_plan_exists_for: int = ro("Failures of hosts that can be survived now", 0)
    ha_allow_overcommit: bool = rw("Operations may exceed what high availability can keep", False)
    ha_overcommitted: bool = ro("More is running than high availability can keep", False)
    blobs: Mapping[str, BlobRef] = ro("Binary attachments", {})
    tags: tuple[str, ...] = rw("Words by which clients find the pool", (), role=VM_OPERATOR)
    gui_config: Text = rw("Free keys and values of graphical clients", {}, role=VM_OPERATOR)
    health_check_config: Text = rw("Settings of health reports", {})
    wlb_url: str = ro("Host and port of the workload balancer", "")
    wlb_username: str = ro("The user at the workload balancer", "")
    wlb_password: SecretRef = ro("The password at the workload balancer", hidden=True)
    wlb_enabled: bool = rw("The workload balancer is asked for advice", False, client_cert=True)
    wlb_verify_cert: bool = rw("The workload balancer's certificate is verified", False)
    redo_log_enabled: bool = ro("Changes of the database are journalled on shared storage", False)
    redo_log_vdi: VdiRef = ro("The disk of that journal", NULL)
    vswitch_controller: str = ro("Address of a network controller", "")
    restrictions: Text = ro("What the licence forbids: nothing", {})
    metadata_VDIs: tuple[VdiRef, ...] = ro("Disks that hold pool metadata")
    ha_cluster_stack: str = ro("What high availability is made of", "")
    allowed_operations: tuple[PoolOperation, ...] = ro("Operations that could begin now", ())
    current_operations: Mapping[str, PoolOperation] = ro("Operations that run now, by task", {})
    guest_agent_config: Text = ro("Settings for agents in virtual machines", {})
    cpu_info: Text = ro("What the processors of all hosts have in common", {})
    policy_no_vendor_device: bool = rw("New machines get no vendor device", False)
    live_patching_disabled: bool = rw("Hosts are never patched while they run", False)
    igmp_snooping_enabled: bool = ro("Bridges listen for multicast groups", False)
    uefi_certificates: str = static("Certificates for secure boot of machines", "")
    custom_uefi_certificates: str = static("The owner's certificates for secure boot", "")
    is_psr_pending: bool = rw("The pool's secret is being changed", False)
    tls_verification_enabled: bool = ro("Every host verifies whom it dials", False)
    repositories: tuple[RepositoryRef, ...] = ro("Where updates come from", ())
    client_certificate_auth_enabled: bool = ro("Clients may log in by certificate", False)
    client_certificate_auth_name: str = ro("The name that such a certificate must have", "")
    repository_proxy_url: str = ro("Proxy on the way to updates", "")
    repository_proxy_username: str = ro("The user at that proxy", "")
    repository_proxy_password: SecretRef = ro("The password at that proxy", NULL)
    migration_compression: bool = rw("Moving machines are compressed", False)
    coordinator_bias: bool = rw("Machines prefer to start elsewhere than on the coordinator", True)
    local_auth_max_threads: int = static("Local passwords checked at a time", 8)
    ext_auth_max_threads: int = static("Directory passwords checked at a time", 1)
    ext_auth_cache_enabled: bool = ro("Directory logins are remembered", True)
    ext_auth_cache_size: int = ro("How many directory logins are remembered", 50)
    ext_auth_cache_expiry: int = ro("For how many seconds they are remembered", 300)
    telemetry_uuid: SecretRef = ro("The pool's name in telemetry", NULL)
    telemetry_frequency: TelemetryFrequency = ro("How often telemetry is sent", WEEKLY)
    telemetry_next_collection: datetime = ro("When telemetry is next collected", EPOCH)
    last_update_sync: datetime = ro("When updates were last looked for", EPOCH)
    update_sync_frequency: UpdateSyncFrequency = ro(
        "How often updates are looked for", UpdateSyncFrequency.WEEKLY
    )
    update_sync_day: int = ro("On which day of the week or month", 0)
    update_sync_enabled: bool = ro("Updates are looked for", False)
    recommendations: Text = ro("Advice for clients", {})
    license_server: Text = rw("Where licences come from", {})
    ha_reboot_vm_on_internal_shutdown: bool = rw("A machine that stops itself is restarted", True)
    limit_console_sessions: bool = rw("A machine's console has one viewer at a time", False)
    vm_console_idle_timeout: int = rw("Seconds after which an idle console is closed; 0: never", 0)
    auto_update_vm_secureboot_certificates: bool = rw(
        "Machines' secure boot certificates are kept up to date", False
    )
