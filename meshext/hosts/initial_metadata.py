"""What Envoy says about the connection in gRPC initial metadata, the same way in both modes.

`meshext config` writes these entries with format strings; a client can not reach them, since Envoy sends
them beside the message and never copies a request's headers there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache

from meshext.attributes import attribute_key, from_request, from_text, select_attributes
from meshext.engine.current import CURRENT, Current
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

PEERS = 256  # connections whose texts are remembered as what they mean

ABSENT = ("", "-")  # what Envoy writes where a format string has no value


def read_entries(metadata: Iterable[tuple[str, str | bytes]] | None) -> dict[str, str]:
    """Our own entries that have a value."""
    return {
        key: value
        for key, value in metadata or ()
        if key.startswith("x-meshext-") and isinstance(value, str) and value not in ABSENT
    }


def build_surroundings(lines: Lines, entries: dict[str, str], attributes: tuple[str, ...]) -> Surroundings:
    """What surrounds an exchange, from its headers and our initial metadata.

    From here on this task's log lines carry the request id, outside of hooks too.
    """
    request_id = find_request_id(lines)
    CURRENT.set(Current(request_id))
    return Surroundings(
        peer=peer_from(entries),
        client_address=without_port(entries.get(CLIENT_ADDRESS, "")),
        route=entries.get(ROUTE, ""),
        cluster=entries.get(CLUSTER, ""),
        request_id=request_id,
        attributes=attributes_from(entries, lines, attributes),
    )


def find_request_id(lines: Lines) -> str:
    """The request id that Envoy made or let through, as far as it is fit for a log and an answer."""
    for name, value in lines:
        if name == "x-request-id":
            text = value[:128].decode("ascii", "replace")
            return text if text.isprintable() and " " not in text else ""
    return ""


def peer_from(entries: Mapping[str, str]) -> Peer:
    """The direct peer."""
    return build_peer(entries.get(URI_SAN, ""), entries.get(DIRECT_ADDRESS, ""), TLS_VERSION in entries)


@lru_cache(PEERS)
def build_peer(uri_sans: str, address: str, tls: bool) -> Peer:
    """The peer of a connection, whose requests all say the same."""
    return Peer(principal_from(uri_sans), without_port(address), tls)


def attributes_from(
    entries: Mapping[str, str], lines: Lines, names: tuple[str, ...]
) -> dict[str, AttributeValue]:
    """Attributes that no protobuf field carries: from our entries, and from the request's own lines."""
    if not names:
        return {}
    found = {
        attribute.name: from_text(attribute.name, entries.get(attribute_key(attribute.name)))
        for attribute in select_attributes(names, "metadata")
    }
    asked = select_attributes(names, "request")
    if asked:
        texts = [(name, decode(value)) for name, value in lines]
        found |= {attribute.name: from_request(attribute.name, texts) for attribute in asked}
    return found


@lru_cache(PEERS)
def without_port(address: str) -> str:
    """The IP address of `address:port`; "" for what is none, such as a Unix socket."""
    if address.startswith("["):
        return address[1 : address.find("]")]
    host, colon, port = address.rpartition(":")
    if colon and port.isdigit() and ":" not in host:
        return host
    return address if address[:1].isalnum() or address[:1] == ":" else ""
