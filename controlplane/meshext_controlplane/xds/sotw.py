"""State of the world on the wire: `envoy.service.discovery.v3.DiscoveryRequest` and its response."""

from __future__ import annotations

from google.protobuf.message import DecodeError

from meshext_controlplane.subscription.messages import Push, StateRequest
from meshext_controlplane.xds.fields import IDENTIFIER, field, tag, varint
from meshext_controlplane.xds.limits import LONGEST_ERROR, Node, RequestError, check_names, check_node
from meshext_proto.envoy.service.discovery.v3 import discovery_pb2

_VERSION, _RESOURCES, _TYPE, _NONCE, _SERVER = map(tag, (1, 2, 4, 5, 6))
_ANY_TYPE, _ANY_VALUE = map(tag, (1, 2))
_SENDER = field(_SERVER, field(tag(1), IDENTIFIER.encode()))


def read_request(data: bytes) -> tuple[StateRequest, Node]:
    """What a proxy asks, and who it says it is. RequestError."""
    try:
        message = discovery_pb2.DiscoveryRequest.FromString(data)
    except DecodeError:
        raise RequestError("bytes that are no DiscoveryRequest") from None
    check_names((message.type_url, message.response_nonce, message.version_info), message.resource_names)
    request = StateRequest(
        type_url=message.type_url,
        names=tuple(message.resource_names),
        version=message.version_info,
        nonce=message.response_nonce,
        error=message.error_detail.message[:LONGEST_ERROR] if message.HasField("error_detail") else None,
    )
    return request, check_node(message.node)


def encode_push(push: Push) -> bytes:
    """The bytes of the response."""
    type_url = push.type_url.encode()
    any_type = field(_ANY_TYPE, type_url)
    parts = [field(_VERSION, push.version.encode())]
    for resource in push.resources:
        body = resource.body
        head = b"".join((any_type, _ANY_VALUE, varint(len(body))))
        parts += (_RESOURCES, varint(len(head) + len(body)), head, body)
    parts += (field(_TYPE, type_url), field(_NONCE, push.nonce.encode()), _SENDER)
    return b"".join(parts)
