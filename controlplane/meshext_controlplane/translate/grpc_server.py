"""What a gRPC server without an Envoy has for the ports that it serves itself (gRFCs A36, A29, A41).

It asks by the address that it listens at, for a listener with mTLS and with RBAC on its one route. A port
takes mTLS or plain text: it can not tell them apart, so PERMISSIVE takes mTLS alone. Where policies ask for
more than its RBAC knows, nobody is let in.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from meshext.policy.model import Field, Policy
from meshext.policy.patterns import is_template
from meshext_controlplane.model.workload import Workload, WorkloadPort, serves_itself
from meshext_controlplane.snapshot import Resource
from meshext_controlplane.translate.authorization import PLACES
from meshext_controlplane.translate.grpc_clusters import PROVIDER, Instance
from meshext_controlplane.translate.http_filters import HttpFilter
from meshext_controlplane.translate.memo import Memo
from meshext_controlplane.translate.messages import build_address, build_ads, pack
from meshext_controlplane.translate.names import name_grpc_server, name_inbound
from meshext_controlplane.translate.peer_authentication import MtlsMode
from meshext_controlplane.translate.policies import Placed, Policies
from meshext_controlplane.translate.tls import TLS_SOCKET
from meshext_proto.envoy.config.core.v3 import base_pb2
from meshext_proto.envoy.config.listener.v3 import listener_components_pb2 as components_pb2
from meshext_proto.envoy.config.listener.v3 import listener_pb2
from meshext_proto.envoy.config.rbac.v3 import rbac_pb2
from meshext_proto.envoy.config.route.v3 import route_components_pb2, route_pb2
from meshext_proto.envoy.extensions.filters.http.rbac.v3 import rbac_pb2 as http_rbac_pb2
from meshext_proto.envoy.extensions.filters.http.router.v3 import router_pb2
from meshext_proto.envoy.extensions.filters.network.http_connection_manager.v3 import (
    http_connection_manager_pb2 as manager_pb2,
)
from meshext_proto.envoy.extensions.transport_sockets.tls.v3 import common_pb2, tls_pb2
from meshext_proto.google.protobuf import any_pb2

ANYWHERE = ("0.0.0.0", "::")
"""What servers also bind to: all addresses of the machine."""

_UNKNOWN = {
    Field.REQUEST_PRINCIPALS: "tokens",
    Field.CLAIMS: "tokens",
    Field.METADATA: "metadata of filters",
    Field.REMOTE_IP_BLOCKS: "addresses behind proxies",
    Field.SNI: "the name in TLS",
    Field.HEADERS: "headers, whose lines it would compare as one",
}
"""Fields of policies that gRPC's RBAC does not know, or would answer without looking."""


def tell_guards(policies: Policies, workload: Workload, port: int) -> tuple[str, ...]:
    """What documents put before a workload's port and gRPC can not do; with any of them nobody is let in."""
    placed = policies.inbound(workload, port)
    told = [f"the filters of {place}" for place in placed.filters]
    for policy in policies.authorization_of(workload):
        told += [f"{each} (AuthorizationPolicy {policy.full_name})" for each in _tell_fields(policy)]
    return tuple(dict.fromkeys(told))


def _tell_fields(policy: Policy) -> Iterator[str]:
    for rule in policy.rules:
        groups = (*rule.sources, *rule.operations, rule.conditions)
        for term in (term for group in groups for term in group):
            if word := _UNKNOWN.get(term.field):
                yield word
            elif term.field is Field.PATHS and any(is_template(each) for each in term.values):
                yield "templates of paths"


@dataclass(frozen=True, slots=True)
class GrpcServer:
    """The ports that one workload serves itself."""

    workload: Workload
    policies: Policies
    memo: Memo

    def resources(self) -> Iterator[Resource]:
        """A listener for each address that the application may bind, and a port's routes."""
        for port in self.workload.ports:
            if serves_itself(self.workload, port):
                yield from self._port(port)

    def _port(self, port: WorkloadPort) -> Iterator[Resource]:
        number, routes = port.number, name_inbound(port.number)
        mode = self.policies.mtls_mode(self.workload, number)
        closed = bool(tell_guards(self.policies, self.workload, number))
        rules = build_closed_rules() if closed else pick_rules(self.policies.inbound(self.workload, number))
        owner, encode = (self.workload.namespace, self.workload.name), self.memo.encode
        inputs = (tuple(rules.items()),)
        yield encode(
            ("grpc in routes", *owner, number), inputs, routes, lambda: build_server_routes(routes, rules)
        )
        for host in (self.workload.address, *ANYWHERE):
            yield self._listener(host, number, mode)

    def _listener(self, host: str, number: int, mode: MtlsMode) -> Resource:
        name = name_grpc_server(host, number)
        return self.memo.encode(
            ("grpc in", name),
            (mode,),
            name,
            lambda: build_server_listener(name, host, number, mutual=mode is not MtlsMode.DISABLE),
        )


def pick_rules(placed: Placed) -> Mapping[str, any_pb2.Any]:
    """Those of the filters that stand in the listener."""
    return {name: config for name, config in placed.on_routes.items() if name in PLACES.values()}


def build_closed_rules() -> Mapping[str, any_pb2.Any]:
    """Rules that allow nobody."""
    rules = rbac_pb2.RBAC(action=rbac_pb2.RBAC.ALLOW)
    closed = http_rbac_pb2.RBACPerRoute(rbac=http_rbac_pb2.RBAC(rules=rules))
    return {"rbac-allow": pack(closed)}


def build_server_listener(name: str, host: str, number: int, *, mutual: bool) -> listener_pb2.Listener:
    """The listener at one address; routes come by RDS, so that an edit of policies closes no connection."""
    guards = [HttpFilter(name=place, typed_config=pack(http_rbac_pb2.RBAC())) for place in PLACES.values()]
    manager = manager_pb2.HttpConnectionManager(
        rds=manager_pb2.Rds(config_source=build_ads(), route_config_name=name_inbound(number)),
        http_filters=[*guards, HttpFilter(name="router", typed_config=pack(router_pb2.Router()))],
    )
    chain = components_pb2.FilterChain(
        name="mtls" if mutual else "plaintext",
        filters=[components_pb2.Filter(name="manager", typed_config=pack(manager))],
    )
    if mutual:
        chain.transport_socket.CopyFrom(_build_server_socket())
    return listener_pb2.Listener(
        name=name,
        address=build_address(host, number),
        traffic_direction=base_pb2.INBOUND,
        filter_chains=[chain],
    )


def _build_server_socket() -> base_pb2.TransportSocket:
    """mTLS by the bootstrap's provider: any identity of the mesh; which of them is for RBAC to say."""
    validation = common_pb2.CertificateValidationContext(
        ca_certificate_provider_instance=Instance(instance_name=PROVIDER)
    )
    context = tls_pb2.DownstreamTlsContext(
        common_tls_context=tls_pb2.CommonTlsContext(
            tls_certificate_provider_instance=Instance(instance_name=PROVIDER), validation_context=validation
        )
    )
    context.require_client_certificate.value = True
    return base_pb2.TransportSocket(name=TLS_SOCKET, typed_config=pack(context))


def build_server_routes(name: str, rules: Mapping[str, any_pb2.Any]) -> route_pb2.RouteConfiguration:
    """One route for every call, with the rules on it."""
    route = route_components_pb2.Route(name="default")
    route.match.prefix = "/"
    route.non_forwarding_action.SetInParent()
    for filter_name, config in rules.items():
        route.typed_per_filter_config[filter_name].CopyFrom(config)
    host = route_components_pb2.VirtualHost(name=name, domains=["*"], routes=[route])
    return route_pb2.RouteConfiguration(name=name, virtual_hosts=[host])
