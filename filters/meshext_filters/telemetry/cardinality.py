"""Caps on what clients can make of labels: how many values one has, how many series a metric has.

What comes too late is counted under `other`. A worker counts by itself; the total over workers has the same
caps (`most` and `most_values` of `meshext.metrics`), and the first that come to it stay.
"""

from __future__ import annotations

from collections.abc import Sequence

OTHER = "other"


class ValueCap:
    """The values of one label: the first `most` that come, or those of a list; the others are `other`.

    No value ("") is no label, and always passes.
    """

    def __init__(self, most: int, allowed: Sequence[str] = ()) -> None:
        self._seen = set(allowed)
        self._most = len(self._seen) if allowed else most

    def place(self, value: str) -> str:
        """The value, or `other`."""
        if not value or value in self._seen:
            return value
        if len(self._seen) >= self._most:
            return OTHER
        self._seen.add(value)
        return value


class SeriesCap:
    """The series of one metric: at most `most`, those of overflow included.

    `open_labels` says for each label whether a client or a configuration chooses its values. A series that
    comes when three quarters are taken keeps its other labels, such as method and status, and has `other` for
    the open ones; when all but one are taken, `other` for every label.
    """

    def __init__(self, open_labels: Sequence[bool], most: int) -> None:
        self._open = tuple(open_labels)
        self._most = most
        self._reserve = most - most // 4
        self._seen: set[tuple[str, ...]] = set()
        self._last = (OTHER,) * len(self._open)

    def place(self, values: tuple[str, ...]) -> tuple[str, ...]:
        """The label values under which to count."""
        if values in self._seen:
            return values
        if len(self._seen) < self._reserve:
            self._seen.add(values)
            return values
        closed = tuple(
            [OTHER if is_open else value for value, is_open in zip(values, self._open, strict=True)]
        )
        if closed in self._seen:
            return closed
        if len(self._seen) < self._most - 1:
            self._seen.add(closed)
            return closed
        return self._last
