"""What runs: one instance for each replica of each `Workload`, with the command line of its sidecar. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from meshext_controlplane.model.workload_document import (
    PortSpec,
    Readiness,
    WorkloadDocument,
)

OUTBOUND = 15001  # TCP port of a workload's HTTP proxy

DRAIN_DELAY, DRAIN, GRACE = 0.2, 5.0, 5.0
"""Seconds: for peers to learn that a workload leaves, for open requests, for the application to end."""


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

    @property
    def node(self) -> str:
        """`NAME.NAMESPACE`, as proxies are called."""
        return f"{self.name}.{self.namespace}"

    @property
    def proxy(self) -> str:
        """The URL of its way out, for `HTTP_PROXY`."""
        return f"http://{self.address}:{OUTBOUND}"

    def application(self, port: int) -> str:
        """Where the application listens for that port."""
        return f"unix:{self.data}/application-{port}.sock"


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
    return (OUTBOUND, *(port.port for port in document.spec.ports))


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
        )
        for name, address in zip(name_replicas(written.document), addresses, strict=True)
    ]


def build_sidecar_command(instance: Instance, meshext: Sequence[str], control_plane: str) -> list[str]:
    """The command line of its sidecar; `meshext` is what runs our own command, `control_plane` HOST:PORT."""
    command = [*meshext, "sidecar", "--control-plane", control_plane]
    command += ["--name", instance.name, "--address", instance.address, "--data", str(instance.data)]
    command += ["--outbound", str(OUTBOUND)]
    for name, value in instance.labels.items():
        command += ["--label", f"{name}={value}"]
    for port in instance.ports:
        command += ["--port", format_port(port, instance.application(port.port))]
    command += format_probe(instance.readiness)
    command += ["--drain-delay", f"{DRAIN_DELAY:g}", "--drain", f"{DRAIN:g}", "--grace", f"{GRACE:g}"]
    return [*command, "--", *instance.command]


def format_port(port: PortSpec, application: str) -> str:
    """As `--port` takes it: `NUMBER[:NAME][/PROTOCOL]=ADDRESS`."""
    name = f":{port.name}" if port.name else ""
    return f"{port.port}{name}/{port.protocol}={application}"


def format_probe(readiness: Readiness | None) -> list[str]:
    """`--probe` and its pace; nothing where the sidecar's own choice is right."""
    if readiness is None:
        return []
    asked = readiness.http_get or readiness.tcp_socket
    kind, path = ("http", readiness.http_get.path) if readiness.http_get else ("tcp", "")
    port = f":{asked.port}" if asked and asked.port else ""
    options = ["--probe", f"{kind}{port}{path}", "--probe-failures", str(readiness.failures)]
    if readiness.period is not None:
        options += ["--probe-period", f"{readiness.period.total_seconds():g}"]
    if readiness.timeout is not None:
        options += ["--probe-timeout", f"{readiness.timeout.total_seconds():g}"]
    return options
