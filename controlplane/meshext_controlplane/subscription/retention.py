"""What must not go yet, because something that the proxy holds names it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from meshext_controlplane.snapshot import CLUSTER, ENDPOINT, EXTENSION, LISTENER, ROUTE, SECRET
from meshext_controlplane.subscription.references import References
from meshext_controlplane.subscription.subscription import Subscription

NAMED_BY = {
    CLUSTER: (LISTENER, ROUTE, EXTENSION),
    ENDPOINT: (CLUSTER,),
    ROUTE: (LISTENER,),
    SECRET: (CLUSTER, LISTENER),
    EXTENSION: (LISTENER,),
}
"""By what each type is named. A listener is named by nothing."""

Subscriptions = Mapping[str, Subscription[Any]]


class Retention:
    """Looks through what one proxy holds."""

    def __init__(self, subscriptions: Subscriptions, references: References) -> None:
        self._subscriptions = subscriptions
        self._references = references

    def removable(self, type_url: str) -> Callable[[str], bool]:
        """Whether a resource of that type may go; what is held is looked through when somebody asks."""
        looked: list[frozenset[str] | None] = []

        def may_go(name: str) -> bool:
            if not looked:
                looked.append(None if self._is_unclear(type_url) else frozenset(self._named(type_url)))
            named = looked[0]
            return named is not None and name not in named

        return may_go

    def _named(self, type_url: str) -> Iterator[str]:
        """The names of one type that are named by something which the proxy has, or is being sent."""
        for source in NAMED_BY.get(type_url, ()):
            if (subscription := self._subscriptions.get(source)) is not None:
                for resource in subscription.held():
                    yield from (name for url, name in self._references.of(resource) if url == type_url)

    def _is_unclear(self, type_url: str) -> bool:
        """Whether a proxy that came back may have something that names such resources, unknown to us."""
        if not self._subscriptions[type_url].resumed:
            return False
        return any(self._is_unknown(source) for source in NAMED_BY.get(type_url, ()))

    def _is_unknown(self, source: str) -> bool:
        subscription = self._subscriptions.get(source)
        if subscription is not None and subscription.is_unclear:
            return True
        if source in (CLUSTER, LISTENER):
            return subscription is None
        # The proxy asks for what its listeners name; of what it has not asked for yet it may have anything.
        return any(subscription is None or name not in subscription.interest for name in self._named(source))
