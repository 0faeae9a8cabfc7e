"""`Gateway`: where traffic enters or leaves the mesh (Istio's, v1).

A gateway is a workload of its own, run by `meshext sidecar --gateway`; the selector's labels say which.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, ClassVar, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from meshext_controlplane.model.base import MeshDocument, Model, check_namespace
from meshext_controlplane.model.selector import Labels
from meshext_controlplane.model.server_tls import ServerTls
from meshext_controlplane.model.values import Port, check_host

PLAIN = frozenset({"HTTP", "HTTP2", "GRPC"})
"""Protocols of HTTP without TLS."""


def check_server_host(text: str) -> str:
    """`HOST` or `NAMESPACE/HOST`; ValueError says which part is wrong."""
    namespace, slash, host = text.rpartition("/")
    if slash and namespace not in (".", "*"):
        check_namespace(namespace)
    check_host(host)
    return text


def check_bind(text: str) -> str:
    """An IP address; ValueError if it is none."""
    try:
        return str(ipaddress.ip_address(text)) if text else ""
    except ValueError:
        raise ValueError(f"{text[:80]!r} is no IP address; write for example 0.0.0.0") from None


class ServerPort(Model):
    """Where a server is found. A Service that selects the gateway may lead this number to another one."""

    NOT_YET: ClassVar[Mapping[str, str]] = MappingProxyType(
        {
            "targetPort": "write a Service with the gateway's labels, and targetPort there",
            "protocol: GRPC-WEB": "write HTTP; the application's own port says grpc-web",
            "protocol: MONGO": "write TCP",
        }
    )

    number: Port
    name: Annotated[str, Field(min_length=1, max_length=63, pattern=r"^[A-Za-z0-9]([-A-Za-z0-9_]*)$")]
    protocol: Literal["HTTP", "HTTPS", "HTTP2", "GRPC", "TLS", "TCP"]


class Server(Model):
    """One server. `bind` is an address of the gateway's machine, "" for the one that the workload has."""

    NOT_YET: ClassVar[Mapping[str, str]] = MappingProxyType(
        {"defaultEndpoint": "write a VirtualService for the gateway"}
    )

    port: ServerPort
    bind: Annotated[str, AfterValidator(check_bind)] = ""
    hosts: Annotated[tuple[Annotated[str, AfterValidator(check_server_host)], ...], Field(min_length=1)]
    tls: ServerTls | None = None
    name: str = ""

    @model_validator(mode="after")
    def _tls_goes_with_the_protocol(self) -> Self:
        protocol, tls = self.port.protocol, self.tls
        if protocol in ("HTTPS", "TLS"):
            if tls is None or tls.mode is None:
                raise ValueError(f"tls: protocol {protocol} needs a mode; write tls: {{mode: SIMPLE}}")
            if tls.https_redirect:
                raise ValueError("tls.httpsRedirect: is for servers of protocol HTTP; remove it")
        elif tls is not None and tls.mode is not None:
            secure = "HTTPS" if protocol in PLAIN else "TLS"
            raise ValueError(f"tls.mode: protocol {protocol} is without TLS; write protocol: {secure}")
        elif tls is not None and protocol == "TCP":
            raise ValueError("tls.httpsRedirect: is for servers of protocol HTTP; remove it")
        if len(set(self.hosts)) < len(self.hosts):
            raise ValueError("hosts: one is written twice; write each once")
        return self


class GatewaySpec(Model):
    """The fields. Without labels in `selector` every gateway is meant."""

    selector: Labels = Field(default_factory=dict)
    servers: Annotated[tuple[Server, ...], Field(min_length=1, max_length=1000)]

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        ports = [server.port.name for server in self.servers]
        names = [server.name for server in self.servers if server.name]
        if len(set(ports)) < len(ports) or len(set(names)) < len(names):
            raise ValueError("servers: two, or their ports, have the same name; give each its own")
        return self


class Gateway(MeshDocument):
    """The document."""

    KIND: ClassVar[str] = "Gateway"
    VERSIONS: ClassVar[tuple[str, ...]] = (
        "networking.istio.io/v1",
        "networking.istio.io/v1beta1",
        "networking.istio.io/v1alpha3",
    )

    spec: GatewaySpec

    @property
    def full_name(self) -> str:
        """`NAMESPACE/NAME`, as VirtualServices name it."""
        return f"{self.metadata.namespace}/{self.metadata.name}"
