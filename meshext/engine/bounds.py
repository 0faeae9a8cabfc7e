"""What Envoy has room for, checked on what a hook wrote: beyond it Envoy would answer for itself.

Its own refusal knows neither filter nor hook, blames the client (413) and ignores `failure = "open"`.
"""

from __future__ import annotations

from meshext.actions import Respond
from meshext.errors import HookNonsense
from meshext.http.headers import Lines
from meshext.http.parts import HeaderChange, RequestParts, ResponseParts
from meshext.needs import DEFAULT_MAX_BODY, Needs

# HttpConnectionManager's defaults: max_request_headers_kb and max_headers_count, less four pseudo-headers.
MOST_HEADER_BYTES = 60 * 1024
MOST_LINES = 100 - 4
PSEUDO_BYTES = len(":method:scheme:authority:path")


def check_parts(received: Lines, parts: RequestParts | ResponseParts, needs: Needs) -> None:
    """Refuse headers or a body that grew beyond what Envoy takes; `received` are the lines as they came."""
    lines = parts.lines
    if lines is not received:
        first = len("".join(parts[1:5])) if type(parts) is RequestParts else 0
        size = PSEUDO_BYTES + first + size_of(lines)
        if size > MOST_HEADER_BYTES or len(lines) > MOST_LINES:
            refuse_grown(received, lines, size)
    if parts.body is not None and len(parts.body) > (room := max(DEFAULT_MAX_BODY, needs.max_body)):
        raise HookNonsense(
            f"it wrote a body of {len(parts.body)} bytes, and Envoy has room for {room}; raise max_body"
        )


def spare_bytes(size: int) -> int:
    """How many bytes can be written to headers of at most that size before they have to be counted."""
    return MOST_HEADER_BYTES - PSEUDO_BYTES - size


def size_written(change: HeaderChange) -> int:
    """Bytes of what a hook wrote."""
    size = 0
    for name, values in change.replace:
        for value in values:
            size += len(name) + len(value)
    return size


def refuse_grown(before: Lines, after: Lines, size: int) -> None:
    """Refuse lines that grew beyond what Envoy takes; those that came so are Envoy's own affair."""
    if size > MOST_HEADER_BYTES and after != before:
        raise HookNonsense(f"it wrote headers of {size} bytes; Envoy takes {MOST_HEADER_BYTES}")
    if len(after) > MOST_LINES and len(after) > len(before):
        raise HookNonsense(f"it wrote {len(after)} header lines; Envoy takes {MOST_LINES}")


def check_answer(respond: Respond) -> None:
    """Refuse an answer whose headers Envoy would not take."""
    lines = respond.to_lines()
    refuse_grown((), lines, size_of(lines))


def size_of(lines: Lines) -> int:
    """Bytes of names and values."""
    size = 0
    for name, value in lines:  # a `sum` of them costs a third more
        size += len(name) + len(value)
    return size
