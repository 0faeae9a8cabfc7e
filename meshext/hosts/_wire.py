"""Envoy's protobuf messages to plain values and back: the one place that knows both."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from google.protobuf.message import DecodeError

from meshext.errors import ProtocolError
from meshext.hosts.known import Known
from meshext.http.headers import Line, Lines
from meshext.http.metadata import MAX_DEPTH, Json, Namespaces
from meshext_proto.envoy.config.core.v3 import base_pb2
from meshext_proto.google.protobuf import struct_pb2

SET = base_pb2.HeaderValueOption.OVERWRITE_IF_EXISTS_OR_ADD
ADD = base_pb2.HeaderValueOption.APPEND_IF_EXISTS_OR_ADD
EXACT = 1 << 53  # doubles count whole numbers up to here


def parse(message_type: Any, raw: bytes) -> Any:
    """One message from its bytes; ProtocolError where they are none."""
    try:
        return message_type.FromString(raw)
    except DecodeError as error:
        raise ProtocolError(f"not a {message_type.DESCRIPTOR.full_name}: {error}") from error


def to_line(raw: bytes) -> Line:
    """One line from a `HeaderValue`; Envoy fills `raw_value`, older versions and people `value`."""
    header = parse(base_pb2.HeaderValue, raw)
    return header.key.lower(), header.raw_value or header.value.encode()


known_line = Known(to_line, lambda raw, _: len(raw)).__getitem__


def to_lines(headers: Sequence[bytes]) -> Lines:
    """Header lines from the bytes of `HeaderValue`s; ProtocolError where they are none."""
    # Of protobuf's repeated fields a slice costs half of what going through them does.
    return tuple(map(known_line, headers[:]))


def add_lines(mutation: Any, lines: Lines) -> None:
    """Fill a `HeaderMutation` with the lines of a new response."""
    seen: set[str] = set()
    for name, value in lines:
        add_option(mutation, name, value, append=name in seen)
        seen.add(name)


def add_option(mutation: Any, name: str, value: bytes, *, append: bool) -> None:
    """One `HeaderValueOption`; both ways of saying "append" are set: Envoy 1.40 obeys the deprecated one."""
    option = mutation.set_headers.add(append_action=ADD if append else SET)
    option.append.value = append
    option.header.key = name
    option.header.raw_value = value


def to_namespaces(raw: bytes) -> Namespaces:
    """Dynamic metadata from the bytes of a `Metadata`."""
    metadata = parse(base_pb2.Metadata, raw)
    return {namespace: from_struct(struct) for namespace, struct in metadata.filter_metadata.items()}


def from_struct(struct: Any, depth: int = 0) -> dict[str, Json]:
    """A `Struct` as a dict; whole numbers come back as int."""
    return {key: from_value(value, depth + 1) for key, value in struct.fields.items()}


def from_value(value: Any, depth: int = 0) -> Json:
    """A `Value` as plain data; ProtocolError where it is nested beyond reason."""
    if depth > MAX_DEPTH:
        raise ProtocolError(f"metadata is nested deeper than {MAX_DEPTH}")
    kind = value.WhichOneof("kind")
    if kind == "struct_value":
        return from_struct(value.struct_value, depth)
    if kind == "list_value":
        return [from_value(item, depth + 1) for item in value.list_value.values]
    if kind == "number_value":
        number: float = value.number_value
        return int(number) if number.is_integer() and abs(number) <= EXACT else number
    return None if kind in (None, "null_value") else getattr(value, kind)


def to_struct(namespaces: Namespaces) -> struct_pb2.Struct:
    """Written metadata as a `Struct` of namespaces."""
    struct = struct_pb2.Struct()
    struct.update(namespaces)
    return struct
