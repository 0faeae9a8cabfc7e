"""Hosts as documents write them: a name without a dot is a Service of the document's own namespace."""

from __future__ import annotations

CLUSTER_DOMAIN = "svc.cluster.local"


def qualify_host(host: str, namespace: str) -> str:
    """The whole name of a host in a document of that namespace."""
    return host if "." in host or host == "*" else f"{host}.{namespace}.{CLUSTER_DOMAIN}"


def host_of(name: str, namespace: str) -> str:
    """The host of a Kubernetes `Service`."""
    return f"{name}.{namespace}.{CLUSTER_DOMAIN}"


def covers(pattern: str, host: str) -> bool:
    """Whether a host, or a wildcard such as `*.example.com`, is that host or has it below."""
    return pattern in ("*", host) or (pattern.startswith("*.") and host.endswith(pattern[1:]))


def name_stats(name: str) -> str:
    """A host, or a cluster's name with one, as statistics have it: Envoy ends its tag at the first dot."""
    return name.replace(".", "_")
