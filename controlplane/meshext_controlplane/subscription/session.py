"""All types of one stream: in which order they are sent, and when something may go."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from types import MappingProxyType
from typing import Generic

from meshext.errors import MeshextError
from meshext_controlplane.snapshot import (
    CLUSTER,
    ENDPOINT,
    EXTENSION,
    LISTENER,
    ROUTE,
    TYPES,
    Named,
    Remembered,
    Resource,
    Snapshot,
    build_snapshot,
)
from meshext_controlplane.subscription.differences import Differences
from meshext_controlplane.subscription.messages import Push, Receipt, Verdict
from meshext_controlplane.subscription.references import References
from meshext_controlplane.subscription.retention import NAMED_BY, Retention
from meshext_controlplane.subscription.subscription import NOTHING, WHOLE, Request, Subscription

AFTER_CLUSTERS = frozenset({LISTENER, ROUTE, EXTENSION})
"""What may name clusters, and so waits until the proxy has accepted them and has their endpoints."""

MOST_TYPES = 32
"""Types that one stream may ask for; Envoy has 14."""


RECORDED = (CLUSTER, LISTENER, ROUTE, EXTENSION)
"""What decides about the order of removals: clusters, and all that names some."""

EMPTY = build_snapshot(())


class TooManyTypes(MeshextError):
    """A stream asks for more types than there are."""


class Session(Generic[Request]):
    """One stream. `receive` and `serve` change what is to be done, `next_push` does one step of it.

    `label` makes nonces that no other stream has. `before` is what the proxy may have from an earlier one,
    what it was last known to have at the end, and `warming` the endpoints that it waited for when that ended.
    """

    def __init__(
        self,
        subscribe: Callable[[str, Named, Sequence[Named]], Subscription[Request]],
        snapshot: Snapshot,
        references: References,
        differences: Differences,
        *,
        label: str,
        before: Sequence[Snapshot] = (),
        warming: Iterable[str] = (),
    ) -> None:
        self.subscriptions: dict[str, Subscription[Request]] = {}
        self._subscribe = subscribe
        self._snapshot = snapshot
        self._before = tuple(before)
        self._references = references
        self._retention = Retention(self.subscriptions, references)
        self._differences = differences
        self._label = label
        self._nonces = 0
        self._awaited: set[str] = set(warming)
        self._pushed: set[str] = set()

    def receive(self, request: Request) -> Receipt:
        """Take a request in; TooManyTypes where a stream asks for too much."""
        subscription = self.subscriptions.get(request.type_url)
        opened = subscription is None
        if subscription is None:
            subscription = self._open(request.type_url)
        receipt = subscription.receive(request)
        if opened and request.type_url == ENDPOINT:
            subscription.owe(self._awaited)
        if request.type_url == ENDPOINT and receipt.verdict in (Verdict.ACK, Verdict.NACK):
            self._awaited = {name for name in self._awaited if subscription.owes(name)}
        return receipt

    def serve(self, snapshot: Snapshot) -> None:
        """What the proxy shall have from now on; it is consistent."""
        self._snapshot = snapshot
        for type_url, subscription in self.subscriptions.items():
            subscription.serve(snapshot.named(type_url), self._differences)
        if self._awaited:
            self._awaited &= snapshot.named(ENDPOINT).keys()

    def next_push(self) -> Push | None:
        """The next response to send, in the order of TYPES; None until something happens."""
        for type_url in self._order():
            if type_url in AFTER_CLUSTERS and self._clusters_under_way():
                continue
            push = self.subscriptions[type_url].next_push(
                self._next_nonce, self._retention.removable(type_url)
            )
            if push is not None:
                self._nonces += 1
                self._pushed.add(type_url)
                if type_url == CLUSTER:
                    self._owe_endpoints(push.resources)
                return push
        return None

    @property
    def idle(self) -> bool:
        """Where there is no next push: whether the proxy has answered everything.

        It may still hold what it shall not, while something that it refused to replace names that.
        """
        return all(subscription.pending is None for subscription in self.subscriptions.values())

    @property
    def warming(self) -> tuple[str, ...]:
        """Endpoints of clusters that were sent and may not have reached the proxy."""
        endpoints = self.subscriptions.get(ENDPOINT)
        return tuple(name for name in self._awaited if endpoints is None or endpoints.owes(name))

    @property
    def inventory(self) -> Snapshot:
        """What the proxy has, or may have, of `RECORDED`; of what it has not asked for, what it had before.

        Where a push never has to say what it leaves as it is, names and what they name are enough.
        """
        types: dict[str, Named] = {}
        for type_url in RECORDED:
            if (subscription := self.subscriptions.get(type_url)) is not None:
                named = subscription.possessions
            else:
                named = self._before[-1].named(type_url) if self._before else NOTHING
            types[type_url] = named if type_url in WHOLE else self._shorten(named)
        return Snapshot(MappingProxyType(types))

    def _shorten(self, named: Named) -> Named:
        find = self._references.of
        return {
            name: Remembered(each.type_url, name, each.version, b"", find(each))
            for name, each in named.items()
        }

    @property
    def backlog(self) -> int:
        """About how many bytes wait to be sent."""
        return sum(each.backlog for each in self.subscriptions.values() if each.pending is None)

    @property
    def _next_nonce(self) -> str:
        return f"{self._label}-{self._nonces + 1}"

    def _open(self, type_url: str) -> Subscription[Request]:
        if len(self.subscriptions) >= MOST_TYPES:
            raise TooManyTypes(f"one stream asks for more than {MOST_TYPES} types")
        before = [each.named(type_url) for each in self._before]
        subscription = self._subscribe(type_url, self._snapshot.named(type_url), before)
        sources = NAMED_BY.get(type_url, ())
        subscription.untouched = bool(sources) and self._pushed.isdisjoint(sources)
        self.subscriptions[type_url] = subscription
        return subscription

    def _order(self) -> Iterator[str]:
        yield from (type_url for type_url in TYPES if type_url in self.subscriptions)
        yield from (type_url for type_url in self.subscriptions if type_url not in TYPES)

    def _clusters_under_way(self) -> bool:
        """Whether clusters, or endpoints of clusters that were sent, are still to be accepted.

        Who asks for clusters by name, as gRPC clients do, learns the names from routes: those can not wait.
        """
        clusters = self.subscriptions.get(CLUSTER)
        if clusters is None or not clusters.interest.wildcard:
            return False
        endpoints = self.subscriptions.get(ENDPOINT)
        return clusters.brings_more or (endpoints is not None and any(map(endpoints.owes, self._awaited)))

    def _owe_endpoints(self, clusters: Iterable[Resource]) -> None:
        """A cluster that is sent again warms, and waits for endpoints although they are the same."""
        subscription = self.subscriptions[CLUSTER]
        assert subscription.pending is not None
        fresh = frozenset(subscription.pending.fresh)
        names = {
            name
            for cluster in clusters
            if cluster.name in fresh
            for type_url, name in self._references.of(cluster)
            if type_url == ENDPOINT
        }
        names &= self._snapshot.named(ENDPOINT).keys()  # one that goes soon waits for none
        self._awaited |= names
        if (endpoints := self.subscriptions.get(ENDPOINT)) is not None:
            endpoints.owe(names)
