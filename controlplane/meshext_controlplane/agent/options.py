"""What a sidecar is told when it starts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from meshext.envoy.upstreams import TcpAddress
from meshext_controlplane.agent.interception.settings import Interception
from meshext_controlplane.agent.probes import Pace, Probe
from meshext_controlplane.agent.workload_api.options import WorkloadApiOptions
from meshext_controlplane.model.spiffe import SpiffeId
from meshext_controlplane.model.workload import Locality, Workload, WorkloadPort


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvoyOptions:
    """How Envoy is run: its workers (None: one for each core), log level, binary, xDS in the older form, and
    where Prometheus may ask for statistics."""

    concurrency: int | None = None
    log_level: str = "warning"
    binary: Path | None = None
    sotw: bool = False
    stats: TcpAddress | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaving:
    """How a sidecar stops, in seconds: for peers to learn of it, for open requests, for the application."""

    delay: float = 2.0
    drain: float = 30.0
    grace: float = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SidecarOptions:
    """One sidecar. `join` is the control plane's port for tokens, `token` "" where there is none.

    `address` is where peers reach the sidecar, `outbound` the port there of the application's HTTP proxy,
    `certificates` a folder that gets key and certificates as files, `metrics` where Prometheus asks the
    sidecar itself. With `interception` the sidecar is transparent: rules lead the application's connections
    to Envoy. A `gateway` has no application. With `grpc` there is no Envoy: the application's own gRPC does
    its part. `workload_api` is None where there is none.
    """

    control_plane: TcpAddress
    join: TcpAddress | None = None
    token: str = field(default="", repr=False)
    name: str
    address: str
    ports: tuple[WorkloadPort, ...] = ()
    outbound: int = 15001
    interception: Interception | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    locality: Locality = field(default_factory=Locality)
    weight: int = 1
    probes: tuple[Probe, ...] = ()
    pace: Pace = field(default_factory=Pace)
    data: Path
    certificates: Path | None = None
    metrics: TcpAddress | None = None
    command: tuple[str, ...] = ()
    envoy: EnvoyOptions = EnvoyOptions()
    leaving: Leaving = Leaving()
    gateway: bool = False
    workload_api: WorkloadApiOptions | None = None
    grpc: bool = False

    @property
    def own_ports(self) -> tuple[tuple[str, int], ...]:
        """The TCP addresses that Envoy listens at; a gateway's are said by documents."""
        if self.gateway or self.grpc:
            return ()
        if (rules := self.interception) is not None:
            return (("127.0.0.1", rules.outbound), ("0.0.0.0", rules.inbound))
        return tuple((self.address, port) for port in [*(each.number for each in self.ports), self.outbound])

    def workload(self, identity: SpiffeId) -> Workload:
        """What is registered."""
        return Workload(
            name=self.name,
            identity=identity,
            address=self.address,
            labels=self.labels,
            ports=self.ports,
            locality=self.locality,
            weight=self.weight,
            gateway=self.gateway,
        )
