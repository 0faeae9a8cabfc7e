"""The kinds that a mesh is written in: one row for each, and the words for those that people try as well."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from meshext_controlplane.model.authorization_policy import AuthorizationPolicy
from meshext_controlplane.model.base import MeshDocument
from meshext_controlplane.model.destination_rule import DestinationRule
from meshext_controlplane.model.filter_policy import FilterPolicy
from meshext_controlplane.model.gateway import Gateway
from meshext_controlplane.model.mesh_config import MeshConfig
from meshext_controlplane.model.peer_authentication import PeerAuthentication
from meshext_controlplane.model.request_authentication import RequestAuthentication
from meshext_controlplane.model.secret import Secret, ShownSecret
from meshext_controlplane.model.service import Service
from meshext_controlplane.model.service_entry import ServiceEntry
from meshext_controlplane.model.sidecar import Sidecar
from meshext_controlplane.model.telemetry import Telemetry
from meshext_controlplane.model.virtual_service import VirtualService
from meshext_controlplane.model.workload_document import WorkloadDocument
from meshext_controlplane.model.workload_entry import WorkloadEntry

Kinds = Mapping[str, type[MeshDocument]]

_CLASSES: tuple[type[MeshDocument], ...] = (
    MeshConfig,
    Service,
    ServiceEntry,
    WorkloadEntry,
    VirtualService,
    DestinationRule,
    Gateway,
    Secret,
    Sidecar,
    PeerAuthentication,
    RequestAuthentication,
    AuthorizationPolicy,
    Telemetry,
    FilterPolicy,
)

KINDS: Kinds = MappingProxyType({each.KIND: each for each in _CLASSES})
"""Every kind of a mesh's configuration, by its name."""

SHOWN: Kinds = MappingProxyType({**KINDS, Secret.KIND: ShownSecret})
"""The same as a control plane shows them: Secrets without what is secret in them."""

PROGRAMS: Kinds = MappingProxyType({WorkloadDocument.KIND: WorkloadDocument})
"""The kinds of `workloads.yaml`, which `meshext up` reads."""

ALL_KINDS: Kinds = MappingProxyType({**KINDS, **PROGRAMS})
"""Everything that a folder for `meshext up` holds."""

NOT_YET: Mapping[str, str] = MappingProxyType(
    {
        "EnvoyFilter": "write a FilterPolicy",
        "ProxyConfig": "",
        "TrafficExtension": "write a FilterPolicy",
        "WasmPlugin": "write a FilterPolicy",
        "WorkloadGroup": "write a WorkloadEntry for each, or let workloads register",
    }
)
"""Kinds of Istio that are not supported, each with what to write instead, "" where there is nothing."""

ELSEWHERE: Mapping[str, str] = MappingProxyType(
    dict.fromkeys(
        (
            "ConfigMap CronJob DaemonSet Deployment Endpoints EndpointSlice HorizontalPodAutoscaler Ingress "
            "Job Namespace NetworkPolicy Pod ReplicaSet Role RoleBinding ServiceAccount StatefulSet"
        ).split(),
        "is for Kubernetes; keep it in another folder",
    )
    | {"Workload": "is read by `meshext up`; write it in workloads.yaml"}
)
"""Kinds that are no part of a mesh's configuration, and what to do with them."""
