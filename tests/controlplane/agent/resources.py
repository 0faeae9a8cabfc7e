"""xDS resources of a workload in a mesh with STRICT mTLS, by hand: what translation makes of documents."""

from __future__ import annotations

from typing import Any

from google.protobuf import json_format

from meshext.envoy.upstreams import HTTP_OPTIONS
from meshext_controlplane.snapshot import Resource, encode_resource
from meshext_proto import POOL
from meshext_proto.envoy.config.cluster.v3 import cluster_pb2
from meshext_proto.envoy.config.listener.v3 import listener_pb2
from meshext_proto.envoy.extensions.filters.http.router.v3 import router_pb2  # noqa: F401  # into the pool
from meshext_proto.envoy.extensions.filters.network.http_connection_manager.v3 import (  # noqa: F401
    http_connection_manager_pb2,
)
from meshext_proto.envoy.extensions.transport_sockets.tls.v3 import tls_pb2  # noqa: F401
from meshext_proto.envoy.extensions.upstreams.http.v3 import http_protocol_options_pb2  # noqa: F401

TYPE = "type.googleapis.com/envoy.extensions."
TLS = f"{TYPE}transport_sockets.tls.v3."
MANAGER = f"{TYPE}filters.network.http_connection_manager.v3.HttpConnectionManager"


def secret(name: str) -> dict[str, Any]:
    source = {
        "api_type": "GRPC",
        "transport_api_version": "V3",
        "grpc_services": [{"envoy_grpc": {"cluster_name": "sds"}}],
    }
    config = {"api_config_source": source, "resource_api_version": "V3", "initial_fetch_timeout": "0s"}
    return {"name": name, "sds_config": config}


def common_tls(alpn: list[str]) -> dict[str, Any]:
    return {
        "tls_certificate_sds_secret_configs": [secret("default")],
        "validation_context_sds_secret_config": secret("ROOTCA"),
        "alpn_protocols": alpn,
    }


def endpoint(address: str, port: int) -> dict[str, Any]:
    if address.startswith("unix:"):
        return {"endpoint": {"address": {"pipe": {"path": address.removeprefix("unix:")}}}}
    return {"endpoint": {"address": {"socket_address": {"address": address, "port_value": port}}}}


def cluster(name: str, address: str, port: int, *, tls: bool) -> Resource:
    """A cluster of one endpoint; with `tls` each request shows and wants a certificate of the mesh."""
    found: dict[str, Any] = {
        "name": name,
        "type": "STATIC",
        "connect_timeout": "5s",
        "typed_extension_protocol_options": {
            HTTP_OPTIONS: {
                "@type": f"type.googleapis.com/{HTTP_OPTIONS}",
                "explicit_http_config": {"http_protocol_options": {}},
                "common_http_protocol_options": {"max_requests_per_connection": 1},
            }
        },
        "load_assignment": {
            "cluster_name": name,
            "endpoints": [{"lb_endpoints": [endpoint(address, port)]}],
        },
    }
    if tls:
        context = {"@type": f"{TLS}UpstreamTlsContext", "common_tls_context": common_tls(["http/1.1"])}
        found["transport_socket"] = {"name": "envoy.transport_sockets.tls", "typed_config": context}
    return _encode(name, found, cluster_pb2.Cluster())


def listener(
    name: str, address: str, port: int, target: str, *, tls: bool, inbound: bool = True, prefix: str = "/"
) -> Resource:
    """An HTTP listener that sends everything to one cluster; with `tls` only to peers with a certificate."""
    route = {"match": {"prefix": prefix}, "route": {"cluster": target, "timeout": "0s"}}
    manager = {
        "@type": MANAGER,
        "stat_prefix": name,
        "route_config": {
            "name": name,
            "virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [route]}],
        },
        "http_filters": [
            {
                "name": "envoy.filters.http.router",
                "typed_config": {"@type": f"{TYPE}filters.http.router.v3.Router"},
            }
        ],
    }
    chain: dict[str, Any] = {
        "filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]
    }
    if tls:
        context = {
            "@type": f"{TLS}DownstreamTlsContext",
            "require_client_certificate": True,
            "common_tls_context": common_tls(["h2", "http/1.1"]),
        }
        chain["transport_socket"] = {"name": "envoy.transport_sockets.tls", "typed_config": context}
    found = {
        "name": name,
        "address": {"socket_address": {"address": address, "port_value": port}},
        "traffic_direction": "INBOUND" if inbound else "OUTBOUND",
        "filter_chains": [chain],
        "enable_reuse_port": False,
    }
    return _encode(name, found, listener_pb2.Listener())


def _encode(name: str, found: dict[str, Any], message: Any) -> Resource:
    return encode_resource(name, json_format.ParseDict(found, message, descriptor_pool=POOL))
