"""The whole of Envoy's configuration for `meshext run` and the tests: a listener, our filter, upstreams.

`envoy.config.bootstrap.v3.Bootstrap`, static throughout.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from meshext.envoy.connection_manager import build_connection_manager
from meshext.envoy.downstream_tls import DownstreamTls, build_tls_inspector, build_transport_socket
from meshext.envoy.http_filter import build_http_filters
from meshext.envoy.jwt import Jwt, build_jwt_filter
from meshext.envoy.messages import builds_messages
from meshext.envoy.routes import Route, build_default_routes
from meshext.envoy.service_cluster import CLUSTER, Backend, build_service_cluster
from meshext.envoy.upstreams import (
    TcpAddress,
    UnixAddress,
    Upstream,
    build_upstream_clusters,
    check_upstreams,
    to_address_message,
)
from meshext.envoy.wasm_filter import Module, build_wasm_filters
from meshext.envoy.wasm_stats import build_stats_config
from meshext.needs import DEFAULT_MAX_BODY
from meshext.plan import Plan

if TYPE_CHECKING:
    from envoy_data_plane.envoy.config.bootstrap.v3 import Admin, Bootstrap, LayeredRuntime
    from envoy_data_plane.envoy.config.listener.v3 import FilterChain, Listener
    from envoy_data_plane.envoy.config.overload.v3 import OverloadManager
    from envoy_data_plane.envoy.extensions.filters.network.http_connection_manager.v3 import HttpFilter

ANY_PORT = TcpAddress("127.0.0.1", 0)

LISTENER = "meshext"
"""The listener's name, by which Envoy's admin interface tells the port that it got."""

GRACEFUL_CLOSE = "envoy.reloadable_features.ext_proc_graceful_grpc_close"
"""With it Envoy half-closes an ext_proc stream and waits a second for its status, where it would reset it:
grpcio loses some 140 bytes of each stream that is reset (https://github.com/grpc/grpc/issues/43360)."""

MAX_CONNECTIONS = 50_000
"""Connections of clients at once; Envoy warns about a bootstrap that does not say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gateway:
    """What stands behind one listener.

    `plan` is what the filters need, and `service` where their service listens, or `module` what they were
    compiled to; without a plan requests go straight to the upstreams. `listen` with port 0 takes a free port.
    Without routes the default ones are made. `admin` is the path of the admin interface's Unix socket.
    """

    upstreams: tuple[Upstream, ...]
    admin: Path
    plan: Plan | None = None
    service: Backend | None = None
    module: Module | None = None
    listen: TcpAddress = ANY_PORT
    routes: tuple[Route, ...] = ()
    tls: DownstreamTls | None = None
    jwt: Jwt | None = None

    def __post_init__(self) -> None:
        if not self.upstreams:
            raise ValueError("a gateway has at least one upstream")
        if (self.plan is not None) != ((self.service is not None) != (self.module is not None)):
            raise ValueError("a plan goes with its service or its module")
        check_upstreams(self.upstreams, reserved=CLUSTER)


@builds_messages
def build_bootstrap(gateway: Gateway) -> Bootstrap:
    """The bootstrap; raises UnsupportedError where the plan's mode can not carry what the plan asks for."""
    from envoy_data_plane.envoy.config.bootstrap.v3 import Bootstrap, BootstrapStaticResources

    clusters = [each for upstream in gateway.upstreams for each in build_upstream_clusters(upstream)]
    if gateway.service is not None:
        clusters.append(build_service_cluster(gateway.service))
    return Bootstrap(
        static_resources=BootstrapStaticResources(listeners=[build_listener(gateway)], clusters=clusters),
        admin=_build_admin(gateway.admin),
        overload_manager=_build_overload_manager(),
        layered_runtime=_build_runtime(),
        stats_config=build_stats_config(gateway.module.labels) if gateway.module else None,
    )


@builds_messages
def build_listener(gateway: Gateway) -> Listener:
    """The listener alone, with all that stands behind it."""
    from envoy_data_plane.envoy.config.listener.v3 import Listener

    return Listener(
        name=LISTENER,
        address=to_address_message(gateway.listen),
        filter_chains=[_build_filter_chain(gateway)],
        listener_filters=[build_tls_inspector()] if gateway.tls else [],
        per_connection_buffer_limit_bytes=buffer_limit(gateway.plan),
        # with it two processes may listen on one port, and a port in use would go unnoticed
        enable_reuse_port=False,
    )


def buffer_limit(plan: Plan | None) -> int:
    """What Envoy has to be able to hold of one body, in bytes, so that `max_body` passes whole.

    The service refuses what is longer than `max_body`; Envoy's own limit only has to be no smaller.
    """
    return max(DEFAULT_MAX_BODY, plan.max_body if plan else 0)


def _build_filter_chain(gateway: Gateway) -> FilterChain:
    from envoy_data_plane.envoy.config.listener.v3 import Filter, FilterChain
    from envoy_data_plane.google.protobuf import Any

    manager = build_connection_manager(
        _build_filters(gateway),
        gateway.routes or build_default_routes(gateway.upstreams),
        tls=gateway.tls is not None,
        buffer_limit=buffer_limit(gateway.plan),
        namespaces=gateway.plan.written_namespaces if gateway.plan else (),
        over_http2={upstream.name for upstream in gateway.upstreams if upstream.grpc},
    )
    return FilterChain(
        filters=[
            Filter(name="envoy.filters.network.http_connection_manager", typed_config=Any.pack(manager))
        ],
        transport_socket=build_transport_socket(gateway.tls) if gateway.tls else None,
    )


def _build_filters(gateway: Gateway) -> Sequence[HttpFilter]:
    checks = [build_jwt_filter(gateway.jwt)] if gateway.jwt else []
    if gateway.module is not None:
        return [*checks, *build_wasm_filters(gateway.module)]
    if gateway.plan is None or gateway.service is None:
        return checks
    return [*checks, *build_http_filters(gateway.plan, cluster=gateway.service.cluster)]


def _build_admin(path: Path) -> Admin:
    from envoy_data_plane.envoy.config.bootstrap.v3 import Admin

    return Admin(address=to_address_message(UnixAddress(str(path))))


def _build_runtime() -> LayeredRuntime:
    from envoy_data_plane.envoy.config.bootstrap.v3 import LayeredRuntime, RuntimeLayer
    from envoy_data_plane.google.protobuf import Struct

    return LayeredRuntime(
        layers=[RuntimeLayer(name="meshext", static_layer=Struct.from_dict({GRACEFUL_CLOSE: True}))]
    )


def _build_overload_manager() -> OverloadManager:
    from envoy_data_plane.envoy.config.overload.v3 import OverloadManager, ResourceMonitor
    from envoy_data_plane.envoy.extensions.resource_monitors.downstream_connections.v3 import (
        DownstreamConnectionsConfig,
    )
    from envoy_data_plane.google.protobuf import Any

    limit = DownstreamConnectionsConfig(max_active_downstream_connections=MAX_CONNECTIONS)
    monitor = ResourceMonitor(
        name="envoy.resource_monitors.global_downstream_max_connections", typed_config=Any.pack(limit)
    )
    return OverloadManager(resource_monitors=[monitor])
