"""Clusters: where requests can go."""

from __future__ import annotations

from collections.abc import Iterator

from meshext_controlplane.agent.dump.document import STATIC, Dump, Item, items, part, type_name, word

HEADINGS = ("SERVICE", "PORT", "SUBSET", "DIRECTION", "TYPE", "TLS", "STATUS")


def clusters(dump: Dump) -> Iterator[Item]:
    """Every cluster."""
    return dump.resources("ClustersConfigDump", "clusters", "cluster")


def rows(dump: Dump) -> Iterator[tuple[str, ...]]:
    """One for each cluster."""
    for each in clusters(dump):
        direction, port, subset, host = split_name(word(each.body, "name"))
        kind = word(each.body, "type") or word(each.body, "cluster_type", "name") or STATIC
        yield host, port, subset, direction, kind, tls_of(each), each.status


def split_name(name: str) -> tuple[str, str, str, str]:
    """Direction, port, subset and host of `outbound|80|v1|host`; any other name is a host."""
    parts = name.split("|")
    if len(parts) != 4:
        return "", "", "", name
    return parts[0], parts[1], parts[2], parts[3] or name


def tls_of(cluster: Item) -> str:
    """How it speaks to its endpoints: plain, TLS, mTLS, or as each endpoint is marked."""
    if any(items(cluster.body, "transport_socket_matches")):
        matches = items(cluster.body, "transport_socket_matches")
        return "by endpoint: " + ", ".join(
            f"{word(each, 'name')} {socket_kind(part(each, 'transport_socket'))}" for each in matches
        )
    return socket_kind(part(cluster.body, "transport_socket"))


def socket_kind(socket: object) -> str:
    """What a transport socket does."""
    config = part(socket, "typed_config")
    kind = type_name(config)
    if kind not in ("UpstreamTlsContext", "DownstreamTlsContext"):
        return "plain"
    common = part(config, "common_tls_context")
    shows = any(items(common, "tls_certificate_sds_secret_configs")) or any(items(common, "tls_certificates"))
    both = shows if kind == "UpstreamTlsContext" else word(config, "require_client_certificate") == "True"
    return "mTLS" if both else "TLS"
