"""A message as plain immutable data: what flows through a chain, and what changed between two points."""

from __future__ import annotations

from collections.abc import Container
from typing import NamedTuple

from meshext.http.headers import Lines
from meshext.http.legal import decode, encode

# A named tuple's own `__new__` is a call in Python; these are made several times for each message.
make = tuple.__new__


class RequestParts(NamedTuple):
    """A request at one point of the chain; `body` is None where it was not buffered."""

    lines: Lines
    method: str
    scheme: str
    host: str
    target: str
    body: bytes | None = None

    def with_lines(self, lines: Lines) -> RequestParts:
        """The same with other header lines; `_replace` costs three times as much."""
        return make(RequestParts, (lines, *self[1:]))

    def with_body(self, body: bytes | None) -> RequestParts:
        """The same with another body, or none."""
        return make(RequestParts, (*self[:5], body))

    def to_lines(self) -> Lines:
        """All lines, pseudo-headers (RFC 9113 8.3.1) in front; CONNECT has neither scheme nor path."""
        pseudo: tuple[tuple[str, str], ...] = ((":method", self.method), (":authority", self.host))
        if self.target:
            pseudo += ((":scheme", self.scheme), (":path", self.target))
        return tuple((name, encode(value)) for name, value in pseudo) + self.lines


class ResponseParts(NamedTuple):
    """A response at one point of the chain; `body` is None where it was not buffered."""

    lines: Lines
    status: int
    body: bytes | None = None

    def with_lines(self, lines: Lines) -> ResponseParts:
        """The same with other header lines."""
        return make(ResponseParts, (lines, *self[1:]))

    def with_body(self, body: bytes | None) -> ResponseParts:
        """The same with another body, or none."""
        return make(ResponseParts, (*self[:2], body))

    def to_lines(self) -> Lines:
        """All lines with `:status` in front."""
        return ((":status", str(self.status).encode()), *self.lines)


def follow_body(lines: Lines, body: bytes, *, was_there: bool) -> Lines:
    """The lines after the body was replaced: content-length follows it, a chunked message stays chunked.

    `was_there` says whether the message had a body (even an empty one) after its headers; one that gets its
    first is chunked, since Envoy drops the length there.
    """
    kept = tuple(line for line in lines if line[0] != "content-length")
    if not was_there or len(kept) == len(lines):
        return kept
    return (*kept, ("content-length", str(len(body)).encode()))


def forbids_body(method: str, status: int) -> bool:
    """Whether a response to that method with that status has no body on the wire (RFC 9110 6.4.1)."""
    return method == "HEAD" or status in (101, 204, 304)


def is_tunnel(request: RequestParts) -> bool:
    """Whether a request asks for a tunnel, as Envoy takes it: CONNECT, or an upgrade (RFC 9110 7.8)."""
    if request.method == "CONNECT":
        return True
    fields = {name: value for name, value in request.lines if name in ("upgrade", "connection")}
    tokens = fields.get("connection", b"").lower().split(b",")
    return bool(fields.get("upgrade")) and b"upgrade" in (token.strip() for token in tokens)


def opens_tunnel(method: str, status: int) -> bool:
    """Whether bytes of no body follow a response to that method with that status."""
    return status == 101 or (method == "CONNECT" and 200 <= status < 300)


class HeaderChange(NamedTuple):
    """What to do to header lines: names to remove, and the whole list of values for each name to set."""

    remove: tuple[str, ...] = ()
    replace: tuple[tuple[str, tuple[bytes, ...]], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.remove or self.replace)


NO_CHANGE = HeaderChange()


def request_parts(lines: Lines) -> RequestParts:
    """A request from the lines on the wire, pseudo-headers included."""
    pseudo, kept = dict(lines[:4]), lines[4:]
    try:
        # `decode` by hand
        method = pseudo[":method"].decode("utf-8", "surrogateescape")
        scheme = pseudo[":scheme"].decode("utf-8", "surrogateescape")
        host = pseudo[":authority"].decode("utf-8", "surrogateescape")
        target = pseudo[":path"].decode("utf-8", "surrogateescape")
        usual = not kept or min(kept)[0] >= ";"  # a pseudo-header's name begins with a colon
    except KeyError:
        usual = False
    if not usual or method == "CONNECT":
        return unusual_parts(lines)
    return make(RequestParts, (kept, method, scheme, host, target, None))


def unusual_parts(lines: Lines) -> RequestParts:
    """The same where the pseudo-headers are not the usual four in front."""
    pseudo = {name: value for name, value in lines if ":" <= name < ";"}
    kept = tuple([line for line in lines if line[0] >= ";" or line[0] < ":"])
    method = decode(pseudo.get(":method", b""))
    tunnel = method == "CONNECT" and ":protocol" not in pseudo
    target = "" if tunnel else decode(pseudo.get(":path", b""))
    scheme, host = decode(pseudo.get(":scheme", b"")), decode(pseudo.get(":authority", b""))
    return make(RequestParts, (kept, method, scheme, host, target, None))


def response_parts(lines: Lines) -> ResponseParts:
    """A response from the lines on the wire, `:status` included."""
    status, kept = lines[0][1] if lines else b"", lines[1:]
    if not lines or lines[0][0] != ":status" or (kept and min(kept)[0] < ";"):  # as above
        status = next((value for name, value in lines if name == ":status"), b"")
        kept = tuple([line for line in lines if line[0] >= ";" or line[0] < ":"])
    return make(ResponseParts, (kept, int(status) if status.isdigit() else 0, None))


def header_change(before: Lines, after: Lines) -> HeaderChange:
    """The difference between two lists of lines, name by name; the order among names is not kept."""
    if before is after:
        return NO_CHANGE
    if after[:-1] == before:
        name, value = after[-1]
        for line in before:
            if line[0] == name:
                break
        else:  # one line more: what most hooks write
            return make(HeaderChange, ((), ((name, (value,)),)))
    names = differing(before, after)
    old, new = group(before, names), group(after, names)
    return HeaderChange(
        tuple([name for name in old if name not in new]),
        tuple([(name, values) for name, values in new.items() if old.get(name) != values]),
    )


def differing(before: Lines, after: Lines) -> set[str]:
    """Names that may have changed: those between the first and the last line that differ."""
    first, last = 0, 0
    shortest = min(len(before), len(after))
    while first < shortest and before[first] is after[first]:
        first += 1
    while last < shortest - first and before[-1 - last] is after[-1 - last]:
        last += 1
    return {line[0] for line in before[first : len(before) - last] + after[first : len(after) - last]}


def group(lines: Lines, names: Container[str]) -> dict[str, tuple[bytes, ...]]:
    """Each of those names with its values, in the order of first lines."""
    grouped: dict[str, tuple[bytes, ...]] = {}
    for name, value in lines:
        if name in names:
            grouped[name] = (*grouped[name], value) if name in grouped else (value,)
    return grouped


def request_change(before: RequestParts, after: RequestParts) -> HeaderChange:
    """What changed in the request line (as pseudo headers) and the headers."""
    lines = header_change(before.lines, after.lines)
    if before[1:5] == after[1:5]:
        return lines
    pairs = zip((":method", ":scheme", ":authority", ":path"), before[1:5], after[1:5], strict=True)
    pseudo = tuple((name, (encode(new),)) for name, old, new in pairs if old != new)
    return HeaderChange(lines.remove, pseudo + lines.replace)


def response_change(before: ResponseParts, after: ResponseParts) -> HeaderChange:
    """What changed in the status and the headers."""
    lines = header_change(before.lines, after.lines)
    if before.status == after.status:
        return lines
    return HeaderChange(lines.remove, ((":status", (str(after.status).encode(),)), *lines.replace))
