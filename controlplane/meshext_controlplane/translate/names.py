"""Names of what is generated, as Istio's users know them, and of hosts."""

from __future__ import annotations

CLUSTER_DOMAIN = "svc.cluster.local"
OUTBOUND_HTTP = "outbound-http"
"""The listener and the route configuration of the application's HTTP proxy."""

BLACK_HOLE = "BlackHoleCluster"
"""A cluster without endpoints: what goes there is answered with 503."""

PASSTHROUGH = "PassthroughCluster"
"""The cluster for hosts that no document names."""

INBOUND_PASSTHROUGH = "InboundPassthroughCluster"
"""The cluster for ports that a transparent sidecar's workload has not told of."""

VIRTUAL_OUTBOUND, VIRTUAL_INBOUND = "virtual-outbound", "virtual-inbound"
"""The listeners that a transparent sidecar's connections are led to."""

GRPC_SERVER = "grpc-server|"
"""What stands before the address of a gRPC server without an Envoy in the name of its listener."""

DNS = "dns"
"""The listener that answers with addresses of services."""


def name_outbound(port: int, subset: str, host: str) -> str:
    """The cluster, and its endpoints, of a service's port; `subset` is "" for all of them."""
    return f"outbound|{port}|{subset}|{host}"


def name_server(port: int, subset: str, host: str) -> str:
    """The server name (SNI) that a sidecar sends to another."""
    return f"outbound_.{port}_.{subset}_.{host}"


def name_inbound_cluster(port: int) -> str:
    """The cluster of the application behind a workload's port."""
    return f"inbound|{port}||"


def name_inbound(port: int) -> str:
    """The listener and the route configuration of a workload's port."""
    return f"inbound-{port}"


def name_grpc_server(host: str, port: int) -> str:
    """The listener that a gRPC server without an Envoy asks for, which listens at that address."""
    return f"{GRPC_SERVER}[{host}]:{port}" if ":" in host else f"{GRPC_SERVER}{host}:{port}"


def name_outbound_tcp(port: int) -> str:
    """The listener of a TCP port at which an application finds a service."""
    return f"outbound-{port}"


def name_captured_port(port: int) -> str:
    """The listener, and the route configuration, of connections to a port, wherever they go."""
    return f"outbound-any-{port}"


def name_captured_address(address: str, port: int) -> str:
    """The listener of connections to an address that stands for one service."""
    return f"outbound-{address}-{port}"


def name_gateway(bind: str, port: int) -> str:
    """The listener of a gateway's port; `bind` is "" for the workload's own address."""
    return f"gateway-{bind}-{port}" if bind else f"gateway-{port}"


def name_gateway_routes(bind: str, port: int) -> str:
    """The route configuration of a gateway's port for HTTP without TLS."""
    return f"http.{port}.{bind}" if bind else f"http.{port}"


def name_server_routes(gateway: str, port: int, port_name: str) -> str:
    """The route configuration of one HTTPS server of a Gateway, which is NAMESPACE/NAME."""
    namespace, _, name = gateway.partition("/")
    return f"https.{port}.{port_name}.{name}.{namespace}"


def name_secret(namespace: str, name: str, *, authorities: bool = False) -> str:
    """A Secret's certificate with its key, or its authorities."""
    return f"secret|{namespace}|{name}|ca" if authorities else f"secret|{namespace}|{name}"


def name_virtual_host(host: str, port: int) -> str:
    """The virtual host of a service's port."""
    return f"{host}:{port}"


def short_names(host: str, namespace: str) -> tuple[str, ...]:
    """All names of a host, longest first, as a client in that namespace may write them."""
    if not host.endswith(f".{CLUSTER_DOMAIN}"):
        return (host,)
    service, _, own = host.removesuffix(f".{CLUSTER_DOMAIN}").partition(".")
    names = (host, f"{service}.{own}.svc", f"{service}.{own}")
    return (*names, service) if own == namespace else names
