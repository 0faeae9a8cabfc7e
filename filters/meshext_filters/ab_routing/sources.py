"""Where a user's key comes from, in the notation that other policies have too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from meshext import Request
from meshext_filters.header_names import check_header

JWT = "envoy.filters.http.jwt_authn"
NAMED = ("header", "cookie", "query", "claim", "metadata")
BARE = ("peer", "peer_address", "client_address", "path")
EXAMPLES = {
    "header": "x-user-id",
    "cookie": "uid",
    "query": "user",
    "claim": "sub",
    "metadata": "meshext.telemetry:tenant",
}
HOST = "another source: all users of a site have the same host"
MOST_SEGMENT = 64


@dataclass(frozen=True)
class Source:
    """One source: its kind and, for some, a name.

    `segment` is for `path:N`, 0 for the whole path; `key` is what of the metadata namespace `name` counts.
    """

    kind: str
    name: str = ""
    segment: int = 0
    key: str = ""

    def read(self, request: Request, jwt_provider: str) -> str:
        """The user's key; "" where the request has none. Of several the first counts."""
        if self.kind == "header":
            return request.headers.get(self.name, "")
        if self.kind == "cookie":
            return request.cookies.get(self.name, "").strip('"')
        if self.kind == "query":
            return request.query.get(self.name, "")
        if self.kind == "claim":
            return value_text(request.metadata[JWT].get(jwt_provider), self.name)
        if self.kind == "metadata":
            return value_text(request.metadata[self.name], self.key)
        if self.kind == "peer":
            return request.peer.principal or ""
        if self.kind == "peer_address":
            return request.peer.address
        if self.kind == "client_address":
            return request.client_address
        return path_part(request.path, self.segment)


def path_part(path: str, segment: int) -> str:
    """A segment of a path, the first is 1; the whole path for 0, "" where there are not so many."""
    if segment == 0:
        return path
    parts = path.split("/")
    return parts[segment] if segment < len(parts) else ""


def value_text(payload: object, name: str) -> str:
    """A value that is text or a whole number; a name with dots is a way into nested mappings too."""
    if not isinstance(payload, Mapping):
        return ""
    value = payload.get(name)
    if value is None:
        first, dot, rest = name.partition(".")
        return value_text(payload.get(first), rest) if dot else ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        return ""
    return str(int(value)) if float(value).is_integer() else ""


def parse_source(field: str, written: str) -> Source:
    """One source; ValueError says what to write."""
    kind, colon, name = written.partition(":")
    if kind == "path" and colon:
        return Source("path", segment=parse_segment(field, written, name))
    if kind in BARE:
        if colon:
            raise ValueError(f"{field} {written!r}: {kind} takes no name; write {kind!r}")
        return Source(kind)
    if kind not in NAMED:
        named = ", ".join(f"{each}:NAME" for each in NAMED)
        raise ValueError(f"{field} {written!r} is no source; write one of {named}, {', '.join(BARE)}, path:2")
    if not name or name != name.strip():
        raise ValueError(f"{field} {written!r} names no {kind}; write such as '{kind}:{EXAMPLES[kind]}'")
    if kind == "metadata":
        return parse_metadata(field, written, name)
    return Source(kind, check_header(field, name, host=HOST) if kind == "header" else name)


def parse_metadata(field: str, written: str, name: str) -> Source:
    """A namespace of Envoy's dynamic metadata, and a key in it."""
    namespace, colon, key = name.partition(":")
    if not colon or not namespace or not key:
        raise ValueError(
            f"{field} {written!r}: metadata has a namespace and a key; "
            f"write such as 'metadata:{EXAMPLES['metadata']}'"
        )
    return Source("metadata", namespace, key=key)


def parse_segment(field: str, written: str, number: str) -> int:
    """The number of a segment of the path."""
    if not (number.isascii() and number.isdigit()) or not 1 <= int(number[:9]) <= MOST_SEGMENT:
        raise ValueError(
            f"{field} {written!r}: segments of a path are counted from 1 to {MOST_SEGMENT}; "
            "write such as 'path:2' for ann in /users/ann"
        )
    return int(number)
