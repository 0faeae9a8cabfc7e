"""Which series a total over workers shows of a metric that may have only so many.

Workers count by themselves, so each may know others, and a new one begins anew. The first that come to the
total stay in it for as long as this process lives; what comes later is added to one series of "other". So a
counter never falls and a reload makes no room for more. The same holds for the values of a label that has a
cap; they are known of a filter's label, so that all its metrics show the same ones.
"""

from __future__ import annotations

from collections.abc import Iterable

from meshext.series import OTHER, Key, admit
from meshext.telemetry.families import Definition, Families, Family


class Admission:
    """Admits series of each metric, in the order in which they come, up to what its family says."""

    def __init__(self) -> None:
        self._known: dict[Definition, set[Key]] = {}
        self._values: dict[tuple[str, str], set[str]] = {}  # by the filter and the label

    def fold(self, families: Families) -> Families:
        """The same families, with what is not admitted added to "other"."""
        return {definition: self._fold(family) for definition, family in families.items()}

    def keep(self, definitions: Iterable[Definition]) -> None:
        """Forget metrics that nobody has any more, as after a reload with other labels."""
        left = tuple(definitions)
        self._known = {each: self._known[each] for each in left if each in self._known}
        labels = {label for _, _, names, _ in left for label in names}
        self._values = {place: known for place, known in self._values.items() if place[1] in labels}

    def _fold(self, family: Family) -> Family:
        if family.most_values:
            family = self._fold_values(family)
        return self._fold_series(family) if family.most else family

    def _fold_values(self, family: Family) -> Family:
        def place(key: Key) -> Key:
            known = [self._values.setdefault((key[0], label), set()) for label in family.labels]
            return tuple(map(admit, key, family.most_values, known))

        folded = family.empty()
        folded.take(family, place)
        return folded

    def _fold_series(self, family: Family) -> Family:
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
