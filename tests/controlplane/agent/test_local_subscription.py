"""The rules of the local streams: whatever happens, the client ends up with what there is, told once."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshext_controlplane.agent import local_subscription
from meshext_controlplane.agent.local_subscription import (
    DeltaSubscription,
    SotwSubscription,
    SubscriptionError,
)
from meshext_controlplane.snapshot import CLUSTER, SECRET, Resource
from meshext_proto.envoy.service.discovery.v3 import discovery_pb2

NAMES = ("a", "b", "c")
TYPES = st.sampled_from([SECRET, CLUSTER])
worlds = st.lists(st.dictionaries(st.sampled_from(NAMES), st.integers(0, 3)), min_size=1, max_size=6)
asked = st.lists(st.sampled_from([*NAMES, "missing"]), unique=True, max_size=3)


def to_resources(type_url: str, world: dict[str, int]) -> dict[str, Resource]:
    return {
        name: Resource(type_url, name, f"v{version}", f"{name}{version}".encode())
        for name, version in world.items()
    }


def wanted(type_url: str, names: list[str], world: dict[str, Resource]) -> dict[str, bytes]:
    everything = type_url == CLUSTER and not names
    return {name: each.body for name, each in world.items() if everything or name in names}


@given(TYPES, asked, worlds)
def test_sotw_gives_the_state_and_nothing_twice(
    type_url: str, names: list[str], given_worlds: list[dict[str, int]]
) -> None:
    subscription = SotwSubscription(type_url)
    request = discovery_pb2.DiscoveryRequest(type_url=type_url, resource_names=names)
    has: list[bytes] = []
    for world in given_worlds:
        resources = to_resources(type_url, world)
        subscription.take(request)
        if (answer := subscription.answer(resources)) is not None:
            has = [each.value for each in answer.resources]
            request = discovery_pb2.DiscoveryRequest(
                type_url=type_url,
                resource_names=names,
                response_nonce=answer.nonce,
                version_info=answer.version_info,
            )
            subscription.take(request)
        assert sorted(has) == sorted(wanted(type_url, names, resources).values())
        assert subscription.answer(resources) is None


@given(TYPES, asked, worlds, st.data())
def test_delta_gives_the_differences(
    type_url: str, names: list[str], given_worlds: list[dict[str, int]], data: st.DataObject
) -> None:
    subscription = DeltaSubscription(type_url)
    has: dict[str, bytes] = {}
    versions: dict[str, str] = {}

    def ask(first: bool, **more: Any) -> None:
        request = discovery_pb2.DeltaDiscoveryRequest(type_url=type_url, **more)
        if first:
            request.initial_resource_versions.update(versions)
        subscription.take(request)

    ask(True, resource_names_subscribe=names)
    for world in given_worlds:
        resources = to_resources(type_url, world)
        if data.draw(st.booleans(), label="a new stream"):
            subscription = DeltaSubscription(type_url)
            ask(True, resource_names_subscribe=names)
        if (answer := subscription.answer(resources)) is not None:
            for each in answer.resources:
                assert versions.get(each.name) != each.version  # never what the client has
                has[each.name], versions[each.name] = each.resource.value, each.version
            for name in answer.removed_resources:
                has.pop(name, None)
                versions.pop(name, None)
            ask(False, response_nonce=answer.nonce)
        assert has == wanted(type_url, names, resources)
        assert subscription.answer(resources) is None


@pytest.mark.parametrize("form", [SotwSubscription, DeltaSubscription])
def test_what_was_refused_waits_for_another_version(form: Any) -> None:
    subscription = form(SECRET)
    kind: Any = getattr(
        discovery_pb2, "DiscoveryRequest" if form is SotwSubscription else "DeltaDiscoveryRequest"
    )
    names = "resource_names" if form is SotwSubscription else "resource_names_subscribe"
    subscription.take(kind(**{names: ["a"]}))
    bad = to_resources(SECRET, {"a": 1})
    nonce = subscription.answer(bad).nonce
    refusal = kind(response_nonce=nonce, **({names: ["a"]} if form is SotwSubscription else {}))
    refusal.error_detail.message = "no"
    assert subscription.take(refusal) == "no"
    assert subscription.answer(bad) is None
    assert subscription.answer(to_resources(SECRET, {"a": 2})).nonce != nonce


def test_an_answer_to_an_older_message_asks_for_nothing() -> None:
    subscription = SotwSubscription(SECRET)
    subscription.take(discovery_pb2.DiscoveryRequest(resource_names=["a"]))
    subscription.answer(to_resources(SECRET, {"a": 1}))
    subscription.take(discovery_pb2.DiscoveryRequest(resource_names=["a", "b"], response_nonce="77"))
    assert subscription.answer(to_resources(SECRET, {"a": 1, "b": 1})) is None


def test_names_have_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local_subscription, "MAX_NAMES", 2)
    many = ["a", "b", "c"]
    with pytest.raises(SubscriptionError, match="3 names are asked for; 2 is the most"):
        SotwSubscription(SECRET).take(discovery_pb2.DiscoveryRequest(resource_names=many))
    with pytest.raises(SubscriptionError):
        DeltaSubscription(SECRET).take(discovery_pb2.DeltaDiscoveryRequest(resource_names_subscribe=many))
