"""What Envoy does with a message beside what the filter asks for: lengths, bodies that HTTP forbids, gRPC.

Measured on Envoy 1.40 and held to it by the conformance suite.
"""

from __future__ import annotations

from urllib.parse import quote

from meshext.engine.effects import Answer
from meshext.http.headers import Headers, Lines
from meshext.http.parts import HeaderChange, forbids_body

# The gRPC status of an answer that says it in HTTP (https://github.com/grpc/grpc/blob/master/doc/http-grpc-status-mapping.md).
GRPC_STATUS = {400: 13, 401: 16, 403: 7, 404: 12, 429: 14, 502: 14, 503: 14, 504: 14}
GRPC_UNKNOWN = 2


def apply_change(lines: Lines, change: HeaderChange) -> Lines:
    """The lines after a change."""
    if not change:
        return lines
    headers = Headers.from_lines(tuple(line for line in lines if line[0] not in change.remove))
    for name, values in change.replace:
        kept = headers.to_lines()
        at = next((i for i, line in enumerate(kept) if line[0] == name), len(kept))
        rest = tuple(line for line in kept[at:] if line[0] != name)
        headers.replace_lines((*kept[:at], *((name, value) for value in values), *rest))
    return headers.to_lines()


def with_length(lines: Lines, size: int) -> Lines:
    """The lines with that content-length."""
    return (
        *(line for line in lines if line[0] != "content-length"),
        ("content-length", str(size).encode()),
    )


def is_grpc(lines: Lines) -> bool:
    """Whether a request is gRPC's, whose answers Envoy turns into trailers-only ones."""
    kind = next((value for name, value in lines if name == "content-type"), b"")
    return kind == b"application/grpc" or kind.startswith((b"application/grpc+", b"application/grpc;"))


def to_client(answer: Answer, method: str, *, grpc: bool) -> tuple[int, Lines, bytes]:
    """Status, lines and body that the client gets where a filter answered."""
    lines = answer.lines
    if grpc:
        return 200, grpc_lines(answer), b""
    if answer.body:
        if not any(name == "content-type" for name, _ in lines):
            lines = (*lines, ("content-type", b"text/plain"))
        lines = with_length(lines, len(answer.body))
    return answer.status, lines, b"" if forbids_body(method, answer.status) else answer.body


def grpc_lines(answer: Answer) -> Lines:
    """The lines of a trailers-only answer."""
    status = GRPC_STATUS.get(answer.status, GRPC_UNKNOWN)
    lines: Lines = tuple(line for line in answer.lines if line[0] not in ("content-type", "content-length"))
    lines += (("content-type", b"application/grpc"), ("grpc-status", str(status).encode()))
    if answer.body:
        lines += (("grpc-message", quote(answer.body, safe=" !\"#$&'()*+,-./:;<=>?@[\\]^_`{|}~").encode()),)
    return lines
