"""Endpoints: who is behind a cluster, and how he is."""

from __future__ import annotations

from collections.abc import Iterator

from meshext_controlplane.agent.dump.document import Dump, Json, address, items, part, word

HEADINGS = ("ENDPOINT", "HEALTH", "LOCALITY", "WEIGHT", "TLS", "CLUSTER")
_MATCH = "envoy.transport_socket_match"


def rows(dump: Dump) -> Iterator[tuple[str, ...]]:
    """One for each endpoint of each cluster."""
    found = _failing(dump)
    for each in dump.resources("EndpointsConfigDump", "endpoint_configs", "endpoint_config"):
        name = word(each.body, "cluster_name")
        for group in items(each.body, "endpoints"):
            place = locality(part(group, "locality"))
            for endpoint in items(group, "lb_endpoints"):
                where = place_of(part(endpoint, "endpoint", "address"))
                health = found.get((name, where)) or word(endpoint, "health_status") or "UNKNOWN"
                tls = word(endpoint, "metadata", "filter_metadata", _MATCH, "tlsMode")
                yield where, health, place, word(endpoint, "load_balancing_weight"), tls, name


def place_of(value: Json) -> str:
    """`HOST:PORT`, or the path of a pipe."""
    host, port = address(value)
    return f"[{host}]:{port}" if ":" in host and port else f"{host}:{port}" if port else host


def locality(value: Json) -> str:
    """`region/zone/sub_zone`, as far as it is said."""
    return "/".join(filter(None, (word(value, name) for name in ("region", "zone", "sub_zone"))))


def _failing(dump: Dump) -> dict[tuple[str, str], str]:
    """What only `/clusters` knows: who fails checks, and who was put out for too many errors."""
    states = {}
    for cluster in dump.statuses():
        for host in items(cluster, "host_statuses"):
            health = part(host, "health_status")
            where = place_of(part(host, "address"))
            if word(health, "failed_outlier_check") == "True":
                states[word(cluster, "name"), where] = "EJECTED"
            elif word(health, "failed_active_health_check") == "True":
                states[word(cluster, "name"), where] = "UNHEALTHY"
    return states
