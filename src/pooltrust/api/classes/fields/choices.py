"""The enumerations of the declared classes."""

from __future__ import annotations

from enum import StrEnum

from pooltrust.api.declare.values import enumeration


@enumeration("certificate_type")
class CertificateType(StrEnum):
    """What a certificate is for."""

    HOST = "host"
    CA = "ca"
    HOST_INTERNAL = "host_internal"
    PINNED = "pinned"


@enumeration("certificate_purpose")
class CertificatePurpose(StrEnum):
    """Which connections an installed certificate is trusted for."""

    LICENSING = "licensing"
    LDAPS = "ldaps"


@enumeration("pool_allowed_operations")
class PoolOperation(StrEnum):
    """Operations of a whole pool."""

    HA_ENABLE = "ha_enable"
    HA_DISABLE = "ha_disable"
    CLUSTER_CREATE = "cluster_create"
    DESIGNATE_NEW_MASTER = "designate_new_master"
    CONFIGURE_REPOSITORIES = "configure_repositories"
    SYNC_UPDATES = "sync_updates"
    SYNC_BUNDLE = "sync_bundle"
    GET_UPDATES = "get_updates"
    APPLY_UPDATES = "apply_updates"
    TLS_VERIFICATION_ENABLE = "tls_verification_enable"
    CERT_REFRESH = "cert_refresh"
    EXCHANGE_CERTIFICATES_ON_JOIN = "exchange_certificates_on_join"
    EXCHANGE_CA_CERTIFICATES_ON_JOIN = "exchange_ca_certificates_on_join"
    COPY_PRIMARY_HOST_CERTS = "copy_primary_host_certs"
    EJECT = "eject"
    EXCHANGE_CRLS_ON_JOIN = "exchange_crls_on_join"


@enumeration("host_allowed_operations")
class HostOperation(StrEnum):
    """Operations of one host."""

    PROVISION = "provision"
    EVACUATE = "evacuate"
    SHUTDOWN = "shutdown"
    REBOOT = "reboot"
    POWER_ON = "power_on"
    VM_START = "vm_start"
    VM_RESUME = "vm_resume"
    VM_MIGRATE = "vm_migrate"
    APPLY_UPDATES = "apply_updates"
    ENABLE = "enable"


@enumeration("telemetry_frequency")
class TelemetryFrequency(StrEnum):
    """How often telemetry is sent."""

    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"


@enumeration("update_sync_frequency")
class UpdateSyncFrequency(StrEnum):
    """How often updates are looked for."""

    DAILY = "daily"
    WEEKLY = "weekly"


@enumeration("host_display")
class HostDisplay(StrEnum):
    """Whether a host shows its console on its own screen."""

    ENABLED = "enabled"
    DISABLE_ON_REBOOT = "disable_on_reboot"
    DISABLED = "disabled"
    ENABLE_ON_REBOOT = "enable_on_reboot"


@enumeration("update_guidances")
class UpdateGuidance(StrEnum):
    """What an update asks for afterwards."""

    REBOOT_HOST = "reboot_host"
    REBOOT_HOST_ON_LIVEPATCH_FAILURE = "reboot_host_on_livepatch_failure"
    REBOOT_HOST_ON_KERNEL_LIVEPATCH_FAILURE = "reboot_host_on_kernel_livepatch_failure"
    REBOOT_HOST_ON_XEN_LIVEPATCH_FAILURE = "reboot_host_on_xen_livepatch_failure"
    RESTART_TOOLSTACK = "restart_toolstack"
    RESTART_DEVICE_MODEL = "restart_device_model"
    RESTART_VM = "restart_vm"


@enumeration("latest_synced_updates_applied_state")
class UpdatesApplied(StrEnum):
    """Whether the newest known updates are installed."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


@enumeration("host_numa_affinity_policy")
class NumaPolicy(StrEnum):
    """How memory is placed."""

    ANY = "any"
    BEST_EFFORT = "best_effort"
    DEFAULT_POLICY = "default_policy"


@enumeration("host_ntp_mode")
class NtpMode(StrEnum):
    """Where a host takes its time from."""

    DHCP = "DHCP"
    CUSTOM = "Custom"
    FACTORY = "Factory"
    DISABLED = "Disabled"


@enumeration("task_status_type")
class TaskStatus(StrEnum):
    """How far a task is."""

    PENDING = "pending"
    SUCCESS = "success"
    FAILURE = "failure"
    CANCELLING = "cancelling"
    CANCELLED = "cancelled"


@enumeration("task_allowed_operations")
class TaskOperation(StrEnum):
    """What may be done with a task."""

    CANCEL = "cancel"
    DESTROY = "destroy"


@enumeration("event_operation")
class EventOperation(StrEnum):
    """What has happened to an object."""

    ADD = "add"
    DEL = "del"
    MOD = "mod"


@enumeration("cls")
class MessageClass(StrEnum):
    """What a message can be about."""

    VM = "VM"
    HOST = "Host"
    SR = "SR"
    POOL = "Pool"
    VMPP = "VMPP"
    VMSS = "VMSS"
    PVS_PROXY = "PVS_proxy"
    VDI = "VDI"
    CERTIFICATE = "Certificate"
