"""What a sidecar's Envoy says about itself in its node message, beside its name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from meshext_controlplane.model.proxy import Transparent
from meshext_proto.envoy.config.core.v3 import base_pb2

METADATA = "meshext"
OUTBOUND = 15001


class MetadataError(ValueError):
    """A part of the metadata that means nothing; the text names it."""


def to_metadata(outbound: int, transparent: Transparent | None) -> dict[str, Any]:
    """`meshext` of the node's metadata. An explicit sidecar says where its HTTP proxy is, and no more."""
    if transparent is None:
        return {"outbound": outbound}
    rules = {"inbound": transparent.inbound, "dns": transparent.dns or 0}
    return {"outbound": outbound, "transparent": rules}


def parse_metadata(node: base_pb2.Node) -> tuple[int, Transparent | None]:
    """The outbound port, and where rules lead connections if they do; MetadataError where one is no port."""
    said = _struct(node.metadata.fields, METADATA)
    outbound = _port(said, "outbound", OUTBOUND)
    if "transparent" not in said:
        return outbound, None
    rules = _struct(said, "transparent")
    default = Transparent()
    dns = _port(rules, "dns", default.dns or 0, least=0)
    transparent = Transparent(inbound=_port(rules, "inbound", default.inbound), dns=dns or None)
    if transparent.inbound == outbound:
        raise MetadataError(f"{METADATA}.transparent.inbound is {outbound}, the outbound port")
    return outbound, transparent


def _struct(fields: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    return fields[name].struct_value.fields if name in fields else {}


def _port(fields: Mapping[str, Any], name: str, default: int, *, least: int = 1) -> int:
    number = fields[name].number_value if name in fields else default
    if not least <= number <= 65_535 or number != int(number):
        raise MetadataError(f"{METADATA} {name} is {number:g}; write a port, {least} to 65535")
    return int(number)
