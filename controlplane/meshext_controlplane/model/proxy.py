"""A proxy that asks for configuration."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from meshext_controlplane.model.spiffe import SpiffeId
from meshext_controlplane.model.workload import Workload


class ProxyKind(Enum):
    """What a proxy is for: the sidecar of one workload, a gateway, or a gRPC client without a proxy."""

    SIDECAR = "sidecar"
    GATEWAY = "gateway"
    GRPC = "grpc"


@dataclass(frozen=True, slots=True)
class Transparent:
    """Where a transparent sidecar's rules lead connections: TCP ports, and a UDP port for DNS or None."""

    inbound: int = 15006
    dns: int | None = 15053


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxy:
    """One connected proxy.

    `identity` is the one that its certificate has proved, never what the node message says. `node_id` is
    `WORKLOAD.NAMESPACE`; `workload` is what that name has registered with the same identity. `outbound` is
    the TCP port on the workload's address where the application finds its HTTP proxy, or where rules lead its
    connections if the proxy is `transparent`; `envoy` the version (major, minor, patch; zeros where it is
    unknown), `serial` that of its certificate, in hexadecimal.
    """

    node_id: str
    identity: SpiffeId
    workload: Workload
    kind: ProxyKind = ProxyKind.SIDECAR
    outbound: int = 15001
    transparent: Transparent | None = None
    envoy: tuple[int, int, int] = (0, 0, 0)
    serial: str = ""
