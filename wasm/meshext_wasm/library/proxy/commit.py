"""Writing to Envoy what the filters made of a message, in as few calls as the difference takes."""

from meshext_wasm.library.meshext.legal import encode
from meshext_wasm.library.meshext.request import RequestLine
from meshext_wasm.library.proxy.host import (
    REQUEST_HEADERS,
    RESPONSE_HEADERS,
    add_header,
    remove_header,
    replace_header,
)
from meshext_wasm.library.proxy.request_pass import RequestPass
from meshext_wasm.library.proxy.response_pass import ResponsePass


def request_headers(request: RequestPass) -> None:
    """The request line and headers as they are now."""
    line = request.line
    if line is not request.sent_line:
        request_line(request.sent_line, line)
        request.sent_line = line
    lines(REQUEST_HEADERS, request.sent, request.lines)
    request.sent = request.lines


def request_line(before: RequestLine, after: RequestLine) -> None:
    """What changed in the request line."""
    if before.method != after.method:
        replace_header(REQUEST_HEADERS, ":method", encode(after.method))
    if before.scheme != after.scheme:
        replace_header(REQUEST_HEADERS, ":scheme", encode(after.scheme))
    if before.host != after.host:
        replace_header(REQUEST_HEADERS, ":authority", encode(after.host))
    if before.target != after.target:
        replace_header(REQUEST_HEADERS, ":path", encode(after.target))


def response_headers(response: ResponsePass) -> None:
    """The status and headers as they are now."""
    if response.status != response.sent_status:
        replace_header(RESPONSE_HEADERS, ":status", encode(str(response.status)))
        response.sent_status = response.status
    lines(RESPONSE_HEADERS, response.sent, response.lines)
    response.sent = response.lines


def lines(which: int, before: list[tuple[str, bytes]], after: list[tuple[str, bytes]]) -> None:
    """What changed in header lines, name by name; the order among names is not kept."""
    if before is after:
        return
    seen: list[str] = []
    for line in after:
        name = line[0]
        if name not in seen:
            seen.append(name)
            values = values_of(after, name)
            if values_of(before, name) != values:
                replace_header(which, name, values[0])
                for value in values[1:]:
                    add_header(which, name, value)
    for line in before:
        name = line[0]
        if name not in seen:
            seen.append(name)
            remove_header(which, name)


def values_of(given: list[tuple[str, bytes]], name: str) -> list[bytes]:
    """Every value of a name."""
    found: list[bytes] = []
    for line in given:
        if line[0] == name:
            found.append(line[1])
    return found


def without_length(given: list[tuple[str, bytes]]) -> list[tuple[str, bytes]]:
    """The lines without content-length: a body that flows through filters may change its length."""
    found: list[tuple[str, bytes]] = []
    for line in given:
        if line[0] != "content-length":
            found.append(line)
    if len(found) == len(given):
        return given
    return found
