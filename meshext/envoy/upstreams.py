"""Upstreams: where requests go after the filter, from what a person writes to Envoy's clusters.

Cluster, address and endpoint messages: `envoy.config.cluster.v3`, `envoy.config.core.v3`,
`envoy.config.endpoint.v3`.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from meshext.envoy.messages import builds_messages
from meshext.errors import ConfigError

if TYPE_CHECKING:
    from envoy_data_plane.envoy.config.cluster.v3 import CircuitBreakers, Cluster
    from envoy_data_plane.envoy.config.core.v3 import Address as AddressMessage
    from envoy_data_plane.envoy.config.endpoint.v3 import ClusterLoadAssignment
    from envoy_data_plane.envoy.extensions.upstreams.http.v3 import HttpProtocolOptions

HTTP_OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
PLENTY = 1_000_000
"""For circuit breakers. Envoy's default of 1,024 open requests answers 500 and 503 to a burst."""

_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_.-]*[A-Za-z0-9])?")
_LABEL = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)")
_MAX_HOST = 253  # characters of a DNS name (RFC 1035 section 2.3.4, without the final dot)
_MAX_PIPE = 107  # bytes in sockaddr_un.sun_path less the final NUL (unix(7))
_UNIX = "unix:"
_OVER_HTTP2 = "+grpc"


@dataclass(frozen=True, slots=True)
class TcpAddress:
    """A host (a DNS name, or an IP address without brackets) and a port from 1 to 65535."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def is_ip(self) -> bool:
        """Whether the host is an IP address, which needs no DNS."""
        return _is_ip(self.host)


@dataclass(frozen=True, slots=True)
class UnixAddress:
    """The path of a Unix socket."""

    path: str

    def __str__(self) -> str:
        return _UNIX + self.path


Address = TcpAddress | UnixAddress


@dataclass(frozen=True, slots=True)
class Upstream:
    """A named address; routes and Envoy's cluster go by the name.

    Requests go there over HTTP/1.1, and where they are gRPC over HTTP/2, unless `grpc` is False.
    """

    name: str
    address: Address
    grpc: bool = True


def parse_address(text: str, *, source: str = "address") -> Address:
    """`HOST:PORT`, `[IPV6]:PORT` or `unix:PATH` as an address; ConfigError in one line otherwise."""
    problem = ""
    if text.startswith(_UNIX):
        path = text.removeprefix(_UNIX)
        path = path.removeprefix("//") if path.startswith("///") else path
        problem = _path_problem(path)
        address: Address = UnixAddress(path)
    else:
        host, _, port = text.rpartition(":")
        host, problem = _read_host(host, text)
        problem = problem or _port_problem(port)
        address = TcpAddress(host, 0 if problem else int(port))
    if problem:
        raise ConfigError([f"{text!r} is no address: {problem}"], source=source)
    return address


def parse_upstream(text: str) -> Upstream:
    """`[NAME=]ADDRESS` as an upstream, called by its address where it has no name; ConfigError otherwise.

    A name has letters, digits and `_.-` inside.
    """
    source = "--upstream"
    name, separator, rest = text.partition("=")
    if not separator or ":" in name or "/" in name:
        address = parse_address(text, source=source)
        return Upstream(str(address), address)
    if not _NAME.fullmatch(name):
        problem = (
            f"{name!r} is no name; a name has letters, digits and inside it _.- as in 'v2=127.0.0.1:8080'"
        )
        raise ConfigError([problem], source=source)
    return Upstream(name, parse_address(rest, source=source))


def name_over_http2(name: str) -> str:
    """The cluster of an upstream's gRPC requests, which need HTTP/2."""
    return f"{name}{_OVER_HTTP2}"


def check_upstreams(upstreams: Sequence[Upstream], *, reserved: str) -> None:
    """ConfigError where two upstreams have one name, or one is called as a cluster of ours is."""
    names = [upstream.name for upstream in upstreams]
    problems = [
        f"{name!r} is given {names.count(name)} times; give each a name of its own, as in 'v2={name}'"
        for name in dict.fromkeys(names)
        if names.count(name) > 1
    ]
    if reserved in names:
        problems.append(f"{reserved!r} is the name of the filter's own cluster; choose another")
    problems += [
        f"{name!r}: what ends in {_OVER_HTTP2!r} is a cluster for gRPC; choose another name"
        for name in names
        if name.endswith(_OVER_HTTP2)
    ]
    if problems:
        raise ConfigError(problems, source="--upstream")


@builds_messages
def build_upstream_clusters(upstream: Upstream) -> list[Cluster]:
    """The clusters of an upstream: HTTP/1.1 with trailers, HTTP/2 for gRPC, no limit of ours on requests."""
    from envoy_data_plane.envoy.config.core.v3 import Http1ProtocolOptions, Http2ProtocolOptions
    from envoy_data_plane.envoy.extensions.upstreams.http.v3 import (
        HttpProtocolOptions,
        HttpProtocolOptionsExplicitHttpConfig,
    )

    plain = HttpProtocolOptionsExplicitHttpConfig(
        http_protocol_options=Http1ProtocolOptions(enable_trailers=True)
    )
    options = HttpProtocolOptions(explicit_http_config=plain)
    clusters = [build_cluster(upstream.name, [upstream.address], options)]
    if upstream.grpc:
        framed = HttpProtocolOptionsExplicitHttpConfig(http2_protocol_options=Http2ProtocolOptions())
        options = HttpProtocolOptions(explicit_http_config=framed)
        clusters.append(build_cluster(name_over_http2(upstream.name), [upstream.address], options))
    return clusters


@builds_messages
def build_cluster(name: str, addresses: Sequence[Address], options: HttpProtocolOptions) -> Cluster:
    """A cluster of these endpoints, which speak HTTP as the options say; DNS only where a host is a name."""
    from envoy_data_plane.envoy.config.cluster.v3 import (
        Cluster,
        ClusterDiscoveryType,
        ClusterDnsLookupFamily,
    )
    from envoy_data_plane.google.protobuf import Any

    by_name = any(isinstance(address, TcpAddress) and not address.is_ip for address in addresses)
    return Cluster(
        name=name,
        type=ClusterDiscoveryType.STRICT_DNS if by_name else ClusterDiscoveryType.STATIC,
        # `localhost` is often only listened on in IPv4, and the default family asks for IPv6 first
        dns_lookup_family=ClusterDnsLookupFamily.V4_PREFERRED if by_name else ClusterDnsLookupFamily.AUTO,
        connect_timeout=timedelta(seconds=2),
        circuit_breakers=_build_breakers(),
        typed_extension_protocol_options={HTTP_OPTIONS: Any.pack(options)},
        load_assignment=_build_assignment(name, addresses),
    )


@builds_messages
def to_address_message(address: Address) -> AddressMessage:
    """The address as `envoy.config.core.v3.Address`."""
    from envoy_data_plane.envoy.config.core.v3 import Address as AddressMessage
    from envoy_data_plane.envoy.config.core.v3 import Pipe, SocketAddress

    if isinstance(address, UnixAddress):
        return AddressMessage(pipe=Pipe(path=address.path))
    return AddressMessage(socket_address=SocketAddress(address=address.host, port_value=address.port))


def _build_assignment(name: str, addresses: Sequence[Address]) -> ClusterLoadAssignment:
    from envoy_data_plane.envoy.config.endpoint.v3 import (
        ClusterLoadAssignment,
        Endpoint,
        LbEndpoint,
        LocalityLbEndpoints,
    )

    endpoints = [LbEndpoint(endpoint=Endpoint(address=to_address_message(each))) for each in addresses]
    return ClusterLoadAssignment(cluster_name=name, endpoints=[LocalityLbEndpoints(lb_endpoints=endpoints)])


def _build_breakers() -> CircuitBreakers:
    from envoy_data_plane.envoy.config.cluster.v3 import CircuitBreakers, CircuitBreakersThresholds

    threshold = CircuitBreakersThresholds(
        max_connections=PLENTY, max_pending_requests=PLENTY, max_requests=PLENTY, max_retries=PLENTY
    )
    return CircuitBreakers(thresholds=[threshold])


def _read_host(host: str, text: str) -> tuple[str, str]:
    """The host without brackets, and what is wrong with it ("" for nothing)."""
    if "://" in text:
        return "", f"write HOST:PORT without {text.partition('://')[0]}://"
    if host.startswith("[") and host.endswith("]"):
        inner = host[1:-1]
        return inner, "" if ":" in inner and _is_ip(inner) else f"{inner!r} is no IPv6 address"
    if ":" in host:
        return host, "write HOST:PORT, and an IPv6 address in brackets, as in '[::1]:8080'"
    if not host:
        return host, "write HOST:PORT, as in '127.0.0.1:8080', or unix:PATH"
    name = host.removesuffix(".")
    looks_numeric = name.replace(".", "").isdecimal()
    labels = name.split(".")
    if (
        len(name) > _MAX_HOST
        or not all(map(_LABEL.fullmatch, labels))
        or (looks_numeric and not _is_ip(host))
    ):
        return host, f"{host!r} is no host name or IP address"
    return host, ""


def _port_problem(port: str) -> str:
    if re.fullmatch("[0-9]{1,5}", port) and 1 <= int(port) <= 65535:
        return ""
    return f"{port!r} is no port; a port is a number from 1 to 65535"


def _path_problem(path: str) -> str:
    if not path or path.endswith("/") or "\0" in path:
        return "write the path of the socket, as in 'unix:/run/app.sock'"
    size = len(path.encode("utf-8", "surrogateescape"))
    return "" if size <= _MAX_PIPE else f"the path has {size} bytes; a socket's path has at most {_MAX_PIPE}"


def _is_ip(host: str) -> bool:
    try:
        return not getattr(ipaddress.ip_address(host), "scope_id", None)
    except ValueError:
        return False
