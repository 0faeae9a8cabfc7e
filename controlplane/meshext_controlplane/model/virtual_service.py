"""`VirtualService`: what becomes of requests to a host (Istio's, v1)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, ClassVar, Self

from pydantic import AfterValidator, Field, model_validator

from meshext_controlplane.model.base import MeshDocument, Model
from meshext_controlplane.model.exporting import ExportTo
from meshext_controlplane.model.gateway_names import MESH, Gateways, is_bound
from meshext_controlplane.model.http_route import Destination, HttpRoute
from meshext_controlplane.model.values import Port, check_host

_TRANSPARENT = "only a transparent sidecar sees it"


class L4Match(Model):
    """One block for connections."""

    NOT_YET: ClassVar[Mapping[str, str]] = MappingProxyType(
        {"destinationSubnets": _TRANSPARENT, "sourceSubnet": _TRANSPARENT}
    )

    port: Port | None = None
    source_labels: dict[str, str] = Field(default={})
    source_namespace: str = ""
    gateways: Gateways = ()


class TlsMatch(L4Match):
    """The same, and the names that clients ask for in TLS."""

    sni_hosts: Annotated[tuple[Annotated[str, AfterValidator(check_host)], ...], Field(min_length=1)]


class L4Destination(Model):
    """Where a share of the connections goes."""

    destination: Destination
    weight: Annotated[int, Field(ge=0, le=2**31 - 1)] = 0


def _check_weights(route: tuple[L4Destination, ...]) -> tuple[L4Destination, ...]:
    weights = [each.weight for each in route]
    if len(route) > 1 and sum(weights) == 0:
        raise ValueError("all weights are 0; write the share of each destination")
    if sum(weights) > 2**32 - 1:
        raise ValueError("the weights make more than 4294967295; write smaller ones")
    return route


L4Destinations = Annotated[tuple[L4Destination, ...], Field(min_length=1), AfterValidator(_check_weights)]


class TcpRoute(Model):
    """A rule for connections to a TCP port."""

    match: tuple[L4Match, ...] = ()
    route: L4Destinations


class TlsRoute(Model):
    """A rule for connections to a port where TLS passes through."""

    match: Annotated[tuple[TlsMatch, ...], Field(min_length=1)]
    route: L4Destinations


class VirtualServiceSpec(Model):
    """The fields. `hosts` without a dot are Services of the document's namespace.

    A document without hosts decides about none: others delegate to it.
    """

    hosts: tuple[Annotated[str, AfterValidator(check_host)], ...] = ()
    gateways: Gateways = ()
    http: Annotated[tuple[HttpRoute, ...], Field(max_length=1000)] = ()
    tls: tuple[TlsRoute, ...] = ()
    tcp: tuple[TcpRoute, ...] = ()
    export_to: ExportTo = ()

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not (self.http or self.tls or self.tcp):
            raise ValueError("no routes; write http, tls or tcp")
        if len(set(self.hosts)) < len(self.hosts):
            raise ValueError("hosts: one is written twice; write each once")
        if "*" in self.hosts and is_bound(self.gateways, "", MESH):
            raise ValueError("hosts: `*` is for gateways; name the hosts, or a domain such as *.example.com")
        return self

    @model_validator(mode="after")
    def _without_hosts_for_others(self) -> Self:
        if self.hosts:
            return self
        for name in ("tls", "tcp", "gateways"):
            if getattr(self, name):
                raise ValueError(f"{name} goes with hosts; write hosts: [...]")
        if any(rule.delegate for rule in self.http):
            raise ValueError("http: a delegate does not delegate on; write the routes here, or hosts: [...]")
        return self

    @model_validator(mode="after")
    def _names_of_tls_are_hosts(self) -> Self:
        for name in (sni for route in self.tls for match in route.match for sni in match.sni_hosts):
            if not any(_covers(host, name) for host in self.hosts):
                raise ValueError(f"tls: sniHosts {name} is none of the hosts; add it there")
        return self


def _covers(host: str, name: str) -> bool:
    return host in ("*", name) or (host.startswith("*.") and name.endswith(host[1:]))


class VirtualService(MeshDocument):
    """The document."""

    KIND: ClassVar[str] = "VirtualService"
    VERSIONS: ClassVar[tuple[str, ...]] = (
        "networking.istio.io/v1",
        "networking.istio.io/v1beta1",
        "networking.istio.io/v1alpha3",
    )

    spec: VirtualServiceSpec
