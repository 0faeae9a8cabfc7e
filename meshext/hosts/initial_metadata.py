"""What Envoy says about the connection in gRPC initial metadata, the same way in both modes.

`meshext config` writes these entries with format strings; a client can not reach them, since Envoy sends
them beside the message and never copies a request's headers there.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from meshext.attributes import attribute_key, from_request, from_text, select_attributes
from meshext.engine.current import CURRENT
from meshext.engine.observer import InitialMetadata
from meshext.http.context import AttributeValue, Surroundings
from meshext.http.headers import Lines
from meshext.http.legal import decode
from meshext.http.peer import Peer, principal_from

DIRECT_ADDRESS = "x-meshext-direct-address"
CLIENT_ADDRESS = "x-meshext-client-address"
URI_SAN = "x-meshext-uri-san"
TLS_VERSION = "x-meshext-tls-version"
ROUTE = "x-meshext-route"
CLUSTER = "x-meshext-cluster"

ORIGINS = 256  # calls whose metadata is remembered as what it means; each has up to 64 KiB

ABSENT = ("", "-")  # what Envoy writes where a format string has no value


class Origin(NamedTuple):
    """What our entries say: the same for all requests of a connection that take one route."""

    texts: Mapping[str, str]
    peer: Peer
    client_address: str
    route: str
    cluster: str


@lru_cache(ORIGINS)
def read_origin(metadata: InitialMetadata) -> Origin:
    """What the initial metadata of a call says.

    From memory where another call said the same, as all of a connection do unless they are traced.
    """
    texts = {
        key: value
        for key, value in metadata
        if key.startswith("x-meshext-") and isinstance(value, str) and value not in ABSENT
    }
    return Origin(
        texts,
        peer_from(texts),
        without_port(texts.get(CLIENT_ADDRESS, "")),
        texts.get(ROUTE, ""),
        texts.get(CLUSTER, ""),
    )


def build_surroundings(lines: Lines, origin: Origin, attributes: tuple[str, ...]) -> Surroundings:
    """What surrounds an exchange, from its headers and our initial metadata.

    From here on this task's log lines carry the request id, outside of hooks too.
    """
    request_id = find_request_id(lines)
    CURRENT.set((request_id, "", ""))
    texts, peer, client_address, route, cluster = origin
    told = attributes_from(texts, lines, attributes) if attributes else {}
    return Surroundings(peer, client_address, route, cluster, request_id, told, {})


def find_request_id(lines: Lines) -> str:
    """The request id that Envoy made or let through, as far as it is fit for a log and an answer."""
    for name, value in reversed(lines):  # Envoy keeps one line of it, mostly among the last
        if name == "x-request-id":
            text = value[:128].decode("ascii", "replace")
            return text if text.isprintable() and " " not in text else ""
    return ""


def peer_from(texts: Mapping[str, str]) -> Peer:
    """The direct peer."""
    return Peer(
        principal=principal_from(texts.get(URI_SAN, "")),
        address=without_port(texts.get(DIRECT_ADDRESS, "")),
        tls=TLS_VERSION in texts,
    )


def attributes_from(
    texts: Mapping[str, str], lines: Lines, names: tuple[str, ...]
) -> dict[str, AttributeValue]:
    """Attributes that no protobuf field carries: from our entries, and from the request's own lines."""
    found = {
        attribute.name: from_text(attribute.name, texts.get(attribute_key(attribute.name)))
        for attribute in select_attributes(names, "metadata")
    }
    asked = select_attributes(names, "request")
    if asked:
        own = [(name, decode(value)) for name, value in lines]
        found |= {attribute.name: from_request(attribute.name, own) for attribute in asked}
    return found


def without_port(address: str) -> str:
    """The IP address of `address:port`; "" for what is none, such as a Unix socket."""
    if address.startswith("["):
        return address[1 : address.find("]")]
    host, colon, port = address.rpartition(":")
    if colon and port.isdigit() and ":" not in host:
        return host
    return address if address[:1].isalnum() or address[:1] == ":" else ""
