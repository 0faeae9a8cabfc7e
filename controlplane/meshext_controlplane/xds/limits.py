"""What a request may be at most, so that nobody makes us remember without bound."""

from __future__ import annotations

from collections.abc import Sequence

from meshext_proto.envoy.config.core.v3 import base_pb2

Node = base_pb2.Node

LARGEST_REQUEST = 16 << 20
"""Bytes. A proxy that comes back names all it has: 135 KB for 1,000 resources."""

LARGEST_NODE = 64 << 10
"""Bytes of the node message; Envoy's own is 5 to 20 KB, most of it the extensions that it was built with."""

MOST_NAMES = 100_000
"""Names in one request."""

LONGEST_NAME = 2048
"""Bytes of one name."""

LONGEST_ERROR = 4096
"""Characters of a NACK's reason that are kept; one that refuses many resources says something of each."""


class RequestError(ValueError):
    """A request that is none, or is beyond a limit; the text says which."""


def check_names(*lists: Sequence[str]) -> None:
    """RequestError where a request names too much."""
    if (count := sum(map(len, lists))) > MOST_NAMES:
        raise RequestError(f"{count} names in one request; at most {MOST_NAMES}")
    for names in lists:
        if (longest := max(map(len, names), default=0)) > LONGEST_NAME:
            raise RequestError(f"a name of {longest} characters; at most {LONGEST_NAME}")


def check_node(node: Node) -> Node:
    """RequestError where the node message is too large."""
    if (size := node.ByteSize()) > LARGEST_NODE:
        raise RequestError(f"a node message of {size} bytes; at most {LARGEST_NODE}")
    return node
