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
    """Which requests a listener takes: those of peers, those of its own application, those at a gateway."""

    INBOUND = "inbound"
    OUTBOUND = "outbound"
    GATEWAY = "gateway"


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
GATE = frozenset({Direction.GATEWAY})
GUARDED, ROUTED, ALL = IN | GATE, OUT | GATE, IN | OUT | GATE

_GRPC_STATS = grpc_stats_pb2.FilterConfig(emit_filter_state=True)
_PREFLIGHT = "answers a preflight before anything asks for what a preflight never carries"
_FORWARD = "looks a host up that no document names, when nothing can refuse the request any more"
_ROUTER = "sends the request; it has to be the last. A gateway tells strangers nothing about itself"
_FAULT = "a fault is the network's: after every policy, before the upstream"

ORDER = (
    Place("cors", ROUTED, _PREFLIGHT, cors_pb2.Cors()),
    Place("custom", GUARDED, "AuthorizationPolicy CUSTOM: asked before tokens are read, as Istio does"),
    Place("authn", ALL, "FilterPolicy of phase AUTHN: may bring the token that is read next"),
    Place("jwt", GUARDED, "RequestAuthentication: leaves the claims that everything after may ask for"),
    Place("authz", ALL, "FilterPolicy of phase AUTHZ: sees claims, and decides before native rules let in"),
    Place("rbac-audit", GUARDED, "AuthorizationPolicy AUDIT: looks, and never decides", rbac_pb2.RBAC()),
    Place("rbac-deny", GUARDED, "AuthorizationPolicy DENY: stronger than any ALLOW", rbac_pb2.RBAC()),
    Place("rbac-allow", GUARDED, "AuthorizationPolicy ALLOW: what nobody allows ends here", rbac_pb2.RBAC()),
    Place("stats", ALL, "FilterPolicy of phase STATS: counts what was let in"),
    Place("last", ALL, "FilterPolicy without a phase: nearest to the application"),
    Place("grpc-stats", ALL, "counts gRPC messages as they are passed on", _GRPC_STATS),
    Place("grpc-web", IN, "turns gRPC-Web into gRPC for the application; only where a port says so"),
    Place("fault", ROUTED, _FAULT, fault_pb2.HTTPFault()),
    Place("forward", ROUTED, _FORWARD, build_forward_filter()),
    Place("router", IN | OUT, _ROUTER, router_pb2.Router()),
    Place("router", GATE, _ROUTER, router_pb2.Router(suppress_envoy_headers=True)),
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
