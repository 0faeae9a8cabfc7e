"""Envoy's attributes: which there are, of what type, and how each reaches a filter.

Names and types are those of Envoy's attribute table:
https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/advanced/attributes

An attribute travels in one of three ways, the same in every mode that has it:

    request    worked out from the request's own header lines (`from_request`). What a client may write freely
               is never asked of Envoy: bytes that are not UTF-8 in a protobuf string, or a long value in gRPC
               metadata, would end the call, and a filter that fails open would let such a client pass
    metadata   a command operator in the initial metadata of the gRPC call, under `attribute_key(name)`
               (`from_text`). Only plain operators: `%CEL(...)%` there aborts Envoy 1.40 at the first request
    struct     Envoy's own `request_attributes` and `response_attributes`, which only ext_proc has
               (`from_struct`)

Maps and whole messages (`metadata`, `request.headers`, `xds.node`, ...) are no attributes here: ext_proc
sends them as text for people, and `metadata_namespaces` and `request.headers` say the same better.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from meshext.errors import SpecError, UnsupportedError

Value = str | int | float | bool | bytes | None
"""What `request.attribute` gives; None where Envoy has no value."""

Type = type[str] | type[int] | type[float] | type[bool]
Phase = Literal["connection", "request", "response"]
Carrier = Literal["request", "metadata", "struct"]

METADATA_PREFIX = "x-meshext-attribute-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribute:
    """One attribute.

    `type` is the Python type: timestamps are seconds since 1970 and durations seconds, both as float.
    `phase` says from when on it has a value. `format` is the command operator that carries it in initial
    metadata, "" where there is none.
    """

    name: str
    type: Type
    phase: Phase
    carrier: Carrier
    format: str = ""


_TABLE: tuple[tuple[Phase, Carrier, Type, str], ...] = (
    ("request", "request", str, "request.path request.url_path request.host request.scheme request.method"),
    ("request", "request", str, "request.referer request.useragent request.query request.id"),
    ("request", "request", int, "request.size"),
    ("request", "struct", int, "request.headers_bytes request.total_size upstream.num_endpoints"),
    ("request", "struct", str, "xds.virtual_host_name"),
    ("connection", "struct", int, "xds.listener_direction"),
    ("connection", "struct", str, "connection.dns_san_local_certificate connection.dns_san_peer_certificate"),
    ("connection", "struct", str, "connection.uri_san_local_certificate connection.uri_san_peer_certificate"),
    ("connection", "struct", str, "connection.peer_certificate"),
    ("response", "struct", int, "response.code response.flags response.grpc_status response.headers_bytes"),
    ("response", "struct", str, "response.code_details upstream.address upstream.tls_version"),
    ("response", "struct", int, "upstream.port upstream.request_attempt_count"),
    ("response", "struct", str, "upstream.local_address upstream.transport_failure_reason"),
    ("response", "struct", str, "upstream.subject_local_certificate upstream.subject_peer_certificate"),
    ("response", "struct", str, "upstream.dns_san_local_certificate upstream.dns_san_peer_certificate"),
    ("response", "struct", str, "upstream.uri_san_local_certificate upstream.uri_san_peer_certificate"),
    ("response", "struct", str, "upstream.sha256_peer_certificate_digest upstream.peer_certificate"),
    ("response", "struct", float, "upstream.cx_pool_ready_duration"),
)

_OPERATORS: tuple[tuple[Phase, Type, str, str], ...] = (
    ("request", float, "request.time", "%START_TIME(%s.%6f)%"),
    ("request", str, "request.protocol", "%PROTOCOL%"),
    ("request", str, "xds.route_name", "%ROUTE_NAME%"),
    ("request", str, "xds.cluster_name", "%UPSTREAM_CLUSTER_RAW%"),
    ("connection", str, "xds.filter_chain_name", "%FILTER_CHAIN_NAME%"),
    ("connection", str, "source.address", "%DOWNSTREAM_REMOTE_ADDRESS%"),
    ("connection", int, "source.port", "%DOWNSTREAM_REMOTE_PORT%"),
    ("connection", str, "destination.address", "%DOWNSTREAM_LOCAL_ADDRESS%"),
    ("connection", int, "destination.port", "%DOWNSTREAM_LOCAL_PORT%"),
    ("connection", int, "connection.id", "%CONNECTION_ID%"),
    ("connection", bool, "connection.mtls", "%DOWNSTREAM_PEER_FINGERPRINT_256%"),
    ("connection", str, "connection.requested_server_name", "%REQUESTED_SERVER_NAME%"),
    ("connection", str, "connection.tls_version", "%DOWNSTREAM_TLS_VERSION%"),
    ("connection", str, "connection.subject_local_certificate", "%DOWNSTREAM_LOCAL_SUBJECT%"),
    ("connection", str, "connection.subject_peer_certificate", "%DOWNSTREAM_PEER_SUBJECT%"),
    ("connection", str, "connection.sha256_peer_certificate_digest", "%DOWNSTREAM_PEER_FINGERPRINT_256%"),
    ("connection", str, "connection.transport_failure_reason", "%DOWNSTREAM_TRANSPORT_FAILURE_REASON%"),
)


def _build_table() -> dict[str, Attribute]:
    rows = [
        Attribute(name=name, type=kind, phase=phase, carrier=carrier)
        for phase, carrier, kind, names in _TABLE
        for name in names.split()
    ]
    rows += [
        Attribute(name=name, type=kind, phase=phase, carrier="metadata", format=operator)
        for phase, kind, name, operator in _OPERATORS
    ]
    return {row.name: row for row in sorted(rows, key=lambda row: row.name)}


ATTRIBUTES: Mapping[str, Attribute] = _build_table()
"""Every attribute a filter may declare, by name."""

_INSTEAD = {
    "request.headers": "request.headers of the hook's request has them all",
    "response.headers": "response.headers of the hook's response has them all",
    "response.trailers": "override on_response_trailers",
    "request.duration": "override on_complete",
    "response.size": "override on_complete",
    "response.total_size": "override on_complete",
    "response.backend_latency": "override on_complete",
    "metadata": "declare metadata_namespaces and read request.metadata",
    "filter_state": "no service is sent filter state; put it into dynamic metadata and declare its namespace",
}


def check_attributes(names: Iterable[str]) -> None:
    """Raise SpecError for the first name that is no attribute; the text says which was meant."""
    for name in names:
        if name not in ATTRIBUTES:
            raise SpecError(f"{name!r} is not an attribute; {_advice(name)}")


def check_authz_attributes(names: Iterable[str]) -> None:
    """Raise UnsupportedError for the first attribute that ext_authz has no way to carry."""
    for name in names:
        if ATTRIBUTES[name].carrier == "struct":
            raise UnsupportedError(
                f"ext_authz can not carry the attribute {name!r}; use --mode proc, or leave the attribute out"
            )


def select_attributes(names: Iterable[str], carrier: Carrier) -> tuple[Attribute, ...]:
    """Those of the named attributes that travel in this way, in the order given."""
    return tuple(ATTRIBUTES[name] for name in names if ATTRIBUTES[name].carrier == carrier)


def attribute_key(name: str) -> str:
    """The key of an attribute in the initial metadata of Envoy's call (gRPC keys are lower case)."""
    return METADATA_PREFIX + name


def from_text(name: str, text: str | None) -> Value:
    """The value of an attribute that came as metadata; `text` is None where Envoy left the entry out.

    Raises ValueError where the text is not of the attribute's type, which a genuine Envoy never sends.
    """
    attribute = ATTRIBUTES[name]
    if attribute.type is bool:
        return bool(text)  # the operator shows what is only there when the answer is yes
    return None if not text else _convert(attribute.type, text)


def from_struct(name: str, value: object) -> Value:
    """The value of an attribute that came in ext_proc's Struct, where every number is a double.

    None and "" are no value: Envoy sends "" for a text it does not have, or leaves the key out. Durations
    come as text such as `18.875us`. Raises ValueError where the value is not of the attribute's type.
    """
    attribute = ATTRIBUTES[name]
    if value is None or value == "":
        return None
    if attribute.type is float and isinstance(value, str):
        return parse_duration(value)
    if attribute.type is str and isinstance(value, str):
        return value
    if attribute.type in (int, float) and isinstance(value, int | float) and not isinstance(value, bool):
        return attribute.type(value)
    raise ValueError(f"attribute {name!r} came as {value!r}, which is no {attribute.type.__name__}")


def from_request(name: str, lines: Sequence[tuple[str, str]]) -> Value:
    """The value of an attribute that the request's own header lines tell, pseudo-headers among them.

    Names are lower case. As in Envoy a header given more than once is joined by commas, and
    `request.path` has the query while `request.url_path` has not.
    """
    return _REQUEST[name](lines)


def _line(header: str) -> Callable[[Sequence[tuple[str, str]]], str | None]:
    def read(lines: Sequence[tuple[str, str]]) -> str | None:
        values = [value for name, value in lines if name == header]
        return ",".join(values) if values else None

    return read


def _url_path(lines: Sequence[tuple[str, str]]) -> str | None:
    target = _line(":path")(lines)
    return None if target is None else target.partition("?")[0]


def _query(lines: Sequence[tuple[str, str]]) -> str | None:
    target = _line(":path")(lines)
    return (target or "").partition("?")[2] or None


def _size(lines: Sequence[tuple[str, str]]) -> int:
    length = _line("content-length")(lines)
    return int(length) if length and length.isascii() and length.isdecimal() else 0


_REQUEST: Mapping[str, Callable[[Sequence[tuple[str, str]]], Value]] = {
    "request.path": _line(":path"),
    "request.url_path": _url_path,
    "request.host": _line(":authority"),
    "request.scheme": _line(":scheme"),
    "request.method": _line(":method"),
    "request.referer": _line("referer"),
    "request.useragent": _line("user-agent"),
    "request.query": _query,
    "request.id": _line("x-request-id"),
    "request.size": _size,
}


_UNITS = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_PART = re.compile(r"(\d+(?:\.\d+)?)(ns|us|ms|s|m|h)")


def parse_duration(text: str) -> float:
    """Seconds of a duration as Envoy writes it (`absl::FormatDuration`): `18.875us`, `1m2.5s`, `0`."""
    rest = text.removeprefix("-")
    parts = _PART.findall(rest)
    if rest != "0" and (not parts or "".join(number + unit for number, unit in parts) != rest):
        raise ValueError(f"{text!r} is no duration such as '18.875us'")
    seconds = sum(float(number) * _UNITS[unit] for number, unit in parts)
    return -seconds if rest != text else seconds


def _convert(kind: Type, text: str) -> Value:
    if kind is int and not re.fullmatch("[0-9]{1,20}", text):
        raise ValueError(f"{text!r} is no whole number")
    return kind(text)


def _advice(name: str) -> str:
    if instead := _INSTEAD.get(name):
        return instead
    near = difflib.get_close_matches(name, ATTRIBUTES, n=1)
    if near:
        return f"did you mean {near[0]!r}?"
    return f"they are {', '.join(ATTRIBUTES)}"
