"""Services as the translation sees them, whatever kind of document they come from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from meshext_controlplane.model.hosts import qualify_host
from meshext_controlplane.model.service import Service, ServiceSpec
from meshext_controlplane.model.service_entry import ServiceEntry, ServiceEntrySpec
from meshext_controlplane.model.workload_entry import WorkloadEntrySpec
from meshext_controlplane.translate.protocols import Protocol, find_protocol


class Resolution(Enum):
    """How Envoy finds the endpoints of a service."""

    ENDPOINTS = "EDS"
    DNS = "STRICT_DNS"
    ONE_NAME = "LOGICAL_DNS"
    AS_ASKED = "DYNAMIC"
    """Whatever host the client asks for, looked up when it asks."""


@dataclass(frozen=True, slots=True)
class MeshPort:
    """A port of a service; `target` is the workload's: a number or a name.

    `told` is False where nothing says what it speaks, and TCP is assumed.
    """

    number: int
    name: str
    protocol: Protocol
    target: int | str
    told: bool = True


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MeshService:
    """A service under one host name. Compared by identity, as it lives as long as its document.

    `selector` is empty where no workload belongs to it; `endpoints` are those that the document lists.
    `subject_alt_names` are what endpoints may prove to be, where the document says it. `as_meant` is of those
    AS_ASKED: a transparent sidecar, which knows where a connection was meant to go, takes it there. `blocks`
    are those of addresses (CIDR) beside the single `addresses`; only transparent sidecars see them.
    """

    host: str
    namespace: str
    ports: tuple[MeshPort, ...]
    resolution: Resolution = Resolution.ENDPOINTS
    selector: Mapping[str, str] = field(default_factory=dict)
    endpoints: tuple[WorkloadEntrySpec, ...] = ()
    addresses: tuple[str, ...] = ()
    subject_alt_names: tuple[str, ...] = ()
    export_to: tuple[str, ...] = ()
    as_meant: bool = False
    blocks: tuple[str, ...] = ()

    def port(self, number: int) -> MeshPort | None:
        """The port of that number."""
        return next((port for port in self.ports if port.number == number), None)


def from_service(document: Service) -> MeshService:
    """The service of a Kubernetes `Service`. A port that does not say what it speaks is TCP."""
    spec, namespace = document.spec, document.metadata.namespace
    external = spec.type == "ExternalName"
    return MeshService(
        host=qualify_host(document.metadata.name, namespace),
        namespace=namespace,
        ports=_service_ports(spec),
        resolution=Resolution.DNS if external else Resolution.ENDPOINTS,
        selector=spec.selector,
        endpoints=(WorkloadEntrySpec(address=spec.external_name),) if external else (),
        addresses=(spec.cluster_ip,) if spec.cluster_ip not in ("", "None") else (),
    )


def _service_ports(spec: ServiceSpec) -> tuple[MeshPort, ...]:
    told = {port.port: find_protocol(port.app_protocol, port.name) for port in spec.ports}
    return tuple(
        MeshPort(
            port.port,
            port.name,
            told[port.port] or Protocol.TCP,
            port.target_port or port.port,
            told[port.port] is not None,
        )
        for port in spec.ports
    )


_RESOLUTIONS = {
    # Where there is no original destination to go to, `NONE` goes where the client asks to go.
    "NONE": Resolution.AS_ASKED,
    "DYNAMIC_DNS": Resolution.AS_ASKED,
    "STATIC": Resolution.ENDPOINTS,
    "DNS": Resolution.DNS,
    "DNS_ROUND_ROBIN": Resolution.ONE_NAME,
}


def from_entry(document: ServiceEntry) -> tuple[MeshService, ...]:
    """The services of a `ServiceEntry`: one for each host."""
    spec, namespace = document.spec, document.metadata.namespace
    ports = tuple(
        MeshPort(
            port.number,
            port.name,
            find_protocol(port.protocol, "") or Protocol.TCP,
            port.target_port or port.number,
        )
        for port in spec.ports
    )
    return tuple(
        MeshService(
            host=host,
            namespace=namespace,
            ports=ports,
            resolution=_RESOLUTIONS[spec.resolution],
            selector=spec.workload_selector.labels if spec.workload_selector else {},
            endpoints=_entry_endpoints(spec, host),
            addresses=tuple(each for each in spec.addresses if "/" not in each) if number == 0 else (),
            blocks=tuple(each for each in spec.addresses if "/" in each) if number == 0 else (),
            subject_alt_names=spec.subject_alt_names,
            export_to=spec.export_to,
            as_meant=spec.resolution == "NONE",
        )
        for number, host in enumerate(spec.hosts)
    )


def _entry_endpoints(spec: ServiceEntrySpec, host: str) -> tuple[WorkloadEntrySpec, ...]:
    by_name = spec.resolution in ("DNS", "DNS_ROUND_ROBIN")
    return spec.endpoints or ((WorkloadEntrySpec(address=host),) if by_name else ())
