"""Incremental on the wire: `envoy.service.discovery.v3.DeltaDiscoveryRequest` and its response."""

from __future__ import annotations

from google.protobuf.message import DecodeError

from meshext_controlplane.subscription.messages import DeltaRequest, Push
from meshext_controlplane.xds.fields import IDENTIFIER, field, tag, varint
from meshext_controlplane.xds.limits import LONGEST_ERROR, Node, RequestError, check_names, check_node
from meshext_proto.envoy.service.discovery.v3 import discovery_pb2

_RESOURCES, _TYPE, _NONCE, _REMOVED, _SERVER = map(tag, (2, 4, 5, 6, 7))
_VERSION, _RESOURCE, _NAME = map(tag, (1, 2, 3))
_ANY_TYPE, _ANY_VALUE = map(tag, (1, 2))
_SENDER = field(_SERVER, field(tag(1), IDENTIFIER.encode()))


def read_request(data: bytes) -> tuple[DeltaRequest, Node]:
    """What a proxy asks, and who it says it is. RequestError."""
    try:
        message = discovery_pb2.DeltaDiscoveryRequest.FromString(data)
    except DecodeError:
        raise RequestError("bytes that are no DeltaDiscoveryRequest") from None
    subscribe, unsubscribe = message.resource_names_subscribe, message.resource_names_unsubscribe
    versions = dict(message.initial_resource_versions)
    check_names((message.type_url, message.response_nonce), subscribe, unsubscribe, tuple(versions))
    check_names(tuple(versions.values()))
    request = DeltaRequest(
        type_url=message.type_url,
        subscribe=tuple(subscribe),
        unsubscribe=tuple(unsubscribe),
        versions=versions,
        nonce=message.response_nonce,
        error=message.error_detail.message[:LONGEST_ERROR] if message.HasField("error_detail") else None,
    )
    return request, check_node(message.node)


def encode_push(push: Push) -> bytes:
    """The bytes of the response."""
    type_url = push.type_url.encode()
    any_type = field(_ANY_TYPE, type_url)
    parts: list[bytes] = []
    for resource in push.resources:
        body, version, name = resource.body, resource.version.encode(), resource.name.encode()
        any_head = b"".join((any_type, _ANY_VALUE, varint(len(body))))
        any_length = varint(len(any_head) + len(body))
        head = b"".join((field(_VERSION, version), field(_NAME, name), _RESOURCE, any_length, any_head))
        parts += (_RESOURCES, varint(len(head) + len(body)), head, body)
    parts += (field(_TYPE, type_url), field(_NONCE, push.nonce.encode()))
    parts += (field(_REMOVED, name.encode()) for name in push.removed)
    parts.append(_SENDER)
    return b"".join(parts)
