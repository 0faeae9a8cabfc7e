"""Any order of edits, requests, answers, refusals and reconnects, under both protocols, against the model."""

from __future__ import annotations

from collections import Counter, deque
from typing import Any, Generic

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from meshext_controlplane.snapshot import (
    CLUSTER,
    ENDPOINT,
    LISTENER,
    ROUTE,
    Resource,
    Snapshot,
    build_snapshot,
)
from meshext_controlplane.state.served import to_hash
from meshext_controlplane.subscription.consistency import check_snapshot
from meshext_controlplane.subscription.delta import DeltaSubscription
from meshext_controlplane.subscription.differences import Differences
from meshext_controlplane.subscription.messages import DeltaRequest, Push, StateRequest
from meshext_controlplane.subscription.recording import Reader, Recorder
from meshext_controlplane.subscription.references import References
from meshext_controlplane.subscription.session import EMPTY, Session
from meshext_controlplane.subscription.state import StateSubscription
from meshext_controlplane.subscription.subscription import Request
from tests.controlplane.subscription.proxies import (
    SERVED,
    DeltaProxy,
    Manner,
    ModelProxy,
    StateProxy,
    named_in,
    poison_of,
)
from tests.controlplane.xds.snapshots import cluster, endpoints, listener, routes

NAMES = ("a", "b", "c", "d")
MOST_STEPS = 400  # messages until everything has settled; a loop of resends never settles

services = st.dictionaries(st.sampled_from(NAMES), st.tuples(st.integers(1, 3), st.integers(1, 3)))


@st.composite
def meshes(draw: st.DrawFn) -> list[Resource]:
    """Consistent resources: clusters with endpoints, routes to some of them, listeners with routes."""
    found = draw(services)
    made = [cluster(name, timeout=timeout) for name, (timeout, _) in found.items()]
    made += [endpoints(name, port) for name, (_, port) in found.items()]
    for name in sorted(draw(st.sets(st.sampled_from(["main", "other"])))):
        targets = draw(st.sets(st.sampled_from(sorted(found)))) if found else set()
        made.append(routes(name, **{target: target for target in sorted(targets)}))
        for each in sorted(draw(st.sets(st.sampled_from([f"{name}-1", f"{name}-2"])))):
            made.append(listener(each, name, port=draw(st.integers(1, 2))))
    return made


class Machine(RuleBasedStateMachine, Generic[Request]):
    """One proxy, one session, and two wires on which messages wait."""

    make_proxy: type[ModelProxy[Any]]
    subscribe: Any

    def __init__(self) -> None:
        super().__init__()
        self.references = References()
        self.differences = Differences()
        self.snapshot = build_snapshot(())
        self.proxy: ModelProxy[Any] = self.make_proxy()
        self.wire: deque[Push] = deque()
        self.recorder = Recorder(to_hash)
        self.blobs: dict[str, bytes] = {}
        self.written = self.recorder.encode(EMPTY, self.blobs)
        self.clean = True
        self.settled = False
        self.streams = 0

    @initialize(mesh=meshes())
    def begin(self, mesh: list[Resource]) -> None:
        self.snapshot = build_snapshot(mesh)
        self.connect()

    def connect(self, *before: Snapshot) -> None:
        self.streams += 1
        subscribe, label = type(self).subscribe, f"s{self.streams}"
        self.session: Session[Any] = Session(
            subscribe, self.snapshot, self.references, self.differences, label=label, before=before
        )
        self.wire.clear()
        self.proxy.connect()
        self.settled = False

    @rule(mesh=meshes(), bad=st.sets(st.integers(0, 20), max_size=4), spoil=st.booleans())
    def edit(self, mesh: list[Resource], bad: set[int], spoil: bool) -> None:
        snapshot = build_snapshot(mesh)
        assert check_snapshot(snapshot, self.references, self.differences, static=frozenset()) == ()
        if spoil:
            self.spoil([mesh[index] for index in bad if index < len(mesh)])
        self.snapshot = snapshot
        self.session.serve(snapshot)
        self.settled = False

    def spoil(self, resources: list[Resource]) -> None:
        """What the proxy has taken already it can not refuse."""
        for each in resources:
            if poison_of(each) not in {poison_of(held) for held in self.known()}:
                self.proxy.poison.add(poison_of(each))
                self.clean = False

    def known(self) -> list[Resource]:
        """What the proxy has, or has been sent."""
        return [each for held in self.proxy.held.values() for each in held.values()] + [
            each for push in self.wire for each in push.resources
        ]

    @rule(names=st.booleans(), partial=st.booleans())
    def behave(self, names: bool, partial: bool) -> None:
        self.proxy.manner = Manner(names, partial)

    @rule()
    def push(self) -> None:
        while (push := self.session.next_push()) is not None:
            assert push.type_url not in {each.type_url for each in self.wire}, "two pushes under way"
            self.wire.append(push)

    @precondition(lambda self: self.wire)
    @rule()
    def deliver(self) -> None:
        self.proxy.take(self.wire.popleft(), self.check_routes)

    @precondition(lambda self: self.proxy.outbox)
    @rule()
    def listen(self) -> None:
        self.session.receive(self.proxy.outbox.popleft())

    @rule(name=st.sampled_from([*NAMES, "missing"]))
    def ask(self, name: str) -> None:
        self.proxy.extra ^= {name}
        self.settled = False
        self.proxy.ask_anew(ENDPOINT)

    def check_routes(self, routes: Resource) -> None:
        """A route comes when its clusters are there and warm."""
        if self.clean:
            assert named_in(routes, CLUSTER) <= self.proxy.held[CLUSTER].keys() - self.proxy.warming

    @rule(mesh=meshes())
    def reconnect(self, mesh: list[Resource]) -> None:
        """The stream breaks, and the mesh changes before the proxy comes back."""
        before, self.snapshot = self.snapshot, build_snapshot(mesh)
        self.connect(before, self.session.inventory)

    @rule()
    def write(self) -> None:
        """What the proxy has is written down."""
        self.written = self.recorder.encode(self.session.inventory, self.blobs)

    @rule(mesh=meshes())
    def restart(self, mesh: list[Resource]) -> None:
        """The control plane has forgotten all but what was written last."""
        self.snapshot = build_snapshot(mesh)
        known = Reader(self.blobs).decode(self.written)
        self.lose(known)
        self.connect(known)

    @rule(mesh=meshes())
    def restart_in_order(self, mesh: list[Resource]) -> None:
        """It has ended by itself, and so has written everything."""
        self.write()
        self.snapshot = build_snapshot(mesh)
        self.connect(Reader(self.blobs).decode(self.written))

    @rule(mesh=meshes())
    def forget(self, mesh: list[Resource]) -> None:
        """What was written is gone, too."""
        self.snapshot = build_snapshot(mesh)
        self.lose(EMPTY)
        self.connect()

    def lose(self, known: Snapshot) -> None:
        """Delta proxies tell what they hold."""

    @rule()
    def reconnect_settled(self) -> None:
        self.settle()
        if self.clean:
            self.connect()
            self.settle()
            assert not list(filter(self.is_known, self.proxy.heard)), "what the proxy has was sent again"

    @rule()
    def settle(self) -> None:
        for _ in range(MOST_STEPS):
            self.push()
            if self.wire:
                self.deliver()
            elif self.proxy.outbox:
                self.listen()
            else:
                break
        else:
            raise AssertionError(f"still busy: {self.wire}, {self.proxy.outbox}")
        assert self.session.idle
        assert self.clean <= all(each.idle for each in self.session.subscriptions.values())
        self.proxy.lost = set()
        for type_url in SERVED:
            self.check_held(type_url)
        assert self.clean <= (not self.proxy.warming)
        self.settled = True

    def check_held(self, type_url: str) -> None:
        """The proxy has what it shall have, but for what it refuses; and what it still needs for that."""
        wanted = dict(self.snapshot.named(type_url))
        if type_url in (ENDPOINT, ROUTE):
            wanted = {name: each for name, each in wanted.items() if name in self.proxy.wants(type_url)}
        held = self.proxy.held[type_url]
        for name, each in wanted.items():
            if poison_of(each) in self.proxy.poison:
                assert name not in held or held[name].version != each.version
            else:
                assert held.get(name) == each, f"{name} is {held.get(name)} and not {each}"
        for name in held.keys() - wanted.keys():
            assert self.may_stay(type_url, name), f"{type_url} {name} was not removed"

    def is_known(self, resource: Resource) -> bool:
        return True

    def may_stay(self, type_url: str, name: str) -> bool:
        return not self.clean and type_url != LISTENER

    @invariant()
    def refusals_end(self) -> None:
        sent = Counter(poison_of(each) for each in self.proxy.heard)
        assert all(sent[each] <= 8 for each in self.proxy.poison), "a refused version comes again and again"


class DeltaMachine(Machine[DeltaRequest]):
    make_proxy = DeltaProxy
    subscribe = DeltaSubscription


class StateMachine(Machine[StateRequest]):
    make_proxy = StateProxy
    subscribe = StateSubscription

    def lose(self, known: Snapshot) -> None:
        self.proxy.lost |= self.proxy.held[CLUSTER].keys() - known.named(CLUSTER).keys()

    def is_known(self, resource: Resource) -> bool:
        """What a version stands for is not known any more when names were given up since it was sent."""
        return resource.type_url in (CLUSTER, LISTENER)

    def may_stay(self, type_url: str, name: str) -> bool:
        """Of types that are not sent as a whole nothing can be removed. Who refuses all that it shall have
        keeps what it came with and nobody knows: a push of nothing would be the only one that it takes."""
        unknown = self.session.subscriptions[type_url].is_unclear
        return type_url in (ENDPOINT, ROUTE) or unknown or super().may_stay(type_url, name)


LONG = settings(max_examples=60, stateful_step_count=40)
TestDelta = DeltaMachine.TestCase
TestDelta.settings = LONG
TestState = StateMachine.TestCase
TestState.settings = LONG
