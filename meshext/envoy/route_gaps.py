"""Which requests routes of one's own leave over: for them there is no route, and Envoy answers 404.

Works on `envoy.config.route.v3.RouteConfiguration` as plain data.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from meshext.envoy.emit import Data

ADVICE = "Envoy answers 404, and in ext_authz filters are not asked; where they should be, "


def find_route_gaps(routes: Data) -> Iterator[tuple[str, str]]:
    """Where requests are left over, as (path in the configuration, what is left over and what to write)."""
    hosts = [host for host in routes.get("virtual_hosts") or () if isinstance(host, dict)]
    if not any("*" in (host.get("domains") or ()) for host in hosts):
        yield "", f"no virtual host takes the hosts that are left over: {ADVICE}add one with domains: ['*']"
    for number, host in enumerate(hosts):
        if "matcher" in host or any(takes_all(route) for route in host.get("routes") or ()):
            continue
        yield (
            f".virtual_hosts[{number}]",
            f"no route takes the requests that are left over: {ADVICE}end with a route for prefix: /",
        )


def takes_all(route: Any) -> bool:
    """Whether a route takes every request (but CONNECT); other regular expressions are not looked into."""
    match = route.get("match") if isinstance(route, dict) else None
    if not isinstance(match, dict):
        return False
    conditions = {key for key, value in match.items() if value is not None and value != []}
    conditions.discard("case_sensitive")
    if conditions == {"prefix"}:
        return match["prefix"] in ("", "/")
    pattern = match.get("safe_regex")
    return (
        conditions == {"safe_regex"} and isinstance(pattern, dict) and pattern.get("regex") in (".*", "/.*")
    )
