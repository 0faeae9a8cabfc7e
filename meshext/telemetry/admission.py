"""Which series a total over workers shows of a metric that may have only so many.

Workers count by themselves, so each may know others, and a new one begins anew. The first that come to the
total stay in it for as long as this process lives; what comes later is added to one series of "other". So a
counter never falls and a reload makes no room for more.
"""

from __future__ import annotations

from collections.abc import Iterable

from meshext.series import OTHER, Key
from meshext.telemetry.families import Definition, Families, Family


class Admission:
    """Admits series of each metric, in the order in which they come, up to what its family says."""

    def __init__(self) -> None:
        self._known: dict[Definition, set[Key]] = {}

    def fold(self, families: Families) -> Families:
        """The same families, with what is not admitted added to "other"."""
        return {definition: self._fold(family) for definition, family in families.items()}

    def keep(self, definitions: Iterable[Definition]) -> None:
        """Forget metrics that nobody has any more, as after a reload with other labels."""
        self._known = {each: self._known[each] for each in definitions if each in self._known}

    def _fold(self, family: Family) -> Family:
        if not family.most:
            return family
        known = self._known.setdefault(family.definition, set())
        series = family.numbers or family.spreads
        for key in series:
            if len(known) >= family.most:
                break
            known.add(key)
        if known.issuperset(series):
            return family
        folded = family.empty()
        folded.take(family, lambda key: key if key in known else rest(key))
        return folded


def rest(key: Key) -> Key:
    """The series of all others; whose metric it is, which the first label says, stays."""
    return (*key[:1], *(OTHER for _ in key[1:]))
