"""A workload as it has registered: where its sidecar is reached, and where the application is behind it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType

from meshext_controlplane.model.spiffe import SpiffeId


class State(Enum):
    """What peers may do with a workload; values are those of `meshext.workloads.Registration.State`."""

    UNREADY = 0
    READY = 1
    DRAINING = 2


@dataclass(frozen=True, slots=True)
class Locality:
    """`envoy.config.core.v3.Locality`; "" where a level is not said."""

    region: str = ""
    zone: str = ""
    sub_zone: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkloadPort:
    """One port of a workload.

    `number` is where the sidecar listens for peers, `application` where the application does: `unix:PATH`
    or `HOST:PORT`. `protocol` is one of http, http2, grpc, tls, tcp; what a Service says comes first.
    """

    number: int
    application: str
    name: str = ""
    protocol: str = "tcp"


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """One registered instance; `name` is unique in the identity's namespace.

    A `gateway` has no application and no ports of its own: Gateway documents say where it listens. `serving`
    are the filters beside its sidecar that serve, None where no agent says so; `held` those that its Envoy
    is not to ask yet.
    """

    name: str
    identity: SpiffeId
    address: str
    labels: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    ports: tuple[WorkloadPort, ...] = ()
    state: State = State.READY
    locality: Locality = Locality()
    weight: int = 1
    gateway: bool = False
    serving: frozenset[str] | None = None
    held: frozenset[str] = frozenset()

    @property
    def namespace(self) -> str:
        """That of its identity."""
        return self.identity.namespace


def serves_itself(workload: Workload, port: WorkloadPort) -> bool:
    """Whether the application has the port that peers connect to: then it is gRPC without an Envoy before it.

    A sidecar listens at the workload's address itself, so behind one an application is somewhere else.
    """
    host = f"[{workload.address}]" if ":" in workload.address else workload.address
    return port.application == f"{host}:{port.number}"
