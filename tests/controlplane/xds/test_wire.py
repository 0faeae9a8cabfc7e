"""Responses that are put together from bytes, read by protobuf."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from meshext_controlplane.snapshot import Resource
from meshext_controlplane.subscription.messages import Push
from meshext_controlplane.xds import delta, sotw
from meshext_proto.envoy.service.discovery.v3 import discovery_pb2

texts = st.text(max_size=300)
bodies = st.binary(max_size=300) | st.integers(0, 40_000).map(bytes)
resources = st.builds(Resource, st.just("type/x"), texts, texts, bodies)
pushes = st.builds(
    Push,
    st.just("type/x"),
    texts,
    texts,
    st.lists(resources, max_size=4).map(tuple),
    st.lists(texts, max_size=4).map(tuple),
)


@given(pushes)
def test_delta(push: Push) -> None:
    read = discovery_pb2.DeltaDiscoveryResponse.FromString(delta.encode_push(push))
    assert (read.type_url, read.nonce, tuple(read.removed_resources)) == ("type/x", push.nonce, push.removed)
    found = [
        (each.name, each.version, each.resource.type_url, each.resource.value) for each in read.resources
    ]
    assert found == [(each.name, each.version, "type/x", each.body) for each in push.resources]


@given(pushes)
def test_state_of_the_world(push: Push) -> None:
    read = discovery_pb2.DiscoveryResponse.FromString(sotw.encode_push(push))
    assert (read.type_url, read.nonce, read.version_info) == ("type/x", push.nonce, push.version)
    assert [each.value for each in read.resources] == [each.body for each in push.resources]
    assert {each.type_url for each in read.resources} <= {"type/x"}
