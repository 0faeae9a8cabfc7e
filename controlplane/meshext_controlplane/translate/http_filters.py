"""The order of HTTP filters, in one table, with the reason for each place.

What a policy says stands on routes (`typed_per_filter_config`) wherever Envoy allows: a route edit closes no
connection, a listener edit does. So the filters that routes configure stand in every listener, empty.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum

from google.protobuf.message import Message

from meshext_controlplane.translate.dynamic_forward import build_forward_filter
from meshext_controlplane.translate.messages import pack
from meshext_proto.envoy.extensions.filters.http.cors.v3 import cors_pb2
from meshext_proto.envoy.extensions.filters.http.fault.v3 import fault_pb2
from meshext_proto.envoy.extensions.filters.http.grpc_stats.v3 import config_pb2 as grpc_stats_pb2
from meshext_proto.envoy.extensions.filters.http.rbac.v3 import rbac_pb2
from meshext_proto.envoy.extensions.filters.http.router.v3 import router_pb2
from meshext_proto.envoy.extensions.filters.network.http_connection_manager.v3 import (
    http_connection_manager_pb2 as manager_pb2,
)


class Direction(Enum):
    """Which requests a listener takes: those of peers, or those of its own application."""

    INBOUND = "inbound"
    OUTBOUND = "outbound"


@dataclass(frozen=True, slots=True)
class Place:
    """One place in the chain.

    `empty` is the configuration of a filter that always stands there, waiting for what routes say, under
    the place's name; None where filters stand only if somebody puts them there.
    """

    name: str
    directions: frozenset[Direction]
    reason: str
    empty: Message | None = None


IN = frozenset({Direction.INBOUND})
OUT = frozenset({Direction.OUTBOUND})
BOTH = IN | OUT

_GRPC_STATS = grpc_stats_pb2.FilterConfig(emit_filter_state=True)
_PREFLIGHT = "answers a preflight before anything asks for what a preflight never carries"
_FORWARD = "looks a host up that no document names, when nothing can refuse the request any more"
_FAULT = "a fault is the network's: after every policy, before the upstream"

ORDER = (
    Place("cors", OUT, _PREFLIGHT, cors_pb2.Cors()),
    Place("custom", IN, "AuthorizationPolicy CUSTOM: asked before tokens are read, as Istio does"),
    Place("authn", BOTH, "FilterPolicy of phase AUTHN: may bring the token that is read next"),
    Place("jwt", IN, "RequestAuthentication: leaves the claims that everything after may ask for"),
    Place("authz", BOTH, "FilterPolicy of phase AUTHZ: sees claims, and decides before native rules let in"),
    Place("rbac-audit", IN, "AuthorizationPolicy AUDIT: looks, and never decides", rbac_pb2.RBAC()),
    Place("rbac-deny", IN, "AuthorizationPolicy DENY: stronger than any ALLOW", rbac_pb2.RBAC()),
    Place("rbac-allow", IN, "AuthorizationPolicy ALLOW: what nobody allows ends here", rbac_pb2.RBAC()),
    Place("stats", BOTH, "FilterPolicy of phase STATS: counts what was let in"),
    Place("last", BOTH, "FilterPolicy without a phase: nearest to the application"),
    Place("grpc-stats", BOTH, "counts gRPC messages as they are passed on", _GRPC_STATS),
    Place("grpc-web", IN, "turns gRPC-Web into gRPC for the application; only where a port says so"),
    Place("fault", OUT, _FAULT, fault_pb2.HTTPFault()),
    Place("forward", OUT, _FORWARD, build_forward_filter()),
    Place("router", BOTH, "sends the request; it has to be the last", router_pb2.Router()),
)
"""Every place, in the order in which a request meets it."""

HttpFilter = manager_pb2.HttpFilter


def build_chain(
    direction: Direction, placed: Mapping[str, Iterable[HttpFilter]] | None = None
) -> list[HttpFilter]:
    """The filters of a listener; `placed` are filters by the name of their place."""
    chain: list[HttpFilter] = []
    for place in ORDER:
        if direction in place.directions:
            chain += (placed or {}).get(place.name, ())
            if place.empty is not None:
                chain.append(HttpFilter(name=place.name, typed_config=pack(place.empty)))
    return chain
