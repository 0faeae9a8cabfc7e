"""Envoy's configuration to begin with: who it is, where its certificate and its configuration come from."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

from google.protobuf import json_format

from meshext.envoy.bootstrap import GRACEFUL_CLOSE, MAX_CONNECTIONS
from meshext.envoy.upstreams import HTTP_OPTIONS, TcpAddress
from meshext_controlplane.agent.channels import SERVER_NAME
from meshext_controlplane.agent.secrets import DEFAULT, ROOTCA
from meshext_controlplane.model.spiffe import SpiffeId
from meshext_controlplane.model.workload import Locality
from meshext_proto import POOL
from meshext_proto.envoy.config.bootstrap.v3 import bootstrap_pb2
from meshext_proto.envoy.config.cluster.v3 import cluster_pb2
from meshext_proto.envoy.config.core.v3 import base_pb2, config_source_pb2
from meshext_proto.envoy.extensions.transport_sockets.tls.v3 import secret_pb2, tls_pb2
from meshext_proto.envoy.extensions.upstreams.http.v3 import http_protocol_options_pb2

SDS, XDS = "sds", "xds"
"""The clusters of the bootstrap; generated resources name `sds` too."""

_CONNECTIONS = "envoy.resource_monitors.global_downstream_max_connections"
_CONNECTIONS_CONFIG = (
    "type.googleapis.com/envoy.extensions.resource_monitors.downstream_connections.v3"
    ".DownstreamConnectionsConfig"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvoySetup:
    """What one sidecar's Envoy is told at its start.

    `outbound` is the port of the HTTP proxy that its listeners will have; `secrets` and `admin` are socket
    files. `sotw` asks for configuration in the older form, the state of the world.
    """

    name: str
    identity: SpiffeId
    outbound: int
    control_plane: TcpAddress
    secrets: Path
    admin: Path
    locality: Locality = field(default_factory=Locality)
    sotw: bool = False


def build_bootstrap(setup: EnvoySetup) -> str:
    """`envoy.config.bootstrap.v3.Bootstrap` as JSON."""
    bootstrap = bootstrap_pb2.Bootstrap(node=_build_node(setup))
    bootstrap.admin.address.pipe.path = str(setup.admin)
    bootstrap.admin.address.pipe.mode = 0o600
    bootstrap.static_resources.clusters.extend([_build_sds(setup.secrets), _build_xds(setup.control_plane)])
    dynamic = bootstrap.dynamic_resources
    _set_ads(dynamic.ads_config, sotw=setup.sotw)
    for source in (dynamic.cds_config, dynamic.lds_config):
        source.ads.SetInParent()
        source.resource_api_version = config_source_pb2.V3
        # A sidecar without configuration would serve nothing and say that it is ready.
        source.initial_fetch_timeout.SetInParent()
    layer = bootstrap.layered_runtime.layers.add(name="meshext")
    layer.static_layer.update({GRACEFUL_CLOSE: True})
    document = json_format.MessageToDict(bootstrap, preserving_proto_field_name=True, descriptor_pool=POOL)
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
    node.metadata.update({"meshext": {"outbound": setup.outbound}})
    return node


def _build_sds(path: Path) -> cluster_pb2.Cluster:
    cluster = _build_cluster(SDS)
    cluster.type = cluster_pb2.Cluster.STATIC
    endpoint = cluster.load_assignment.endpoints.add().lb_endpoints.add().endpoint
    endpoint.address.pipe.path = str(path)
    return cluster


def _build_xds(address: TcpAddress) -> cluster_pb2.Cluster:
    cluster = _build_cluster(XDS)
    cluster.type = cluster_pb2.Cluster.STATIC if address.is_ip else cluster_pb2.Cluster.STRICT_DNS
    if not address.is_ip:
        cluster.dns_lookup_family = cluster_pb2.Cluster.V4_PREFERRED
    endpoint = cluster.load_assignment.endpoints.add().lb_endpoints.add().endpoint
    endpoint.address.socket_address.address = address.host
    endpoint.address.socket_address.port_value = address.port
    cluster.upstream_connection_options.tcp_keepalive.keepalive_time.value = 30
    cluster.transport_socket.name = "envoy.transport_sockets.tls"
    cluster.transport_socket.typed_config.Pack(_build_tls())
    return cluster


def _build_cluster(name: str) -> cluster_pb2.Cluster:
    cluster = cluster_pb2.Cluster(name=name)
    cluster.connect_timeout.seconds = 5
    cluster.load_assignment.cluster_name = name
    options = http_protocol_options_pb2.HttpProtocolOptions()
    http2 = options.explicit_http_config.http2_protocol_options
    http2.connection_keepalive.interval.seconds = 30
    http2.connection_keepalive.timeout.seconds = 10
    cluster.typed_extension_protocol_options[HTTP_OPTIONS].Pack(options)
    return cluster


def _build_tls() -> tls_pb2.UpstreamTlsContext:
    """mTLS to the control plane. All certificates have one root: only the name tells it apart."""
    context = tls_pb2.UpstreamTlsContext(sni=SERVER_NAME)
    common = context.common_tls_context
    common.alpn_protocols.append("h2")
    _set_secret(common.tls_certificate_sds_secret_configs.add(), DEFAULT)
    combined = common.combined_validation_context
    name = combined.default_validation_context.match_typed_subject_alt_names.add()
    name.san_type = name.DNS
    name.matcher.exact = SERVER_NAME
    _set_secret(combined.validation_context_sds_secret_config, ROOTCA)
    return context


def _set_secret(secret: secret_pb2.SdsSecretConfig, name: str) -> None:
    secret.name = name
    source = secret.sds_config
    source.resource_api_version = config_source_pb2.V3
    source.initial_fetch_timeout.SetInParent()
    source.api_config_source.api_type = config_source_pb2.ApiConfigSource.GRPC
    source.api_config_source.transport_api_version = config_source_pb2.V3
    source.api_config_source.set_node_on_first_message_only = True
    source.api_config_source.grpc_services.add().envoy_grpc.cluster_name = SDS


def _set_ads(ads: config_source_pb2.ApiConfigSource, *, sotw: bool) -> None:
    source = config_source_pb2.ApiConfigSource
    ads.api_type = source.GRPC if sotw else source.DELTA_GRPC
    ads.transport_api_version = config_source_pb2.V3
    ads.set_node_on_first_message_only = True
    ads.grpc_services.add().envoy_grpc.cluster_name = XDS


def _overload_manager() -> dict[str, object]:
    limit = {"@type": _CONNECTIONS_CONFIG, "max_active_downstream_connections": MAX_CONNECTIONS}
    return {"resource_monitors": [{"name": _CONNECTIONS, "typed_config": limit}]}
