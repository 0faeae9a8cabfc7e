"""What one transparent sidecar has for itself: its own listeners, and clusters that know where to go."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial

from meshext_controlplane.model.proxy import Proxy, Transparent
from meshext_controlplane.model.workload import WorkloadPort
from meshext_controlplane.snapshot import Resource
from meshext_controlplane.translate.authorization import build_network_closed
from meshext_controlplane.translate.captured import (
    Addresses,
    Captured,
    find_captured,
    needs_address,
)
from meshext_controlplane.translate.captured_routes import CapturedRoutes
from meshext_controlplane.translate.catalog import Catalog
from meshext_controlplane.translate.dns_answers import Names, build_dns_listener, list_names
from meshext_controlplane.translate.horizons import Horizon
from meshext_controlplane.translate.inbound import (
    InboundPort,
    build_inbound_cluster,
    build_inbound_routes,
    inbound_protocol,
)
from meshext_controlplane.translate.localities import build_nearness
from meshext_controlplane.translate.memo import Memo
from meshext_controlplane.translate.names import (
    BLACK_HOLE,
    DNS,
    INBOUND_PASSTHROUGH,
    PASSTHROUGH,
    VIRTUAL_INBOUND,
    VIRTUAL_OUTBOUND,
    name_captured_address,
    name_captured_port,
    name_inbound,
)
from meshext_controlplane.translate.outbound_clusters import build_as_meant, build_passthrough_as_meant
from meshext_controlplane.translate.outlook import Outlook
from meshext_controlplane.translate.policies import Policies
from meshext_controlplane.translate.pools import Cluster
from meshext_controlplane.translate.protocols import Protocol
from meshext_controlplane.translate.route_matches import Source
from meshext_controlplane.translate.virtual_addresses import allocate_addresses
from meshext_controlplane.translate.virtual_inbound import (
    build_inbound_passthrough,
    build_virtual_inbound,
    set_source,
)
from meshext_controlplane.translate.virtual_outbound import (
    build_captured_address,
    build_captured_port,
    build_virtual_outbound,
)

UNTOLD = 0
"""In place of a port's number: every port that nobody has told of."""


class Captures:
    """What transparent sidecars of one set of documents have alike, made when somebody asks for it."""

    def __init__(self, catalog: Catalog, memo: Memo) -> None:
        self.catalog = catalog
        self.memo = memo
        self._standing: Addresses | None = None
        self._captured: dict[tuple[str, Horizon, Source], tuple[Captured, CapturedRoutes]] = {}
        self._names: dict[tuple[str, Horizon, str], Names] = {}

    @property
    def standing(self) -> Addresses:
        """The addresses that stand for services, the same ones for everybody."""
        if self._standing is None:
            hosts = (each.host for each in self.catalog.services if needs_address(each))
            self._standing = allocate_addresses(hosts)
        return self._standing

    def calls(self, outlook: Outlook, source: Source) -> tuple[Captured, CapturedRoutes]:
        """How clients of a scope with the same labels call others."""
        key = (outlook.scope, outlook.horizon, source)
        if (calls := self._captured.get(key)) is None:
            routes = CapturedRoutes(outlook, source, self.memo, outlook.allow_any, self.standing)
            calls = self._captured[key] = find_captured(outlook, source, self.standing), routes
        return calls

    def names(self, outlook: Outlook, namespace: str) -> Names:
        """What names clients in a namespace may use."""
        key = (outlook.scope, outlook.horizon, namespace)
        if (names := self._names.get(key)) is None:
            services = outlook.services.values()
            names = self._names[key] = list_names(services, namespace, self.standing)
        return names


@dataclass(frozen=True, slots=True)
class TransparentSidecar:
    """One of them; `rules` are where its rules lead connections."""

    proxy: Proxy
    rules: Transparent
    captures: Captures
    policies: Policies

    @property
    def own_ports(self) -> tuple[int, ...]:
        """Envoy's own TCP ports, which nobody may call."""
        return (self.proxy.outbound, self.rules.inbound)

    def outbound(self, outlook: Outlook, source: Source) -> Iterator[Resource]:
        """What the application calls others through."""
        captured, routes = self.captures.calls(outlook, source)
        workload, config = self.proxy.workload, self.captures.catalog.config
        encode = self.captures.memo.encode
        placed = self.policies.outbound(workload)
        yield from placed.resources
        yield from self._clusters(outlook)
        rest = PASSTHROUGH if outlook.allow_any else BLACK_HOLE
        build = partial(build_virtual_outbound, self.proxy.outbound, self.own_ports, rest, placed)
        key = ("listener", VIRTUAL_OUTBOUND, self.own_ports, rest)
        yield encode(key, (self.own_ports, rest, placed), VIRTUAL_OUTBOUND, build)
        for port in captured.ports:
            if port.number in self.own_ports:
                continue
            name = name_captured_port(port.number)
            if port.http:
                yield routes.resource(port.number, workload.namespace, placed.on_routes)
            build = partial(build_captured_port, port, rest, config, placed)
            yield encode(("listener", name, rest), (port, rest, config, placed), name, build)
        for address in captured.addresses:
            name = name_captured_address(address.address, address.number)
            build = partial(build_captured_address, address, placed)
            yield encode(("listener", name), (address, placed), name, build)
        if (dns := self.rules.dns) is not None:
            names = self.captures.names(outlook, workload.namespace)
            own = ("listener", DNS, dns, workload.namespace)
            yield encode(own, (names,), DNS, partial(build_dns_listener, dns, names))

    def _clusters(self, outlook: Outlook) -> Iterator[Resource]:
        """Those that go where a connection was meant to go, in place of the ones that ask DNS."""
        encode, config = self.captures.memo.encode, self.captures.catalog.config
        client = self.captures.catalog.client(self.proxy.workload)
        yield encode(("as meant", PASSTHROUGH), (), PASSTHROUGH, build_passthrough_as_meant)
        for plan in outlook.plans.values():
            if plan.service.as_meant:
                nearness = build_nearness(plan.effective.policy, client)
                build = partial(build_as_meant, plan, config, nearness)
                yield encode(("as meant", plan.name), (plan, config, nearness), plan.name, build)

    def inbound(self) -> Iterator[Resource]:
        """What others reach the application through."""
        workload, config = self.proxy.workload, self.captures.catalog.config
        services = self.captures.catalog.services_of(workload)
        known = {each.number: each for each in reversed(workload.ports)}
        ports = [self._known(port, inbound_protocol(port, services)) for port in known.values()]
        ports += [self._untold(n) for n in self.policies.mtls_ports(workload) if n not in known]
        rest = self._untold(UNTOLD)
        for each in ports:
            yield from each.placed.resources
            if not each.passed_to:
                yield from self._application(each)
        encode = self.captures.memo.encode
        yield encode(INBOUND_PASSTHROUGH, (), INBOUND_PASSTHROUGH, build_inbound_passthrough)
        build = partial(build_virtual_inbound, self.rules.inbound, ports, rest, self.own_ports, config)
        inputs = (self.own_ports, ports, rest, config)
        yield encode(("listener in", self.proxy.node_id), inputs, VIRTUAL_INBOUND, build)

    def _known(self, port: WorkloadPort, protocol: Protocol) -> InboundPort:
        workload = self.proxy.workload
        return InboundPort(
            address=workload.address,
            port=port,
            protocol=protocol,
            mode=self.policies.mtls_mode(workload, port.number),
            placed=self.policies.inbound(workload, port.number),
        )

    def _untold(self, number: int) -> InboundPort:
        known = self._known(WorkloadPort(number=number, application=""), Protocol.TCP)
        placed = known.placed
        if placed.guarded:
            # Whoever speaks HTTP there would go past a filter that guards.
            placed = replace(placed, network=(build_network_closed(), *placed.network))
        return replace(known, placed=placed, passed_to=INBOUND_PASSTHROUGH)

    def _application(self, inbound: InboundPort) -> Iterator[Resource]:
        number, encode = inbound.port.number, self.captures.memo.encode
        name, node, inputs = name_inbound(number), self.proxy.node_id, (inbound,)
        cluster = inbound.cluster
        yield encode(
            ("cluster captured", number, node), inputs, cluster, partial(build_application_cluster, inbound)
        )
        if inbound.protocol.is_http:
            build = partial(build_inbound_routes, inbound)
            yield encode(("routes in", number, node), inputs, name, build)


def build_application_cluster(inbound: InboundPort) -> Cluster:
    """The application, called so that rules do not lead the connection back."""
    cluster = build_inbound_cluster(inbound)
    if not inbound.port.application.startswith("unix:"):
        set_source(cluster)
    return cluster
