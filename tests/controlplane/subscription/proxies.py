"""A proxy as Envoy is one, in a few lines: what it holds, what it asks for, what it refuses.

It is the model that the session is held against: slow, and with all of its state in plain dicts.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Generic

from meshext_controlplane.snapshot import CLUSTER, ENDPOINT, LISTENER, ROUTE, Resource
from meshext_controlplane.subscription.messages import DeltaRequest, Push, StateRequest
from meshext_controlplane.subscription.references import find_references
from meshext_controlplane.subscription.subscription import Request

SERVED = (CLUSTER, ENDPOINT, LISTENER, ROUTE)
Poison = tuple[str, str, str]
"""Type URL, name and version of a resource that the proxy refuses."""


def poison_of(resource: Resource) -> Poison:
    return resource.type_url, resource.name, resource.version


def named_in(resource: Resource, type_url: str) -> set[str]:
    return {name for url, name in find_references(resource) if url == type_url}


@dataclass
class Manner:
    """How a proxy refuses: whether its text names whom it means, and whether it takes the others."""

    names: bool = True
    partial: bool = True


@dataclass
class ModelProxy(ABC, Generic[Request]):
    """`outbox` is what it has said; `heard` every resource that it was sent on this stream, in order.

    `lost`: clusters that the control plane can not know of any more, and so not keep until it may go.
    """

    poison: set[Poison] = field(default_factory=set)
    manner: Manner = field(default_factory=Manner)
    extra: set[str] = field(default_factory=set)
    held: dict[str, dict[str, Resource]] = field(default_factory=lambda: {url: {} for url in SERVED})
    outbox: deque[Request] = field(default_factory=deque)
    warming: set[str] = field(default_factory=set)
    heard: list[Resource] = field(default_factory=list)
    nonces: dict[str, str] = field(default_factory=dict)
    asked: dict[str, set[str]] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    lost: set[str] = field(default_factory=set)

    def connect(self) -> None:
        """Begin a stream, with what it has in hand."""
        self.outbox.clear()
        self.heard.clear()
        self.nonces.clear()
        self.asked.clear()
        for type_url in SERVED:
            if type_url in (CLUSTER, LISTENER) or self.wants(type_url):
                self.greet(type_url)

    def wants(self, type_url: str) -> set[str]:
        """The names that it asks for of a type without wildcard."""
        if type_url == ENDPOINT:
            named = (named_in(each, ENDPOINT) for each in self.held[CLUSTER].values())
            return set().union(self.extra, *named)
        return set().union(*(named_in(each, ROUTE) for each in self.held[LISTENER].values()))

    def take(self, push: Push, check_routes: Callable[[Resource], None]) -> None:
        """Process a response and answer it."""
        self.nonces[push.type_url] = push.nonce
        self.heard += push.resources
        bad = [each for each in push.resources if poison_of(each) in self.poison]
        if not bad or self.manner.partial:
            self.apply(push, {each.name for each in bad}, check_routes)
        for type_url in (ENDPOINT, ROUTE):
            self.ask_anew(type_url)
        if bad and push.type_url == CLUSTER and not self.manner.names:
            # Halves are tried then, in SotW each a whole of its own: what it took of the others may go.
            self.lost |= {each.name for each in push.resources}
        text = ", ".join(each.name for each in bad) if self.manner.names else "some of these"
        self.answer(push, f"can not have {text}" if bad else None)

    def apply(self, push: Push, bad: set[str], check_routes: Callable[[Resource], None]) -> None:
        held = self.held[push.type_url]
        names = [each.name for each in push.resources]
        assert len(set(names)) == len(names), "a name twice in one response"
        assert not set(names) & set(push.removed)
        for name in self.goes(push):
            self.drop(push.type_url, name)
        wanted = self.wants(push.type_url) if push.type_url in (ENDPOINT, ROUTE) else set(names)
        for each in push.resources:
            if each.name in bad or each.name not in wanted:
                continue
            before = held.get(each.name)
            if push.type_url == CLUSTER and (before is None or before.version != each.version):
                self.warming.add(each.name)
            elif push.type_url == ENDPOINT:
                self.warming.discard(each.name)
            elif push.type_url == ROUTE:
                check_routes(each)
            held[each.name] = each

    def drop(self, type_url: str, name: str) -> None:
        self.held[type_url].pop(name, None)
        if type_url == CLUSTER:
            self.warming.discard(name)
            using = [each.name for each in self.held[ROUTE].values() if name in named_in(each, CLUSTER)]
            assert name in self.lost or not using, f"cluster {name} went while {using} named it"

    def ask_anew(self, type_url: str) -> None:
        """Tell which names of a type are wanted now, where that has changed."""
        wanted, before = self.wants(type_url), self.asked.get(type_url, set())
        if wanted != before:
            for name in before - wanted:
                self.held[type_url].pop(name, None)
            self.change(type_url, wanted - before, before - wanted)

    @abstractmethod
    def greet(self, type_url: str) -> None:
        """The first request of a type."""

    @abstractmethod
    def change(self, type_url: str, more: set[str], less: set[str]) -> None:
        """Say that other names are wanted."""

    @abstractmethod
    def goes(self, push: Push) -> set[str]:
        """The names that a response removes."""

    @abstractmethod
    def answer(self, push: Push, error: str | None) -> None:
        """ACK, or NACK with that text."""


class DeltaProxy(ModelProxy[DeltaRequest]):
    """Speaks the incremental protocol."""

    def greet(self, type_url: str) -> None:
        versions = {name: each.version for name, each in self.held[type_url].items()}
        names = self.wants(type_url) if type_url in (ENDPOINT, ROUTE) else set()
        self.asked[type_url] = names
        self.outbox.append(DeltaRequest(type_url=type_url, subscribe=tuple(sorted(names)), versions=versions))

    def change(self, type_url: str, more: set[str], less: set[str]) -> None:
        if type_url not in self.asked:
            self.greet(type_url)
            return
        self.asked[type_url] = self.asked[type_url] - less | more
        subscribe, unsubscribe = tuple(sorted(more)), tuple(sorted(less))
        self.outbox.append(DeltaRequest(type_url=type_url, subscribe=subscribe, unsubscribe=unsubscribe))

    def goes(self, push: Push) -> set[str]:
        return set(push.removed)

    def answer(self, push: Push, error: str | None) -> None:
        self.outbox.append(DeltaRequest(type_url=push.type_url, nonce=push.nonce, error=error))


class StateProxy(ModelProxy[StateRequest]):
    """Speaks the state of the world."""

    def greet(self, type_url: str) -> None:
        self.say(type_url, None)

    def change(self, type_url: str, more: set[str], less: set[str]) -> None:
        self.say(type_url, None)

    def goes(self, push: Push) -> set[str]:
        whole = push.type_url in (CLUSTER, LISTENER)
        return self.held[push.type_url].keys() - {each.name for each in push.resources} if whole else set()

    def answer(self, push: Push, error: str | None) -> None:
        if error is None:
            self.versions[push.type_url] = push.version
        self.say(push.type_url, error)

    def say(self, type_url: str, error: str | None) -> None:
        names = self.wants(type_url) if type_url in (ENDPOINT, ROUTE) else set()
        self.asked[type_url] = names
        self.outbox.append(
            StateRequest(
                type_url=type_url,
                names=tuple(sorted(names)),
                version=self.versions.get(type_url, ""),
                nonce=self.nonces.get(type_url, ""),
                error=error,
            )
        )


Held = Mapping[str, Mapping[str, Resource]]
