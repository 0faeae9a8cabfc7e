"""Envoy's attributes: which there are, and the value of each; `meshext.attributes` where they are properties.

What a client may write freely is worked out from the request's own lines, as in the SDK; everything else is
the property of the same name, which is text, or 8 bytes of a number, or 1 of a truth.
"""

from meshext_wasm.library.meshext.errors import SpecError
from meshext_wasm.library.meshext.legal import decode
from meshext_wasm.library.meshext.lines import Lines
from meshext_wasm.library.meshext.request import RequestLine
from meshext_wasm.library.meshext.surroundings import Surroundings
from meshext_wasm.library.proxy.host import read_property

LINES = (
    "request.path request.url_path request.host request.scheme request.method request.referer "
    "request.useragent request.query request.id request.size"
).split()
"""Those that the request's own lines tell."""

TEXTS = (
    "xds.virtual_host_name xds.route_name xds.cluster_name xds.filter_chain_name request.protocol "
    "connection.dns_san_local_certificate connection.dns_san_peer_certificate "
    "connection.uri_san_local_certificate connection.uri_san_peer_certificate connection.peer_certificate "
    "source.address destination.address connection.requested_server_name connection.tls_version "
    "connection.subject_local_certificate connection.subject_peer_certificate "
    "connection.sha256_peer_certificate_digest connection.transport_failure_reason"
).split()
WHOLES = (
    "request.headers_bytes request.total_size upstream.num_endpoints xds.listener_direction source.port "
    "destination.port connection.id"
).split()
TRUTHS = ["connection.mtls"]
TIMES = ["request.time"]

LATE_TEXTS = (
    "response.code_details upstream.address upstream.tls_version upstream.local_address "
    "upstream.transport_failure_reason upstream.subject_local_certificate upstream.subject_peer_certificate "
    "upstream.dns_san_local_certificate upstream.dns_san_peer_certificate "
    "upstream.uri_san_local_certificate upstream.uri_san_peer_certificate "
    "upstream.sha256_peer_certificate_digest upstream.peer_certificate"
).split()
LATE_WHOLES = (
    "response.code response.flags response.grpc_status response.headers_bytes upstream.port "
    "upstream.request_attempt_count"
).split()
LATE_TIMES = ["upstream.cx_pool_ready_duration"]
"""Those that have a value from the response on; a duration."""

NANOSECONDS = 1e9
EARLY = [LINES, TEXTS, WHOLES, TRUTHS, TIMES]
LATE = [LATE_TEXTS, LATE_WHOLES, LATE_TIMES]


def check_attributes(names: tuple[str, ...]) -> None:
    """Raise SpecError for the first name that is no attribute."""
    for name in names:
        if not is_among(name, EARLY) and not is_among(name, LATE):
            raise SpecError(f"{name!r} is not an attribute of Envoy")


def is_among(name: str, groups: list[list[str]]) -> bool:
    """Whether a name is in one of the groups."""
    for group in groups:
        if name in group:
            return True
    return False


def read_early(surroundings: Surroundings, names: tuple[str, ...], line: RequestLine, lines: Lines) -> None:
    """The attributes of connection and request."""
    for name in names:
        if name in LINES:
            surroundings.add_attribute(name, from_request(name, line, lines))
        elif name in TEXTS:
            surroundings.add_attribute(name, text_of(name))
        elif name in WHOLES:
            surroundings.add_attribute(name, whole_of(name))
        elif name in TRUTHS:
            surroundings.add_attribute(name, is_true(name))
        elif name in TIMES:
            surroundings.add_attribute(name, seconds_of(name))


def read_late(surroundings: Surroundings, names: tuple[str, ...]) -> None:
    """Those of the response."""
    for name in names:
        if name in LATE_TEXTS:
            surroundings.add_attribute(name, text_of(name))
        elif name in LATE_WHOLES:
            surroundings.add_attribute(name, whole_of(name))
        elif name in LATE_TIMES:
            surroundings.add_attribute(name, seconds_of(name))


def text_of(name: str) -> str | None:
    """A text; Envoy has "" where it has none."""
    value = read_property(name)
    if value is None or len(value) == 0:
        return None
    return decode(value)


def whole_of(name: str) -> int | None:
    """A number of 64 bits."""
    value = read_property(name)
    if value is None or len(value) != 8:
        return None
    return int.from_bytes(value, "little", signed=True)


def is_true(name: str) -> bool:
    """A truth; False where Envoy has none."""
    value = read_property(name)
    return value is not None and len(value) > 0 and value[0] != 0


def seconds_of(name: str) -> float | None:
    """A moment since 1970 or a duration, which Envoy gives in nanoseconds."""
    nanoseconds = whole_of(name)
    if nanoseconds is None:
        return None
    return nanoseconds / NANOSECONDS


def from_request(name: str, line: RequestLine, lines: Lines) -> str | int | None:
    """What the request's own lines tell, as they came: of a header that is given twice all, with commas."""
    if name == "request.path":
        return line.target or None
    if name == "request.url_path":
        return line.target.partition("?")[0] or None
    if name == "request.query":
        return line.target.partition("?")[2] or None
    if name == "request.host":
        return line.host or None
    if name == "request.scheme":
        return line.scheme or None
    if name == "request.method":
        return line.method or None
    if name == "request.referer":
        return joined(lines, "referer")
    if name == "request.useragent":
        return joined(lines, "user-agent")
    if name == "request.id":
        return joined(lines, "x-request-id")
    length = joined(lines, "content-length") or ""
    if length.isascii() and length.isdecimal():
        return int(length)
    return 0


def joined(lines: Lines, name: str) -> str | None:
    """Every value of a name with commas between, None where there is none."""
    found: list[str] = []
    for key, value in lines.all():
        if key == name:
            found.append(decode(value))
    if len(found) == 0:
        return None
    return ",".join(found)
