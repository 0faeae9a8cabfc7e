"""AuthorizationPolicy: what ALLOW, DENY and AUDIT put on a workload's routes, or before its TCP ports.

On routes it is RBAC by the names of filters that stand in every listener, so an edit closes no connection.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from google.protobuf.json_format import ParseDict

from meshext.policy.model import Action, Policy
from meshext_controlplane.translate.matchers import Data
from meshext_controlplane.translate.messages import pack
from meshext_controlplane.translate.rbac import ORDER, TCP_FILTER, Target, emit_filter
from meshext_proto import POOL
from meshext_proto.envoy.config.listener.v3 import listener_components_pb2 as components_pb2
from meshext_proto.envoy.extensions.filters.http.rbac.v3 import rbac_pb2 as http_rbac_pb2
from meshext_proto.envoy.extensions.filters.network.rbac.v3 import rbac_pb2 as tcp_rbac_pb2
from meshext_proto.envoy.extensions.path.match.uri_template.v3 import uri_template_match_pb2
from meshext_proto.google.protobuf import any_pb2

PACKED = (uri_template_match_pb2.UriTemplateMatchConfig,)
"""Messages inside of others, which JSON names by their type: known once they are imported."""

PLACES: Mapping[Action, str] = {
    Action.AUDIT: "rbac-audit",
    Action.DENY: "rbac-deny",
    Action.ALLOW: "rbac-allow",
}
"""The filter of `http_filters.ORDER` for each action."""


def build_route_rules(policies: Sequence[Policy], target: Target) -> dict[str, any_pb2.Any]:
    """`typed_per_filter_config` by the filter's name, for policies that apply to one workload."""
    rules: dict[str, any_pb2.Any] = {}
    for action in ORDER:
        chosen = [policy for policy in policies if policy.action is action]
        if chosen:
            rules[PLACES[action]] = pack_on_route(emit_filter(action, chosen, target)["typed_config"])
    return rules


def pack_on_route(rbac: Data) -> any_pb2.Any:
    """An HTTP RBAC in JSON form as what stands on a route."""
    return pack(http_rbac_pb2.RBACPerRoute(rbac=parse_http(rbac)))


def parse_http(rbac: Data) -> http_rbac_pb2.RBAC:
    """`envoy.extensions.filters.http.rbac.v3.RBAC` of its JSON form."""
    return ParseDict(_body(rbac), http_rbac_pb2.RBAC(), descriptor_pool=POOL)


def build_network_rules(policies: Sequence[Policy], target: Target) -> list[components_pb2.Filter]:
    """The network filters before a port that is not HTTP; `target` says so too."""
    return [
        build_network_filter(emit_filter(action, chosen, target)["typed_config"])
        for action in ORDER
        if (chosen := [policy for policy in policies if policy.action is action])
    ]


def build_network_filter(rbac: Data) -> components_pb2.Filter:
    """A network RBAC of its JSON form."""
    message = ParseDict(_body(rbac), tcp_rbac_pb2.RBAC(), descriptor_pool=POOL)
    return components_pb2.Filter(name=TCP_FILTER, typed_config=pack(message))


def build_network_closed() -> components_pb2.Filter:
    """The filter of a port that lets nobody in."""
    return build_network_filter({"statPrefix": "tcp.closed.", "rules": {"action": "ALLOW"}})


def _body(rbac: Data) -> Data:
    return {name: value for name, value in rbac.items() if name != "@type"}
