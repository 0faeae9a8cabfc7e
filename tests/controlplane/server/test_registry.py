"""Who is in the mesh: streams come and go, names belong to identities, tokens limit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from meshext_controlplane.identity.errors import LimitError
from meshext_controlplane.identity.limits import Limits
from meshext_controlplane.model.spiffe import SpiffeId
from meshext_controlplane.model.workload import State, Workload, WorkloadPort
from meshext_controlplane.registrations import (
    RegistrationError,
    parse_registration,
    to_registration,
)
from meshext_controlplane.server.registry import (
    GRACE,
    MOST_OF_ONE_IDENTITY,
    Key,
    NotAllowed,
    Registry,
)
from meshext_proto.meshext import workloads_pb2

SHOP = SpiffeId("cluster.local", "shop", "checkout")
OTHER = SpiffeId("cluster.local", "shop", "storefront")
ANY = Limits({}, ((1, 65535),))


@dataclass
class World:
    """A registry with a clock that stands, a journal in memory, and a count of changes."""

    now: float = 0.0
    kept: dict[Key, Workload] = field(default_factory=dict)
    changes: int = 0

    def keep(self, workload: Workload) -> None:
        self.kept[(workload.namespace, workload.name)] = workload

    def forget(self, key: Key) -> None:
        del self.kept[key]

    def count(self) -> None:
        self.changes += 1

    def registry(self) -> Registry:
        return Registry(self, clock=lambda: self.now, changed=self.count)


def workload(name: str = "checkout-1", identity: SpiffeId = SHOP, **given: Any) -> Workload:
    return Workload(name=name, identity=identity, address="127.1.0.2", **given)


def test_a_workload_stays_for_the_grace_period_after_its_stream() -> None:
    world = World()
    registry, stream = world.registry(), object()
    registry.register(workload(), ANY, stream)
    registry.leave(("shop", "checkout-1"), stream)
    world.now = GRACE - 1
    assert registry.expire() == GRACE
    assert [each.name for each in registry.workloads] == ["checkout-1"]
    world.now = GRACE
    assert registry.expire() is None
    assert (registry.workloads, world.kept) == ((), {})


def test_one_that_was_draining_goes_with_its_stream() -> None:
    world = World()
    registry, stream = world.registry(), object()
    registry.register(workload(state=State.DRAINING), ANY, stream)
    registry.leave(("shop", "checkout-1"), stream)
    assert registry.workloads == ()


def test_a_newer_stream_of_the_same_identity_takes_over() -> None:
    registry, old, new = World().registry(), object(), object()
    registry.register(workload(), ANY, old)
    registry.register(workload(), ANY, new)
    registry.leave(("shop", "checkout-1"), old)
    assert registry.holds(("shop", "checkout-1"), new)
    assert not registry.holds(("shop", "checkout-1"), old)


def test_a_name_belongs_to_its_identity() -> None:
    registry = World().registry()
    registry.register(workload(), ANY, object())
    with pytest.raises(NotAllowed, match=r"belongs to spiffe://cluster.local/ns/shop/sa/checkout"):
        registry.register(workload(identity=OTHER), ANY, object())


def test_a_restart_keeps_what_was_known_until_it_comes_back() -> None:
    world = World()
    world.registry().register(workload(serving=frozenset({"filter|shop|a"})), ANY, object())
    again = world.registry()
    again.restore(world.kept.values())
    restored = again.find("shop", "checkout-1")
    assert restored is not None
    assert restored.serving is None  # what runs beside it, its agent says anew
    again.register(workload(), ANY, object())
    world.now = GRACE * 2
    assert again.expire() is None
    assert len(again.workloads) == 1


def test_what_did_not_change_tells_nobody() -> None:
    world = World()
    registry, stream = world.registry(), object()
    registry.register(workload(), ANY, stream)
    registry.register(workload(), ANY, stream)
    assert world.changes == 1
    registry.register(workload(state=State.UNREADY), ANY, stream)
    assert world.changes == 2


LIMITS = Limits({"app": "checkout"}, ((8080, 8080),))


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"labels": {"app": "storefront"}}, "the token gives no label app=storefront"),
        ({"labels": {"tier": "front"}}, "the token gives no label tier=front"),
        (
            {"ports": (WorkloadPort(number=22, application="127.0.0.1:22"),)},
            "the token does not give port 22",
        ),
    ],
)
def test_a_token_limits_what_is_registered(given: Mapping[str, Any], told: str) -> None:
    registry = World().registry()
    with pytest.raises(LimitError, match=told):
        registry.register(workload(**given), LIMITS, object())
    assert registry.workloads == ()


def test_labels_of_the_token_are_implied() -> None:
    taken = World().registry().register(workload(), LIMITS, object())
    assert dict(taken.labels) == {"app": "checkout"}


def test_an_identity_has_a_bounded_number_of_workloads() -> None:
    registry = World().registry()
    for number in range(MOST_OF_ONE_IDENTITY):
        registry.register(workload(f"w{number}"), ANY, object())
    with pytest.raises(NotAllowed, match="which is the most"):
        registry.register(workload("one-more"), ANY, object())
    registry.register(workload("w0"), ANY, object())


def test_a_banned_identity_loses_its_workloads_and_no_other_does() -> None:
    registry = World().registry()
    registry.register(workload(), ANY, object())
    registry.register(workload("storefront-1", OTHER), ANY, object())
    registry.banish(SHOP)
    assert [each.name for each in registry.workloads] == ["storefront-1"]


def message(**given: Any) -> workloads_pb2.Registration:
    return workloads_pb2.Registration(**{"name": "checkout-1", "address": "127.1.0.2", **given})


def port(**given: Any) -> workloads_pb2.Registration.Port:
    return workloads_pb2.Registration.Port(**{"number": 8080, "application": "unix:/run/app.sock", **given})


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"name": ""}, "name '' is not legal"),
        ({"name": "a/b"}, "name 'a/b' is not legal; it is like checkout-1"),
        ({"name": "x" * 300}, "name 'x+' is not legal"),
        ({"address": "checkout"}, "address 'checkout' is no IP address"),
        ({"address": "0.0.0.0"}, r"address 0\.0\.0\.0 reaches nobody"),
        ({"address": "224.0.0.1"}, "reaches nobody"),
        ({"labels": {"a b": "c"}}, "label 'a b' is not legal"),
        ({"labels": {"a": "b c"}}, "label value 'b c' is not legal"),
        ({"labels": {f"l{n}": "" for n in range(65)}}, "number of labels 65 is not between"),
        ({"ports": [port(number=0)]}, "port 0 is not between 1 and 65535"),
        ({"ports": [port(number=70000)]}, "port 70000 is not between"),
        ({"ports": [port(), port()]}, "two ports have the number 8080"),
        ({"ports": [port(name="http"), port(number=1, name="http")]}, "two ports have the name http"),
        ({"ports": [port(name="HTTP")]}, "port name 'HTTP' is not legal"),
        ({"ports": [port(protocol="quic")]}, "protocol 'quic' is not one of http, http2"),
        ({"ports": [port(application="unix:relative")]}, "application 'unix:relative' is not legal"),
        ({"ports": [port(application="127.0.0.1:99999")]}, "application's port 99999"),
        ({"ports": [port(number=n) for n in range(1, 70)]}, "number of ports 69"),
        ({"state": 7}, "state 7 is none of"),
        ({"weight": 20_000}, "weight 20000 is not between"),
        ({"locality": workloads_pb2.Locality(region="a b")}, "locality 'a b' is not legal"),
        (
            {"beside": workloads_pb2.Registration.Beside(serving=map(str, range(257)))},
            "number of filters 257 is not between 0 and 256",
        ),
        (
            {"beside": workloads_pb2.Registration.Beside(serving=["f" * 401])},
            "filter 'f+' is longer than 400 characters",
        ),
    ],
)
def test_what_means_nothing_is_refused_by_name(given: Mapping[str, Any], told: str) -> None:
    with pytest.raises(RegistrationError, match=told):
        parse_registration(message(**given), SHOP)


def test_a_registration_is_kept_as_it_was() -> None:
    given = message(
        labels={"app": "checkout", "example.com/tier": ""},
        ports=[port(name="http", protocol="http"), port(number=1, application="[::1]:80")],
        state=workloads_pb2.Registration.DRAINING,
        locality=workloads_pb2.Locality(region="eu", zone="eu-1"),
        weight=7,
        gateway=True,
        beside=workloads_pb2.Registration.Beside(serving=["filter|shop|b", "filter|shop|a"]),
    )
    taken = parse_registration(given, SHOP)
    assert parse_registration(to_registration(taken), SHOP) == taken
    assert taken.weight == 7
    assert taken.gateway
    assert taken.state is State.DRAINING
    assert taken.serving == frozenset({"filter|shop|a", "filter|shop|b"})
    silent = parse_registration(message(), SHOP)
    assert silent.serving is None
    assert parse_registration(to_registration(silent), SHOP) == silent
    none = replace(silent, serving=frozenset())
    assert parse_registration(to_registration(none), SHOP) == none


NAMES = st.sampled_from(["a", "b", "c"])
IDENTITIES = st.sampled_from([SHOP, OTHER])


class Streams(RuleBasedStateMachine):
    """Streams come, change, end and are replaced, while the clock goes on."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.registry = self.world.registry()
        self.streams: dict[Key, object] = {}
        self.ended: list[tuple[Key, object]] = []

    @rule(name=NAMES, identity=IDENTITIES, state=st.sampled_from(State))
    def register(self, name: str, identity: SpiffeId, state: State) -> None:
        held, stream = self.registry.find("shop", name), object()
        wanted = replace(workload(name, identity), state=state)
        if held is not None and held.identity != identity:
            with pytest.raises(NotAllowed):
                self.registry.register(wanted, ANY, stream)
            return
        self.registry.register(wanted, ANY, stream)
        if old := self.streams.get(("shop", name)):
            self.ended.append((("shop", name), old))
        self.streams[("shop", name)] = stream

    @rule(name=NAMES)
    def leave(self, name: str) -> None:
        if stream := self.streams.pop(("shop", name), None):
            self.registry.leave(("shop", name), stream)

    @rule()
    def old_streams_end(self) -> None:
        for key, stream in self.ended:
            self.registry.leave(key, stream)
        self.ended.clear()

    @rule(seconds=st.sampled_from([1.0, GRACE / 2, GRACE]))
    def time_passes(self, seconds: float) -> None:
        self.world.now += seconds
        self.registry.expire()

    @rule()
    def restart(self) -> None:
        self.registry = self.world.registry()
        self.registry.restore(self.world.kept.values())
        self.streams.clear()
        self.ended.clear()

    @invariant()
    def whoever_has_a_stream_is_there(self) -> None:
        assert {("shop", each.name) for each in self.registry.workloads} >= set(self.streams)

    @invariant()
    def the_journal_is_what_is_served(self) -> None:
        assert tuple(self.world.kept[key] for key in sorted(self.world.kept)) == self.registry.workloads


TestStreams = Streams.TestCase
TestStreams.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
