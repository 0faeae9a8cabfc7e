"""What a sidecar's Envoy says of itself, read back."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from meshext_controlplane.model.proxy import Transparent
from meshext_controlplane.node_metadata import METADATA, MetadataError, parse_metadata, to_metadata
from meshext_proto.envoy.config.core.v3 import base_pb2

PORTS = st.integers(1, 65535)


def node(said: dict[str, Any]) -> base_pb2.Node:
    made = base_pb2.Node()
    made.metadata.update({METADATA: said})
    return made


@given(PORTS, st.none() | st.builds(Transparent, PORTS, st.none() | PORTS))
def test_what_is_said_is_read(outbound: int, transparent: Transparent | None) -> None:
    assume(transparent is None or transparent.inbound != outbound)
    assert parse_metadata(node(to_metadata(outbound, transparent))) == (outbound, transparent)


def test_an_envoy_that_says_nothing_is_explicit() -> None:
    assert parse_metadata(base_pb2.Node()) == (15001, None)


@pytest.mark.parametrize(
    "said",
    [
        {"outbound": 0},
        {"outbound": 1.5},
        {"outbound": float("nan")},
        {"outbound": float("inf")},
        {"transparent": {"inbound": 70_000}},
        {"transparent": {"dns": -1}},
        {"outbound": 9, "transparent": {"inbound": 9}},
    ],
)
def test_what_is_no_port_is_refused(said: dict[str, Any]) -> None:
    with pytest.raises(MetadataError, match="meshext"):
        parse_metadata(node(said))
