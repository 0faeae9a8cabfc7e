"""Resources as data that people read: for dry runs, dumps and golden files, never on the way to a proxy."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from google.protobuf.json_format import MessageToJson
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from meshext_controlplane.redaction import redact_resource
from meshext_controlplane.snapshot import PREFIX, TYPES, Resource, Snapshot
from meshext_proto import POOL

STRUCT = "google.protobuf.Struct"


def decode_resource(resource: Resource) -> Message:
    """The message of a resource, without what is secret in it."""
    return _message_class(resource.type_url).FromString(redact_resource(resource).body)


def to_data(message: Message) -> dict[str, Any]:
    """The message in protobuf's JSON form, field names as in the .proto file."""
    # protobuf gives ordered dictionaries for packed messages, which no YAML writer knows
    text = MessageToJson(message, preserving_proto_field_name=True, descriptor_pool=POOL, indent=None)
    data: dict[str, Any] = json.loads(text)
    _sort_maps(data, message.DESCRIPTOR)
    return data


def _sort_maps(data: dict[str, Any], descriptor: Any) -> None:
    """Keys of maps in order: a message has them in another one each time."""
    if "@type" in data:
        descriptor = POOL.FindMessageTypeByName(data["@type"].removeprefix(PREFIX))
    for name, value in data.items():
        field = descriptor.fields_by_name.get(name)
        inner = field.message_type if field is not None else None
        if inner is None:
            continue
        if inner.full_name == STRUCT:
            data[name] = dict(sorted(value.items()))
            continue
        if inner.GetOptions().map_entry:
            data[name] = value = dict(sorted(value.items()))
            inner, value = inner.fields_by_name["value"].message_type, list(value.values())
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, dict) and inner is not None:
                _sort_maps(each, inner)


def snapshot_to_data(snapshot: Snapshot) -> dict[str, list[dict[str, Any]]]:
    """All resources by the last part of their type's name, in the order of `TYPES` and of the snapshot."""
    return {
        url.rpartition(".")[2]: [to_data(decode_resource(each)) for each in snapshot.named(url).values()]
        for url in TYPES
        if snapshot.named(url)
    }


@cache
def _message_class(type_url: str) -> type[Message]:
    found: type[Message] = GetMessageClass(POOL.FindMessageTypeByName(type_url.removeprefix(PREFIX)))
    return found
