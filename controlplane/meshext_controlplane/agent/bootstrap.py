"""Envoy's configuration to begin with: who it is, where its certificate and its configuration come from."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

from meshext.envoy.bootstrap import GRACEFUL_CLOSE, MAX_CONNECTIONS
from meshext.envoy.upstreams import HTTP_OPTIONS, TcpAddress
from meshext_controlplane.agent.stats_listener import add_stats
from meshext_controlplane.model.proxy import Transparent
from meshext_controlplane.model.spiffe import SpiffeId
from meshext_controlplane.model.workload import Locality
from meshext_controlplane.node_metadata import METADATA, to_metadata
from meshext_controlplane.translate.decoding import to_data
from meshext_proto.envoy.config.bootstrap.v3 import bootstrap_pb2
from meshext_proto.envoy.config.cluster.v3 import cluster_pb2
from meshext_proto.envoy.config.core.v3 import base_pb2, config_source_pb2
from meshext_proto.envoy.extensions.upstreams.http.v3 import http_protocol_options_pb2

SDS, XDS = "sds", "xds"
"""The clusters of the bootstrap; generated resources name `sds` too."""

_CONNECTIONS = "envoy.resource_monitors.global_downstream_max_connections"
_CONNECTIONS_CONFIG = (
    "type.googleapis.com/envoy.extensions.resource_monitors.downstream_connections.v3"
    ".DownstreamConnectionsConfig"
)

REGEX_LIMIT = "re2.max_program_size.error_level"
LARGEST_REGEX = 32_768
"""Instructions of a compiled expression, Istio's limit. Envoy's own, 100, refuses `[0-9]{100}`; the length of
expressions is limited where documents are read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvoySetup:
    """What one sidecar's Envoy is told at its start.

    `outbound` is the port of the HTTP proxy that its listeners will have; `agent` and `admin` are socket
    files: ours, where secrets and configuration come from, and Envoy's own. `sotw` asks for configuration
    in the older form, the state of the world; `stats` is a port for Prometheus, `transparent` says where
    rules lead connections, if they do.
    """

    name: str
    identity: SpiffeId
    outbound: int
    agent: Path
    admin: Path
    locality: Locality = field(default_factory=Locality)
    sotw: bool = False
    stats: TcpAddress | None = None
    transparent: Transparent | None = None


def build_bootstrap(setup: EnvoySetup) -> str:
    """`envoy.config.bootstrap.v3.Bootstrap` as JSON."""
    bootstrap = bootstrap_pb2.Bootstrap(node=_build_node(setup))
    bootstrap.admin.address.pipe.path = str(setup.admin)
    bootstrap.admin.address.pipe.mode = 0o600
    # Two connections, so that a certificate never waits behind a large configuration.
    bootstrap.static_resources.clusters.extend(_build_cluster(name, setup.agent) for name in (SDS, XDS))
    dynamic = bootstrap.dynamic_resources
    _set_ads(dynamic.ads_config, sotw=setup.sotw)
    for source in (dynamic.cds_config, dynamic.lds_config):
        source.ads.SetInParent()
        source.resource_api_version = config_source_pb2.V3
        # A sidecar without configuration would serve nothing and say that it is ready.
        source.initial_fetch_timeout.SetInParent()
    if setup.stats is not None:
        add_stats(bootstrap, setup.stats, setup.admin)
    layer = bootstrap.layered_runtime.layers.add(name="meshext")
    layer.static_layer.update({GRACEFUL_CLOSE: True, REGEX_LIMIT: LARGEST_REGEX})
    document = to_data(bootstrap)  # the same text each time: a message has its maps in any order
    document["overload_manager"] = _overload_manager()
    return json.dumps(document)


def _build_node(setup: EnvoySetup) -> base_pb2.Node:
    node = base_pb2.Node(
        id=f"{setup.name}.{setup.identity.namespace}",
        cluster=f"{setup.identity.service_account}.{setup.identity.namespace}",
        locality=base_pb2.Locality(
            region=setup.locality.region, zone=setup.locality.zone, sub_zone=setup.locality.sub_zone
        ),
    )
    node.metadata.update({METADATA: to_metadata(setup.outbound, setup.transparent)})
    return node


def _build_cluster(name: str, path: Path) -> cluster_pb2.Cluster:
    """A cluster whose only endpoint is our own socket."""
    cluster = cluster_pb2.Cluster(name=name, type=cluster_pb2.Cluster.STATIC)
    cluster.connect_timeout.seconds = 5
    cluster.load_assignment.cluster_name = name
    endpoint = cluster.load_assignment.endpoints.add().lb_endpoints.add().endpoint
    endpoint.address.pipe.path = str(path)
    options = http_protocol_options_pb2.HttpProtocolOptions()
    http2 = options.explicit_http_config.http2_protocol_options
    http2.connection_keepalive.interval.seconds = 30
    http2.connection_keepalive.timeout.seconds = 10
    cluster.typed_extension_protocol_options[HTTP_OPTIONS].Pack(options)
    return cluster


def _set_ads(ads: config_source_pb2.ApiConfigSource, *, sotw: bool) -> None:
    source = config_source_pb2.ApiConfigSource
    ads.api_type = source.GRPC if sotw else source.DELTA_GRPC
    ads.transport_api_version = config_source_pb2.V3
    ads.set_node_on_first_message_only = True
    service = ads.grpc_services.add().envoy_grpc
    service.cluster_name = XDS
    # The agent is beside us and has waits of its own towards the control plane.
    service.retry_policy.retry_back_off.base_interval.FromMilliseconds(100)
    service.retry_policy.retry_back_off.max_interval.FromMilliseconds(1000)


def _overload_manager() -> dict[str, object]:
    limit = {"@type": _CONNECTIONS_CONFIG, "max_active_downstream_connections": MAX_CONNECTIONS}
    return {"resource_monitors": [{"name": _CONNECTIONS, "typed_config": limit}]}
