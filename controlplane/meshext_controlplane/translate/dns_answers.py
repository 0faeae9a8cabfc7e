"""Names of services for applications of transparent sidecars: Envoy answers with the addresses it knows.

Without a cluster's DNS nobody else knows the names of the mesh's documents. What they do not name is asked on
by Envoy, of the resolvers of its machine.
"""

from __future__ import annotations

from collections.abc import Iterable

from meshext_controlplane.translate.captured import Addresses, addresses_of
from meshext_controlplane.translate.messages import pack
from meshext_controlplane.translate.names import DNS, short_names
from meshext_controlplane.translate.services import MeshService
from meshext_proto.envoy.config.core.v3 import address_pb2
from meshext_proto.envoy.config.listener.v3 import listener_pb2
from meshext_proto.envoy.extensions.filters.udp.dns_filter.v3 import dns_filter_pb2
from meshext_proto.envoy.extensions.network.dns_resolver.cares.v3 import cares_dns_resolver_pb2

TTL = 30
"""Seconds that an application may keep an answer: addresses of services hardly ever change."""

PATIENCE = 5
"""Seconds for other resolvers to answer."""

PENDING = 256
"""Questions that may wait for other resolvers at once."""

Names = tuple[tuple[str, tuple[str, ...]], ...]
"""Each name and its addresses, in the order of names."""


def list_names(services: Iterable[MeshService], namespace: str, standing: Addresses) -> Names:
    """All names that a client in that namespace may use; of two services with one name the first is it."""
    found: dict[str, tuple[str, ...]] = {}
    for service in services:
        if (addresses := addresses_of(service, standing)) and not service.host.startswith("*"):
            for name in short_names(service.host, namespace):
                found.setdefault(name, addresses)
    return tuple(sorted(found.items()))


def build_dns_listener(port: int, names: Names) -> listener_pb2.Listener:
    """The listener that rules lead an application's questions to."""
    address = address_pb2.SocketAddress(
        protocol=address_pb2.SocketAddress.UDP, address="127.0.0.1", port_value=port
    )
    listener = listener_pb2.Listener(name=DNS, address=address_pb2.Address(socket_address=address))
    config = dns_filter_pb2.DnsFilterConfig(stat_prefix=DNS)
    table = config.server_config.inline_dns_table
    table.external_retry_count = 2
    for name, addresses in names:
        domain = table.virtual_domains.add(name=name)
        domain.endpoint.address_list.address.extend(addresses)
        domain.answer_ttl.seconds = TTL
    client = config.client_config
    client.resolver_timeout.seconds = PATIENCE
    client.max_pending_lookups = PENDING
    resolver = cares_dns_resolver_pb2.CaresDnsResolverConfig()
    # The application's own resolver has put the domains of its machine to the name.
    resolver.dns_resolver_options.no_default_search_domain = True
    client.typed_dns_resolver_config.name = "envoy.network.dns_resolver.cares"
    client.typed_dns_resolver_config.typed_config.CopyFrom(pack(resolver))
    listener.listener_filters.add(name="envoy.filters.udp.dns_filter", typed_config=pack(config))
    return listener
