"""Hosts of gateways' servers: exact names, `*.example.com`, `*`; which of them is for a name."""

from __future__ import annotations

from collections.abc import Iterable

from meshext_controlplane.model.hosts import covers


def common_host(one: str, other: str) -> str:
    """What both are for; "" where that is nothing."""
    if covers(one, other):
        return other
    return one if covers(other, one) else ""


def rank(pattern: str) -> tuple[int, int]:
    """The higher, the narrower: any name, then wildcards by length, then exact names, as in Envoy."""
    if pattern == "*":
        return (0, 0)
    return (1, len(pattern)) if pattern.startswith("*.") else (2, len(pattern))


def narrowest(patterns: Iterable[str], host: str) -> tuple[int, int]:
    """The rank of the narrowest pattern that is for a host; (-1, 0) where none is."""
    return max((rank(each) for each in patterns if covers(each, host)), default=(-1, 0))
