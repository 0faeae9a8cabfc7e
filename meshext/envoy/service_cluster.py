"""The cluster of the filter's service: gRPC, so HTTP/2, over TCP or a Unix socket."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshext.envoy.messages import builds_messages
from meshext.envoy.upstreams import Address, build_cluster

if TYPE_CHECKING:
    from envoy_data_plane.envoy.config.cluster.v3 import Cluster

CLUSTER = "meshext"
"""The cluster's name where nobody asks for another."""


@builds_messages
def build_service_cluster(address: Address, *, name: str = CLUSTER) -> Cluster:
    """The cluster of the service at `address`.

    ext_proc keeps one gRPC stream open for each HTTP exchange, so the circuit breakers are far above
    Envoy's default of 1,024 requests: beyond it Envoy answers 500 by itself.
    """
    from envoy_data_plane.envoy.config.core.v3 import Http2ProtocolOptions
    from envoy_data_plane.envoy.extensions.upstreams.http.v3 import HttpProtocolOptionsExplicitHttpConfig

    protocol = HttpProtocolOptionsExplicitHttpConfig(http2_protocol_options=Http2ProtocolOptions())
    return build_cluster(name, address, protocol)
