"""What one sidecar has for itself: its workload's ports, its application's HTTP proxy and TCP ports."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from meshext_controlplane.model.proxy import Proxy
from meshext_controlplane.snapshot import Resource
from meshext_controlplane.translate.catalog import Catalog
from meshext_controlplane.translate.inbound import (
    InboundPort,
    build_inbound_cluster,
    build_inbound_listener,
    build_inbound_routes,
    inbound_protocol,
)
from meshext_controlplane.translate.memo import Memo
from meshext_controlplane.translate.names import (
    OUTBOUND_HTTP,
    name_inbound,
    name_inbound_cluster,
    name_outbound_tcp,
)
from meshext_controlplane.translate.outbound_listeners import build_http_listener, build_tcp_listener
from meshext_controlplane.translate.outbound_routes import OutboundRoutes
from meshext_controlplane.translate.outbound_tcp import TcpPorts
from meshext_controlplane.translate.policies import Policies


@dataclass(frozen=True, slots=True)
class Sidecar:
    """One sidecar, and what its part of the configuration is made of."""

    proxy: Proxy
    catalog: Catalog
    policies: Policies
    memo: Memo

    def outbound(self, routes: OutboundRoutes, tcp_ports: TcpPorts) -> Iterator[Resource]:
        """What the application calls others through."""
        workload, number, config = self.proxy.workload, self.proxy.outbound, self.catalog.config
        placed = self.policies.outbound(workload)
        yield from placed.resources
        yield routes.resource(workload.namespace, placed.on_routes)
        address = workload.address
        yield self.memo.encode(
            ("listener", OUTBOUND_HTTP, self.proxy.node_id),
            (address, number, config, placed),
            OUTBOUND_HTTP,
            lambda: build_http_listener(address, number, config, placed),
        )
        taken = frozenset({number, *(port.number for port in workload.ports)})
        for port, legs in ((port, legs) for port, legs in tcp_ports if port not in taken):
            name = name_outbound_tcp(port)
            build = partial(build_tcp_listener, name, address, port, legs)
            yield self.memo.encode(("listener", name, self.proxy.node_id), (address, legs), name, build)

    def inbound(self) -> Iterator[Resource]:
        """What others reach the application through."""
        workload = self.proxy.workload
        services = self.catalog.services_of(workload)
        for port in {each.number: each for each in reversed(workload.ports)}.values():
            inbound = InboundPort(
                address=workload.address,
                port=port,
                protocol=inbound_protocol(port, services),
                mode=self.policies.mtls_mode(workload, port.number),
                placed=self.policies.inbound(workload, port.number),
            )
            yield from self._inbound_port(inbound)

    def _inbound_port(self, inbound: InboundPort) -> Iterator[Resource]:
        yield from inbound.placed.resources
        number, config, encode = inbound.port.number, self.catalog.config, self.memo.encode
        name, cluster = name_inbound(number), name_inbound_cluster(number)
        node, inputs = self.proxy.node_id, (inbound, config)
        yield encode(("cluster in", number, node), inputs, cluster, lambda: build_inbound_cluster(inbound))
        yield encode(("in", number, node), inputs, name, lambda: build_inbound_listener(inbound, config))
        if inbound.protocol.is_http:
            yield encode(("routes in", number, node), inputs, name, lambda: build_inbound_routes(inbound))
