"""The cluster of the filter's service: gRPC, so HTTP/2, over TCP or Unix sockets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from meshext.envoy.messages import builds_messages
from meshext.envoy.upstreams import Address, build_cluster

if TYPE_CHECKING:
    from envoy_data_plane.envoy.config.cluster.v3 import Cluster

CLUSTER = "meshext"
"""The cluster's name where nobody asks for another."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backend:
    """Where the filter's service listens: at least one address, and all of them serve the same filters."""

    addresses: tuple[Address, ...]
    cluster: str = CLUSTER

    def __post_init__(self) -> None:
        if not self.addresses:
            raise ValueError("a service has at least one address")


@builds_messages
def build_service_cluster(backend: Backend) -> Cluster:
    """The cluster of the service.

    ext_proc keeps one gRPC stream open for each HTTP exchange, so the circuit breakers are far above
    Envoy's default of 1,024 requests: beyond it Envoy answers 500 by itself.
    """
    from envoy_data_plane.envoy.config.core.v3 import Http2ProtocolOptions
    from envoy_data_plane.envoy.extensions.upstreams.http.v3 import HttpProtocolOptionsExplicitHttpConfig

    protocol = HttpProtocolOptionsExplicitHttpConfig(http2_protocol_options=Http2ProtocolOptions())
    return build_cluster(backend.cluster, backend.addresses, protocol)
