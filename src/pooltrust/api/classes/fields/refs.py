"""References to the classes that declared ones speak of."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from pooltrust.api.declare.values import Of, Ref

BlobRef: TypeAlias = Annotated[Ref, Of("blob")]
CertificateRef: TypeAlias = Annotated[Ref, Of("Certificate")]
CrashdumpRef: TypeAlias = Annotated[Ref, Of("host_crashdump")]
FeatureRef: TypeAlias = Annotated[Ref, Of("Feature")]
HostCpuRef: TypeAlias = Annotated[Ref, Of("host_cpu")]
HostMetricsRef: TypeAlias = Annotated[Ref, Of("host_metrics")]
HostRef: TypeAlias = Annotated[Ref, Of("host")]
MessageRef: TypeAlias = Annotated[Ref, Of("message")]
PatchRef: TypeAlias = Annotated[Ref, Of("host_patch")]
PbdRef: TypeAlias = Annotated[Ref, Of("PBD")]
PciRef: TypeAlias = Annotated[Ref, Of("PCI")]
PgpuRef: TypeAlias = Annotated[Ref, Of("PGPU")]
PifRef: TypeAlias = Annotated[Ref, Of("PIF")]
PoolRef: TypeAlias = Annotated[Ref, Of("pool")]
PusbRef: TypeAlias = Annotated[Ref, Of("PUSB")]
RepositoryRef: TypeAlias = Annotated[Ref, Of("Repository")]
RoleRef: TypeAlias = Annotated[Ref, Of("role")]
SecretRef: TypeAlias = Annotated[Ref, Of("secret")]
SessionRef: TypeAlias = Annotated[Ref, Of("session")]
SrRef: TypeAlias = Annotated[Ref, Of("SR")]
SubjectRef: TypeAlias = Annotated[Ref, Of("subject")]
TaskRef: TypeAlias = Annotated[Ref, Of("task")]
UpdateRef: TypeAlias = Annotated[Ref, Of("pool_update")]
UserRef: TypeAlias = Annotated[Ref, Of("user")]
VdiRef: TypeAlias = Annotated[Ref, Of("VDI")]
VmRef: TypeAlias = Annotated[Ref, Of("VM")]
