"""What a gateway's connection manager does more than others, since strangers speak to it.

Headers that claim what only proxies know are removed before anything looks at them, so that neither a policy
nor an application believes a client. Where `numTrustedProxies` says that proxies of ours stand in front,
theirs stay, and the client's address is taken from x-forwarded-for, counted from the right.
"""

from __future__ import annotations

from meshext_controlplane.model.mesh_config import MeshConfigSpec
from meshext_controlplane.translate.messages import pack
from meshext_proto.envoy.config.common.mutation_rules.v3 import mutation_rules_pb2
from meshext_proto.envoy.extensions.filters.network.http_connection_manager.v3 import (
    http_connection_manager_pb2 as manager_pb2,
)
from meshext_proto.envoy.extensions.http.early_header_mutation.header_mutation.v3 import (
    header_mutation_pb2,
)

IDLE = 300
"""Seconds that a stranger's connection or stream may be silent."""

STREAMS = 100
"""Streams that a stranger may have open on one HTTP/2 connection."""

WINDOW = 1024 * 1024
"""Bytes that a stranger may send before they are read."""

_CLAIMS = ("x-envoy-", "x-meshext-")
_FORWARDING = ("x-forwarded-",)
_ALSO = ("forwarded", "x-real-ip")

Manager = manager_pb2.HttpConnectionManager


def set_edge(manager: Manager, config: MeshConfigSpec, *, tells_peer: bool) -> None:
    """Make it one that strangers may speak to."""
    manager.use_remote_address.value = True
    manager.strip_trailing_host_dot = True
    manager.stream_idle_timeout.seconds = IDLE
    manager.common_http_protocol_options.idle_timeout.seconds = IDLE
    http2 = manager.http2_protocol_options
    http2.max_concurrent_streams.value = STREAMS
    http2.initial_stream_window_size.value = WINDOW
    http2.initial_connection_window_size.value = WINDOW
    http2.allow_connect = False
    mutation = header_mutation_pb2.HeaderMutation(mutations=list_mutations(config.num_trusted_proxies))
    manager.early_header_mutation_extensions.add(
        name="envoy.http.early_header_mutation.header_mutation", typed_config=pack(mutation)
    )
    if tells_peer:
        details = manager.set_current_client_cert_details
        details.subject.value = True
        details.dns = True
    else:
        manager.forward_client_cert_details = Manager.SANITIZE


def list_mutations(trusted_proxies: int) -> list[mutation_rules_pb2.HeaderMutation]:
    """Which headers are removed as a request comes in."""
    mutation = mutation_rules_pb2.HeaderMutation
    prefixes = _CLAIMS if trusted_proxies else (*_CLAIMS, *_FORWARDING)
    made = []
    for prefix in prefixes:
        each = mutation()
        each.remove_on_match.key_matcher.prefix = prefix
        made.append(each)
    return made if trusted_proxies else [*made, *(mutation(remove=name) for name in _ALSO)]
