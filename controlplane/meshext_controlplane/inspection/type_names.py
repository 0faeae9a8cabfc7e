"""The short names under which people know the types of xDS."""

from __future__ import annotations

SHORT = {
    "Cluster": "CDS",
    "ClusterLoadAssignment": "EDS",
    "Listener": "LDS",
    "RouteConfiguration": "RDS",
    "Secret": "SDS",
    "TypedExtensionConfig": "ECDS",
}


def short_name(type_url: str) -> str:
    """CDS for a cluster's type, and so on."""
    name = type_url.rpartition(".")[2]
    return SHORT.get(name, name)
