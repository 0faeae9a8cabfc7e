"""What is kept is what Envoy took: never what it refused, never what is gone."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshext_controlplane.agent.inbound_gate import InboundGate
from meshext_controlplane.agent.last_good import (
    DeltaWatch,
    LastGood,
    SotwWatch,
    decode_last_good,
    encode_last_good,
)
from meshext_controlplane.agent.replay import DeltaReplay, SotwReplay
from meshext_controlplane.snapshot import CLUSTER, ENDPOINT, LISTENER, ROUTE, Resource, encode_resource
from meshext_proto.envoy.config.cluster.v3 import cluster_pb2
from meshext_proto.envoy.config.core.v3 import base_pb2
from meshext_proto.envoy.config.endpoint.v3 import endpoint_pb2
from meshext_proto.envoy.config.listener.v3 import listener_pb2
from meshext_proto.envoy.config.route.v3 import route_pb2
from meshext_proto.envoy.service.discovery.v3 import discovery_pb2

NAMES = ("a", "b", "c")
steps = st.lists(
    st.tuples(st.dictionaries(st.sampled_from(NAMES), st.integers(0, 3)), st.booleans(), st.booleans()),
    max_size=8,
)
MESSAGES: dict[str, Any] = {
    CLUSTER: cluster_pb2.Cluster,
    LISTENER: listener_pb2.Listener,
    ROUTE: route_pb2.RouteConfiguration,
}


def body_of(type_url: str, name: str, version: int) -> bytes:
    if type_url == ENDPOINT:
        found = endpoint_pb2.ClusterLoadAssignment(cluster_name=name)
        found.policy.overprovisioning_factor.value = version
        body: bytes = found.SerializeToString()
        return body
    message = MESSAGES[type_url](name=name)
    return bytes(message.SerializeToString()) + b"\xf8\x3f" + bytes([version])  # an unknown field


@given(st.sampled_from([CLUSTER, ENDPOINT]), steps)
def test_delta(type_url: str, given_steps: list[tuple[dict[str, int], bool, bool]]) -> None:
    last_good, envoy, server = LastGood(), {}, {}  # type: ignore[var-annotated]
    watch = DeltaWatch(last_good)
    watch.asked(discovery_pb2.DeltaDiscoveryRequest(type_url=type_url).SerializeToString())
    for number, (world, accepted, anew) in enumerate(given_steps):
        if anew:  # another Envoy, which has nothing; or the same one, which says what it has
            if number % 2:
                envoy = {}
            watch, server = DeltaWatch(last_good), dict(envoy)
            first = discovery_pb2.DeltaDiscoveryRequest(type_url=type_url)
            first.initial_resource_versions.update(dict.fromkeys(envoy, "v"))
            watch.asked(first.SerializeToString())
        response = discovery_pb2.DeltaDiscoveryResponse(type_url=type_url, nonce=str(number))
        for name, version in world.items():
            added = response.resources.add(name=name, version=f"v{version}")
            added.resource.value = body_of(type_url, name, version)
        response.removed_resources.extend(server.keys() - world.keys())
        watch.sent(response.SerializeToString())
        answer = discovery_pb2.DeltaDiscoveryRequest(type_url=type_url, response_nonce=str(number))
        if not accepted:
            answer.error_detail.message = "no"
        assert watch.asked(answer.SerializeToString()) == ("" if accepted else "no")
        if accepted:
            envoy, server = dict(world), dict(world)
            assert {name: each.version for name, each in last_good.named(type_url).items()} == {
                name: f"v{version}" for name, version in envoy.items()
            }


@given(st.sampled_from([CLUSTER, LISTENER, ENDPOINT, ROUTE]), steps)
def test_sotw(type_url: str, given_steps: list[tuple[dict[str, int], bool, bool]]) -> None:
    last_good = LastGood()
    watch = SotwWatch(last_good)
    envoy: dict[str, bytes] = {}
    for number, (world, accepted, _) in enumerate(given_steps):
        bodies = {name: body_of(type_url, name, version) for name, version in world.items()}
        response = discovery_pb2.DiscoveryResponse(type_url=type_url, nonce=str(number))
        for body in bodies.values():
            response.resources.add(type_url=type_url, value=body)
        watch.sent(response.SerializeToString())
        answer = discovery_pb2.DiscoveryRequest(type_url=type_url, response_nonce=str(number))
        answer.resource_names.extend(() if type_url in (CLUSTER, LISTENER) else NAMES)
        if not accepted:
            answer.error_detail.message = "no"
        watch.asked(answer.SerializeToString())
        if accepted:
            envoy = bodies if type_url in (CLUSTER, LISTENER) else envoy | bodies
        assert {name: each.body for name, each in last_good.named(type_url).items()} == envoy


def test_an_unsubscribed_name_is_forgotten() -> None:
    last_good = LastGood([Resource(ENDPOINT, name, "1", b"") for name in NAMES])
    request = discovery_pb2.DeltaDiscoveryRequest(type_url=ENDPOINT, resource_names_unsubscribe=["b"])
    DeltaWatch(last_good).asked(request.SerializeToString())
    assert set(last_good.named(ENDPOINT)) == {"a", "c"}


def test_only_a_change_counts_as_one() -> None:
    last_good = LastGood()
    same = ({"a": Resource(CLUSTER, "a", "1", b"x")}, frozenset[str](), False)
    last_good.take(CLUSTER, same)
    before = last_good.version
    last_good.take(CLUSTER, same)
    assert (last_good.version, before) == (1, 1)


resources = st.lists(
    st.builds(
        Resource,
        st.sampled_from([CLUSTER, ROUTE]),
        st.text(max_size=9),
        st.text(max_size=9),
        st.binary(max_size=30),
    ),
    unique_by=lambda each: (each.type_url, each.name),
)


@given(resources)
def test_a_file_gives_back_what_was_put_into_it(given_resources: list[Resource]) -> None:
    body = encode_last_good(LastGood(given_resources), "me")
    assert sorted(decode_last_good(body, "me"), key=repr) == sorted(given_resources, key=repr)
    assert len(decode_last_good(body, "somebody else")) == 0


@given(st.binary(max_size=200))
def test_a_damaged_file_is_none(body: bytes) -> None:
    assert list(decode_last_good(body, "me")) == []


@pytest.mark.parametrize("form", ["delta", "sotw"])
def test_a_replay_says_what_is_not_there(form: str) -> None:
    last_good = LastGood([Resource(ROUTE, "a", "1", b"x")])
    if form == "sotw":
        asked = discovery_pb2.DiscoveryRequest(type_url=ROUTE, resource_names=["a", "b"])
        told = discovery_pb2.DiscoveryResponse.FromString(
            SotwReplay(last_good, InboundGate()).answer(asked.SerializeToString()) or b""
        )
        assert [each.value for each in told.resources] == [b"x"]
    else:
        request = discovery_pb2.DeltaDiscoveryRequest(type_url=ROUTE, resource_names_subscribe=["a", "b"])
        found = discovery_pb2.DeltaDiscoveryResponse.FromString(
            DeltaReplay(last_good, InboundGate()).answer(request.SerializeToString()) or b""
        )
        assert ([each.name for each in found.resources], list(found.removed_resources)) == (["a"], ["b"])


@pytest.mark.parametrize("sotw", [False, True], ids=["delta", "sotw"])
def test_own_ports_follow_when_the_workload_is_ready(sotw: bool) -> None:
    listeners = [
        listener_pb2.Listener(name="inbound-80", traffic_direction=base_pb2.INBOUND),
        listener_pb2.Listener(name="outbound-http", traffic_direction=base_pb2.OUTBOUND),
    ]
    last_good, gate = LastGood(encode_resource(each.name, each) for each in listeners), InboundGate()
    response: Any = discovery_pb2.DiscoveryResponse if sotw else discovery_pb2.DeltaDiscoveryResponse
    request: Any = discovery_pb2.DiscoveryRequest if sotw else discovery_pb2.DeltaDiscoveryRequest

    def names(body: bytes | None) -> list[str]:
        told = response.FromString(body or b"").resources
        return [listener_pb2.Listener.FromString((e if sotw else e.resource).value).name for e in told]

    replay: Any = (SotwReplay if sotw else DeltaReplay)(last_good, gate)
    first = replay.answer(request(type_url=LISTENER).SerializeToString())
    assert (names(first), list(replay.news())) == (["outbound-http"], [])
    gate.open()
    assert [names(body) for body in replay.news()] == [
        ["inbound-80", "outbound-http"] if sotw else ["inbound-80"]
    ]
    assert list(replay.news()) == []
