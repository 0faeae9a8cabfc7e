"""What runs: one instance for each replica of each `Workload`. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from meshext_controlplane.model.workload_document import (
    PortSpec,
    Readiness,
    WorkloadDocument,
)

OUTBOUND = 15001  # TCP port of a workload's HTTP proxy


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """One replica. `folder` is where its command runs, `data` the folder of its sidecar."""

    name: str
    namespace: str
    service_account: str
    address: str
    command: tuple[str, ...]
    folder: Path
    data: Path
    labels: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    environment: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}), repr=False)
    ports: tuple[PortSpec, ...] = ()
    readiness: Readiness | None = None
    gateway: bool = False

    @property
    def node(self) -> str:
        """`NAME.NAMESPACE`, as proxies are called."""
        return f"{self.name}.{self.namespace}"

    @property
    def proxy(self) -> str:
        """The URL of its way out, for `HTTP_PROXY`."""
        return f"http://{self.address}:{OUTBOUND}"

    def application(self, port: PortSpec) -> str:
        """Where the application listens for that port."""
        if port.application_port is not None:
            return f"{self.address}:{port.application_port}"
        return f"unix:{self.data}/application-{port.port}.sock"


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A document of kind Workload and the folder that it was read in."""

    document: WorkloadDocument
    folder: Path


def name_replicas(document: WorkloadDocument) -> list[str]:
    """The names of a workload's instances: its own where there is one, `NAME-1` and so on of several."""
    name, count = document.metadata.name, document.spec.replicas
    return [name] if count == 1 else [f"{name}-{number}" for number in range(1, count + 1)]


def needed_ports(document: WorkloadDocument) -> tuple[int, ...]:
    """TCP ports that an instance of it needs on its address."""
    ports = document.spec.ports
    applications = (each.application_port for each in ports if each.application_port is not None)
    return (OUTBOUND, *(each.port for each in ports), *applications)


def find_open_ports(instances: Iterable[Instance]) -> list[str]:
    """What has to be told of applications that any process of this machine can reach past their sidecars."""
    return [
        f"{each.node} listens at {each.application(port)}: other programs of this machine can go round its"
        " sidecar there; let it listen on a Unix socket, and leave applicationPort out"
        for each in instances
        for port in each.ports
        if port.application_port is not None
    ]


def build_instances(written: Written, addresses: Sequence[str], data: Path) -> list[Instance]:
    """The instances of a workload, one on each address; their sidecars' folders are in `data`."""
    meta, spec = written.document.metadata, written.document.spec
    return [
        Instance(
            name=name,
            namespace=meta.namespace,
            service_account=spec.service_account,
            address=address,
            command=spec.command,
            folder=written.folder,
            data=data / f"{name}.{meta.namespace}",
            labels=MappingProxyType(dict(meta.labels)),
            environment=MappingProxyType(dict(spec.env)),
            ports=spec.ports,
            readiness=spec.readiness,
            gateway=spec.gateway,
        )
        for name, address in zip(name_replicas(written.document), addresses, strict=True)
    ]
