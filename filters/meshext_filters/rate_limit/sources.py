"""Where the parts of a key come from.

A source gives every value that the request has for it: a header that is sent twice names two callers, and
whoever reads behind us may believe either, so a request counts for each of them.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass

from meshext import Request
from meshext_filters.header_names import check_header
from meshext_filters.rate_limit.exchange import State

JWT = "envoy.filters.http.jwt_authn"
PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
NAMED = ("header", "cookie", "query", "claim")
BARE = ("client_address", "peer", "peer_address", "path", "method", "host", "route")
EXAMPLES = {"header": "x-user-id", "cookie": "session", "query": "tenant", "claim": "sub"}


@dataclass(frozen=True)
class Scope:
    """What reading a source depends on beside the request."""

    jwt_provider: str
    ipv4_prefix: int
    ipv6_prefix: int


@dataclass(frozen=True)
class Source:
    """One source: its kind (`header`, `path` ...) and, for some, a name."""

    kind: str
    name: str

    @property
    def text(self) -> str:
        """As it is written."""
        return f"{self.kind}:{self.name}" if self.name else self.kind

    def values(self, request: Request[State], scope: Scope) -> list[str]:
        """Every value that is not empty, each once, in order."""
        return list(dict.fromkeys(value for value in self.read(request, scope) if value))

    def read(self, request: Request[State], scope: Scope) -> list[str]:
        """What the request has, the empty and the repeated too."""
        if self.kind == "header":
            return request.headers.get_all(self.name)
        if self.kind == "cookie":
            return [
                value.strip('"') for value in request.cookies.get_all(self.name)
            ]  # quoted or not, the same
        if self.kind == "query":
            return request.query.get_all(self.name)
        if self.kind == "claim":
            return claim_values(request.metadata[JWT].get(scope.jwt_provider), self.name)
        return [self.read_one(request, scope)]

    def read_one(self, request: Request[State], scope: Scope) -> str:
        """The value of a source that has but one; "" where it has none."""
        if self.kind == "client_address":
            return network(request.client_address, scope)
        if self.kind == "peer":
            return request.peer.principal or ""
        if self.kind == "peer_address":
            return network(request.peer.address, scope)
        if self.kind == "path":
            return request.path
        if self.kind == "method":
            return request.method
        if self.kind == "host":
            return request.hostname
        return request.route


def network(address: str, scope: Scope) -> str:
    """The network that an address counts for; one IPv6 client has a whole /64 to choose from."""
    if not address:
        return ""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])  # without the zone (RFC 4007 section 11)
    except ValueError:
        return address
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    if mapped is not None:
        parsed = mapped
    prefix = scope.ipv4_prefix if parsed.version == 4 else scope.ipv6_prefix
    return str(ipaddress.ip_network(f"{parsed}/{prefix}", strict=False))


def claim_values(payload: object, name: str) -> list[str]:
    """The values of a claim: text, numbers and booleans, or a list of them.

    A name with dots is tried as it is, then as a way into nested claims (`realm_access.roles`).
    """
    if not isinstance(payload, Mapping):
        return []
    if name in payload:
        return scalars(payload[name])
    first, dot, rest = name.partition(".")
    return claim_values(payload.get(first), rest) if dot else []


def scalars(value: object) -> list[str]:
    """A claim's value as texts; what is nested deeper has none."""
    if isinstance(value, list):
        return [text for item in value for text in scalars(item) if not isinstance(item, list)]
    if isinstance(value, bool):
        return ["true" if value else "false"]
    if isinstance(value, str):
        return [value]
    if isinstance(value, float) and value.is_integer():
        return [str(int(value))]
    return [str(value)] if isinstance(value, int | float) else []


def parse_key(field: str, written: str) -> list[Source]:
    """The sources of one part of a key: a source as it is, or a template such as `{header:x-a}/{path}`."""
    if "{" not in written and "}" not in written:
        return [parse_source(field, written)]
    bare = PLACEHOLDER.sub("", written)
    if "{" in bare or "}" in bare:
        raise ValueError(
            f"{field} {written!r}: a brace has no partner; write such as '{{header:x-a}}/{{path}}'"
        )
    return [parse_source(field, str(found[1])) for found in PLACEHOLDER.finditer(written)]


def parse_source(field: str, written: str) -> Source:
    """One source; ValueError says what to write."""
    kind, colon, name = written.partition(":")
    if kind in BARE and not colon:
        return Source(kind, "")
    if kind in BARE:
        raise ValueError(f"{field} {written!r}: {kind} takes no name; write {kind!r}")
    if kind not in NAMED:
        raise ValueError(
            f"{field} {written!r} is no source; write one of {', '.join(f'{each}:NAME' for each in NAMED)},"
            f" {', '.join(BARE)}"
        )
    if not name or name != name.strip():
        raise ValueError(f"{field} {written!r} names no {kind}; write such as '{kind}:{EXAMPLES[kind]}'")
    if kind == "header":
        return Source(kind, check_header(field, name, host="host"))
    return Source(kind, name)
