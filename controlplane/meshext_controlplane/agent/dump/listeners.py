"""Listeners: where Envoy listens, whom it takes there, and through which filters."""

from __future__ import annotations

from collections.abc import Iterator

from meshext_controlplane.agent.dump.clusters import socket_kind
from meshext_controlplane.agent.dump.document import (
    Dump,
    Item,
    Json,
    address,
    items,
    part,
    type_name,
    word,
    words,
)

HEADINGS = ("LISTENER", "ADDRESS", "PORT", "STATUS", "MATCH", "TLS", "DESTINATION", "HTTP FILTERS")
_HTTP = "envoy.filters.http."


def listeners(dump: Dump) -> Iterator[Item]:
    """Every listener."""
    return dump.resources("ListenersConfigDump", "listeners", "listener")


def rows(dump: Dump) -> Iterator[tuple[str, ...]]:
    """One for each filter chain."""
    for each in listeners(dump):
        host, port = address(part(each.body, "address"))
        chains = list(items(each.body, "filter_chains"))
        if default := part(each.body, "default_filter_chain"):
            chains.append(default)
        for chain in chains:
            target, filters = destination(chain)
            tls = socket_kind(part(chain, "transport_socket"))
            yield word(each.body, "name"), host, port, each.status, match(chain), tls, target, filters


def match(chain: Json) -> str:
    """Which connections a filter chain takes."""
    found = part(chain, "filter_chain_match")
    parts = [word(found, "transport_protocol")]
    parts += [f"ALPN {name}" for name in words(found, "application_protocols")]
    parts += [f"SNI {name}" for name in words(found, "server_names")]
    parts += [f"port {port}" for port in filter(None, [word(found, "destination_port")])]
    for each in items(found, "prefix_ranges"):
        parts.append(f"to {word(each, 'address_prefix')}/{word(each, 'prefix_len') or 0}")
    for each in items(found, "source_prefix_ranges"):
        parts.append(f"from {word(each, 'address_prefix')}/{word(each, 'prefix_len') or 0}")
    return ", ".join(filter(None, parts)) or "all"


def destination(chain: Json) -> tuple[str, str]:
    """Where a chain's connections go, and the names of its HTTP filters in order."""
    for each in items(chain, "filters"):
        config = part(each, "typed_config")
        if type_name(config) == "HttpConnectionManager":
            route = word(config, "rds", "route_config_name") or word(config, "route_config", "name")
            names = [
                word(one, "name").removeprefix("envoy.filters.http.") for one in items(config, "http_filters")
            ]
            return f"route {route or 'inline'}", ", ".join(names)
        if type_name(config) == "TcpProxy":
            return f"cluster {tcp_target(config)}", ""
    return "", ""


def tcp_target(config: Json) -> str:
    """The cluster of a TCP proxy, or its clusters with their weights."""
    weighted = items(config, "weighted_clusters", "clusters")
    return word(config, "cluster") or ", ".join(
        f"{word(each, 'name')} ({word(each, 'weight')})" for each in weighted
    )
