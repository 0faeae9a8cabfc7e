"""The HTTP connection manager that every generated listener has: limits, paths made plain, identities.

What must hold on every listener stands here once: paths are normalised before anything is decided about
them, `x-forwarded-client-cert` says only what the certificate says, and what a client may send is limited.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from meshext_controlplane.model.mesh_config import MeshConfigSpec
from meshext_controlplane.translate.edge import set_edge
from meshext_controlplane.translate.http_filters import Direction, HttpFilter
from meshext_controlplane.translate.messages import build_ads, pack
from meshext_proto.envoy.config.accesslog.v3 import accesslog_pb2
from meshext_proto.envoy.config.core.v3 import protocol_pb2
from meshext_proto.envoy.config.listener.v3 import listener_components_pb2 as components_pb2
from meshext_proto.envoy.extensions.filters.network.http_connection_manager.v3 import (
    http_connection_manager_pb2 as manager_pb2,
)

NAME = "envoy.filters.network.http_connection_manager"
HEADERS_KB = 60
HEADERS_COUNT = 100
HEADERS_TIMEOUT = 30
"""Seconds that a client may take for its headers."""

IDLE = 3600
"""Seconds that a connection or a stream may be silent: long, as streams of gRPC wait for events."""

STREAMS = 1000
"""Streams that a client may have open on one HTTP/2 connection."""

Manager = manager_pb2.HttpConnectionManager
_NORMALIZED = ("BASE", "MERGE_SLASHES", "DECODE_AND_MERGE_SLASHES")


@dataclass(frozen=True, slots=True)
class ManagerOptions:
    """Whose manager it is: its name in statistics and of its routes; with `connect` CONNECT is taken.

    `tells_peer` says whether those behind it are told of the client's certificate.
    """

    name: str
    direction: Direction
    connect: bool = False
    access_logs: tuple[accesslog_pb2.AccessLog, ...] = ()
    tracing: Manager.Tracing | None = None
    tells_peer: bool = True


def build_manager(
    options: ManagerOptions, config: MeshConfigSpec, filters: Iterable[HttpFilter]
) -> components_pb2.Filter:
    """The network filter; routes come over RDS under the options' name."""
    manager = Manager(
        stat_prefix=options.name,
        rds=manager_pb2.Rds(config_source=build_ads(), route_config_name=options.name),
        http_filters=filters,
        access_log=options.access_logs,
        tracing=options.tracing,
        server_header_transformation=Manager.PASS_THROUGH,
        xff_num_trusted_hops=config.num_trusted_proxies,
        upgrade_configs=_build_upgrades(options.connect),
        http_protocol_options=protocol_pb2.Http1ProtocolOptions(enable_trailers=True),
    )
    manager.use_remote_address.value = False
    manager.generate_request_id.value = True
    _set_limits(manager, options.direction)
    _set_paths(manager, config)
    if options.tells_peer:
        manager.forward_client_cert_details = Manager.SANITIZE_SET
        manager.set_current_client_cert_details.uri = True
    if options.direction is Direction.GATEWAY:
        set_edge(manager, config, tells_peer=options.tells_peer)
    return components_pb2.Filter(name=NAME, typed_config=pack(manager))


def _set_limits(manager: Manager, direction: Direction) -> None:
    manager.max_request_headers_kb.value = HEADERS_KB
    manager.request_headers_timeout.seconds = HEADERS_TIMEOUT
    manager.stream_idle_timeout.seconds = IDLE
    common = manager.common_http_protocol_options
    common.idle_timeout.seconds = IDLE
    common.max_headers_count.value = HEADERS_COUNT
    if direction in (Direction.INBOUND, Direction.GATEWAY):
        # Many servers take `x_user` and `x-user` for the same header, and a policy looks at one of them.
        common.headers_with_underscores_action = protocol_pb2.HttpProtocolOptions.REJECT_REQUEST
    manager.http2_protocol_options.max_concurrent_streams.value = STREAMS
    manager.http2_protocol_options.allow_connect = True


def _set_paths(manager: Manager, config: MeshConfigSpec) -> None:
    form = config.path_normalization.normalization
    manager.normalize_path.value = form in _NORMALIZED
    manager.merge_slashes = form in ("MERGE_SLASHES", "DECODE_AND_MERGE_SLASHES")
    manager.path_with_escaped_slashes_action = (
        Manager.UNESCAPE_AND_FORWARD if form == "DECODE_AND_MERGE_SLASHES" else Manager.KEEP_UNCHANGED
    )


def _build_upgrades(connect: bool) -> list[Manager.UpgradeConfig]:
    types = ["websocket", "CONNECT"] if connect else ["websocket"]
    return [Manager.UpgradeConfig(upgrade_type=each) for each in types]
