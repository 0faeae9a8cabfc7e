"""The names that a proxy wants of one type."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from sys import intern

from meshext_controlplane.subscription.messages import WILDCARD


class Interest:
    """Wildcard, explicit names, or both.

    Until a request has named something, none means all (`legacy`: of clusters and listeners only);
    afterwards none means none.
    """

    __slots__ = ("_legacy", "names", "wildcard")

    def __init__(self, *, legacy: bool) -> None:
        self._legacy = legacy
        self.wildcard = False
        self.names: frozenset[str] = frozenset()

    def __contains__(self, name: str) -> bool:
        return self.wildcard or name in self.names

    def replace(self, names: Iterable[str]) -> frozenset[str]:
        """The whole list of a state-of-the-world request; gives the names that are new in it."""
        new = frozenset(map(intern, names))
        self._legacy = self._legacy and not new
        self.wildcard = self._legacy or WILDCARD in new
        added = new - {WILDCARD} - self.names
        if added or len(new) - (WILDCARD in new) != len(self.names):
            self.names = _share(new - {WILDCARD})
        return added

    def change(self, subscribe: Iterable[str], unsubscribe: Iterable[str]) -> set[str]:
        """A delta request's lists; gives the names that must be answered. One that is in both is wanted.

        Who unsubscribes from a name and still has the wildcard is told whether it exists.
        """
        added, dropped = set(map(intern, subscribe)), set(unsubscribe)
        self._legacy = self._legacy and not added and WILDCARD not in dropped
        keeps = self.wildcard and WILDCARD not in dropped
        self.wildcard = self._legacy or keeps or WILDCARD in added
        added.discard(WILDCARD)
        gone = (self.names & dropped) - added
        if added or gone:
            self.names = _share((self.names - gone) | added)
        return added | gone if self.wildcard else added


@lru_cache(maxsize=64)
def _share(names: frozenset[str]) -> frozenset[str]:
    """The same object for equal sets: most proxies want the same names."""
    return names
