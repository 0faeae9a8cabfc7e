"""What differs between two states of a type, found once for all proxies that go from one to the other."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from meshext_controlplane.snapshot import Named

_KEPT = 64  # pairs of states; each keeps both of them


@dataclass(frozen=True, slots=True)
class Difference:
    """Names whose resource is new or another, and names that are gone."""

    changed: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()


NONE = Difference()


class Differences:
    """Compares by identity: a resource that is the same is the same object."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[int, int], tuple[Named, Named, Difference]] = OrderedDict()

    def between(self, before: Named, after: Named) -> Difference:
        """What has to be looked at."""
        if before is after or before == after:
            return NONE
        key = (id(before), id(after))
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = (before, after, find_difference(before, after))
            if len(self._known) > _KEPT:
                self._known.popitem(last=False)
        return known[2]


def find_difference(before: Named, after: Named) -> Difference:
    """The difference of any two states."""
    old = dict(before)
    changed = tuple(name for name, resource in after.items() if old.pop(name, None) is not resource)
    return Difference(changed, tuple(name for name in old if name not in after))
