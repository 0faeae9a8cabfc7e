"""`ServiceEntry`: services that are no Kubernetes `Service`, inside the mesh or outside (Istio's, v1)."""

from __future__ import annotations

import ipaddress
from typing import Annotated, ClassVar, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from meshext_controlplane.model.base import MeshDocument, Model
from meshext_controlplane.model.exporting import ExportTo
from meshext_controlplane.model.values import Port, check_host
from meshext_controlplane.model.workload_entry import UNIX, WorkloadEntrySpec

ProtocolName = Literal["HTTP", "HTTPS", "GRPC", "HTTP2", "MONGO", "TCP", "TLS"]
ResolutionName = Literal["NONE", "STATIC", "DNS", "DNS_ROUND_ROBIN", "DYNAMIC_DNS"]


def _check_entry_host(host: str) -> str:
    if host == "*":
        raise ValueError("`*` alone would be every host; write a domain behind it, such as `*.example.com`")
    return check_host(host)


def _check_block(text: str) -> str:
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise ValueError(f"{text[:60]!r} is no IP address or block; write for example 10.0.0.1") from None
    return text


class ServiceEntryPort(Model):
    """One port; `target_port` is where endpoints listen, by default `number`."""

    number: Port
    protocol: ProtocolName
    name: Annotated[str, Field(min_length=1, max_length=63)]
    target_port: Port | None = None


class EntrySelector(Model):
    """Labels of workloads and WorkloadEntries of the same namespace."""

    labels: Annotated[dict[str, str], Field(min_length=1)]


class ServiceEntrySpec(Model):
    """The fields, and the rules about which go together.

    Blocks among `addresses` (10.0.0.0/8) are for transparent sidecars: others do not see where a connection
    was to go.
    """

    hosts: Annotated[
        tuple[Annotated[str, AfterValidator(_check_entry_host)], ...], Field(min_length=1, max_length=256)
    ]
    addresses: Annotated[tuple[Annotated[str, AfterValidator(_check_block)], ...], Field(max_length=256)] = ()
    ports: Annotated[tuple[ServiceEntryPort, ...], Field(min_length=1, max_length=256)]
    location: Literal["MESH_EXTERNAL", "MESH_INTERNAL"] = "MESH_EXTERNAL"
    resolution: ResolutionName = "NONE"
    endpoints: Annotated[tuple[WorkloadEntrySpec, ...], Field(max_length=4096)] = ()
    workload_selector: EntrySelector | None = None
    subject_alt_names: tuple[str, ...] = ()
    export_to: ExportTo = ()

    @model_validator(mode="after")
    def _ports_differ(self) -> Self:
        for what in ("name", "number"):
            values = [getattr(port, what) for port in self.ports]
            if len(set(values)) < len(values):
                raise ValueError(f"ports: two have the same {what}; give each one once")
        return self

    @model_validator(mode="after")
    def _endpoints_and_resolution(self) -> Self:
        static = self.resolution == "STATIC"
        if self.endpoints and self.workload_selector:
            raise ValueError("endpoints and workloadSelector: write one of them")
        if self.resolution in ("NONE", "DYNAMIC_DNS") and (self.endpoints or self.workload_selector):
            raise ValueError(f"endpoints: resolution {self.resolution} has none; write STATIC or DNS")
        if static and not self.endpoints and not self.workload_selector:
            raise ValueError("resolution STATIC needs endpoints or a workloadSelector")
        if self.workload_selector and not static:
            raise ValueError("workloadSelector goes with resolution STATIC")
        if self.resolution == "DNS_ROUND_ROBIN" and len(self.endpoints) > 1:
            raise ValueError("resolution DNS_ROUND_ROBIN takes one endpoint at most; write DNS for several")
        return self

    @model_validator(mode="after")
    def _hosts_and_resolution(self) -> Self:
        wild = [host for host in self.hosts if host.startswith("*")]
        if wild and self.resolution in ("DNS", "DNS_ROUND_ROBIN") and not self.endpoints:
            raise ValueError(f"hosts: {wild[0]} can not be looked up in DNS; write DYNAMIC_DNS, or endpoints")
        if self.resolution == "DYNAMIC_DNS" and len(wild) < len(self.hosts):
            raise ValueError("resolution DYNAMIC_DNS is for wildcard hosts; write DNS for the others")
        for address in (endpoint.address for endpoint in self.endpoints):
            if self.resolution != "STATIC" and address.startswith(UNIX):
                raise ValueError(f"endpoints: {address} goes with resolution STATIC")
            if self.resolution == "STATIC" and not (address.startswith(UNIX) or _is_ip(address)):
                raise ValueError(f"endpoints: {address} is a name; write an address, or resolution: DNS")
        return self


def _is_ip(address: str) -> bool:
    try:
        ipaddress.ip_address(address)
    except ValueError:
        return False
    return True


class ServiceEntry(MeshDocument):
    """The document; each of its hosts is a service."""

    KIND: ClassVar[str] = "ServiceEntry"
    VERSIONS: ClassVar[tuple[str, ...]] = (
        "networking.istio.io/v1",
        "networking.istio.io/v1beta1",
        "networking.istio.io/v1alpha3",
    )

    spec: ServiceEntrySpec
