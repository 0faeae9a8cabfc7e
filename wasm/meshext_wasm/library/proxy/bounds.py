"""What Envoy has room for, checked on what a hook wrote: beyond it Envoy would answer for itself."""

from meshext_wasm.library.meshext.lines import Lines

MOST_HEADER_BYTES = 61440
MOST_HEADER_LINES = 100
NEGLIGIBLE = 256
"""Bytes that a hook may write without asking Envoy how long the headers are: it adds as much itself."""
PSEUDO_LINES = 4
PSEUDO_BYTES = 28
DEFAULT_MAX_BODY = 1048576


class Nonsense(Exception):
    """A hook returned or wrote something that has no meaning in this phase."""


def check_lines(given: Lines, written: Lines, besides: int) -> None:
    """Refuse lines that grew beyond what Envoy takes; those that came so are Envoy's own affair."""
    before, after = given.all(), written.all()
    size = besides
    for name, value in after:
        size += len(name) + len(value)
    if size > MOST_HEADER_BYTES and after != before:
        raise Nonsense(f"it wrote headers of {size} bytes; Envoy takes {MOST_HEADER_BYTES}")
    if len(after) + PSEUDO_LINES > MOST_HEADER_LINES and len(after) > len(before):
        raise Nonsense(f"it wrote {len(after)} header lines; Envoy takes {MOST_HEADER_LINES - PSEUDO_LINES}")


def fits_by_far(lines: Lines) -> bool:
    """Whether lines that nobody fetched fit even if nothing that was written replaces anything."""
    origin = lines.origin
    if lines.is_known or origin is None:
        return False
    if origin.count() + lines.lines_written > MOST_HEADER_LINES:
        return False
    if lines.bytes_written <= NEGLIGIBLE:
        return True
    return origin.size() + lines.bytes_written <= MOST_HEADER_BYTES


def check_body(body: bytes, max_body: int) -> None:
    """Refuse a body that grew beyond what Envoy takes."""
    room = max(DEFAULT_MAX_BODY, max_body)
    if len(body) > room:
        raise Nonsense(f"it wrote a body of {len(body)} bytes, and Envoy has room for {room}; raise max_body")
