"""Writing to Envoy what the filters made of a message, in as few calls as the difference takes."""

from meshext_wasm.library.meshext.legal import encode
from meshext_wasm.library.meshext.lines import Edit, Lines
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


def lines(which: int, before: Lines, after: Lines) -> None:
    """What changed in header lines; the order among names is not kept."""
    if before is after:
        return
    if not after.is_known and after.origin is before.origin:
        edits(which, after.edits, len(before.edits))
    else:
        differences(which, before.all(), after.all())


def edits(which: int, written: list[Edit], start: int) -> None:
    """What was written on lines that nobody fetched, from a place on; each name's last word."""
    behind = 0
    for edit in written:
        behind += 1
        if behind <= start:
            continue
        if edit.adds:
            for value in edit.values:
                add_header(which, edit.name, value)
        elif behind == len(written) or not is_replaced(written, behind - 1):
            write_values(which, edit.name, edit.values)


def is_replaced(written: list[Edit], at: int) -> bool:
    """Whether a later edit makes one needless: it puts other values in the same place."""
    for later in range(at + 1, len(written)):
        if written[later].name == written[at].name:
            return not written[later].adds
    return False


def write_values(which: int, name: str, values: list[bytes]) -> None:
    """Other values under a name."""
    if len(values) == 0:
        remove_header(which, name)
        return
    first = True
    for value in values:
        if first:
            replace_header(which, name, value)
        else:
            add_header(which, name, value)
        first = False


def differences(which: int, before: list[tuple[str, bytes]], after: list[tuple[str, bytes]]) -> None:
    """What changed, name by name."""
    seen: list[str] = []
    for line in after:
        name = line[0]
        if name not in seen:
            seen.append(name)
            values = values_of(after, name)
            if values_of(before, name) != values:
                write_values(which, name, values)
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


def without_length(given: Lines) -> Lines:
    """The lines without content-length: a body that flows through filters may change its length."""
    return given.edited(Edit("content-length", [], False))
