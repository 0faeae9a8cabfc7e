"""The series of one metric as they stand: what counters, gauges and histograms write to.

A label's value is written by `str()`; bytes that are not UTF-8 become U+FFFD and what is longer than 256
characters is cut. A metric holds at most 1000 label sets, or as many as its `most` says; later ones are
recorded under "other" for every label, so that no client can fill the memory.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Literal

from meshext.exemplars import Exemplar, Exemplars, latest

if TYPE_CHECKING:
    from meshext.metrics import Metric

Kind = Literal["counter", "gauge", "histogram"]
Key = tuple[str, ...]

MAX_SERIES = 1000  # label sets for each metric
MAX_LABEL = 256  # characters
OTHER = "other"

SURROGATE = re.compile("[\ud800-\udfff]")  # what stands for bytes that are not UTF-8


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One series as it stands.

    `value` is the number of a counter or gauge and the number of observations of a histogram. For a
    histogram `buckets` holds (upper bound, observations up to it), the last bound being infinity, and
    `sum` the sum of what was observed. `exemplars` has one place, or one for each bucket.
    """

    name: str
    kind: Kind
    labels: tuple[tuple[str, str], ...]
    value: float
    buckets: tuple[tuple[float, int], ...] = ()
    sum: float = 0.0
    exemplars: Exemplars = ()

    @property
    def count(self) -> int:
        """Observations of a histogram; 0 for the other kinds."""
        return self.buckets[-1][1] if self.buckets else 0


class Series:
    """All series of one metric in one registry: label values to a number or to (bucket counts, sum).

    `exemplars` has the latest ones of the series that were given any.
    """

    def __init__(self, metric: Metric[Any]) -> None:
        self.metric = metric
        self.names = frozenset(metric.labels)
        self.numbers: dict[Key, float] = {}
        self.spreads: dict[Key, tuple[tuple[int, ...], float]] = {}
        self.exemplars: dict[Key, Exemplars] = {}
        self._values: tuple[set[str], ...] = tuple(set() for _ in metric.most_values)
        if not metric.labels:  # a series that exists from the start shows 0 instead of a gap
            self.write((), 0.0)

    @property
    def empty(self) -> tuple[tuple[int, ...], float]:
        """A spread of no observations."""
        return (0,) * (len(self.metric.buckets) + 1), 0.0

    def key(self, labels: Mapping[str, object]) -> Key:
        """The label values in the order of the definition; ValueError unless exactly those are given."""
        metric = self.metric
        if labels.keys() != self.names:
            wanted = ", ".join(f"{name}=..." for name in metric.labels) or "no labels"
            raise ValueError(f"{metric.name}: got labels {sorted(labels)}; write {wanted}")
        return tuple([label_text(metric.name, name, labels[name]) for name in metric.labels])

    def key_of(self, values: Sequence[object]) -> Key:
        """The key of label values in the order of the definition; ValueError unless there are as many."""
        metric = self.metric
        if isinstance(values, str) or len(values) != len(metric.labels):
            raise ValueError(
                f"{metric.name}: {values!r:.100} are no values of the labels {metric.labels}; write one each"
            )
        return tuple(
            [label_text(metric.name, name, value) for name, value in zip(metric.labels, values, strict=True)]
        )

    def place(self, key: Key) -> Key:
        """The key, or the one for all others when there are too many."""
        series = self.numbers or self.spreads
        if key in series:
            return key
        if self._values:
            key = tuple(map(admit, key, self.metric.most_values, self._values))
        return key if key in series or len(series) < self.metric.most else (OTHER,) * len(key)

    def write(self, key: Key, number: float) -> None:
        """Add to a number; of a histogram, only make sure the series is there."""
        if self.metric.kind == "histogram":
            self.spreads.setdefault(self.place(key), self.empty)
        else:
            place = self.place(key)
            self.numbers[place] = self.numbers.get(place, 0.0) + number

    def spread(self, key: Key, counts: Sequence[int], total: float) -> None:
        """Add bucket counts and a sum."""
        place = self.place(key)
        old, before = self.spreads.get(place, self.empty)
        # Written in one assignment: an overdue hook is ended between any two steps.
        self.spreads[place] = (tuple(a + b for a, b in zip(old, counts, strict=True)), before + total)

    def observe(self, key: Key, number: float, bucket: int) -> None:
        """Add one observation to a bucket."""
        place = self.place(key)
        counts, before = self.spreads.get(place, self.empty)
        raised = (*counts[:bucket], counts[bucket] + 1, *counts[bucket + 1 :])
        self.spreads[place] = raised, before + number

    def show(self, key: Key, bucket: int, exemplar: Exemplar) -> None:
        """Keep an exemplar in the place of the one before; `bucket` is 0 for a counter."""
        place = self.place(key)
        kept = self.exemplars.get(place) or (None,) * self.places
        self.exemplars[place] = (*kept[:bucket], exemplar, *kept[bucket + 1 :])

    def add_exemplars(self, key: Key, exemplars: Exemplars) -> None:
        """Take those of another registry that are newer."""
        place = self.place(key)
        self.exemplars[place] = latest(self.exemplars.get(place, ()), exemplars)

    @property
    def places(self) -> int:
        """How many exemplars a series of this metric keeps."""
        return len(self.metric.buckets) + 1 if self.metric.kind == "histogram" else 1

    def samples(self) -> list[Sample]:
        """Every series, ordered by label values."""
        metric = self.metric
        found = []
        for key in sorted(self.numbers.keys() | self.spreads.keys()):
            counts, total = self.spreads.get(key, ((), 0.0))
            bounds = (*metric.buckets, math.inf) if counts else ()
            found.append(
                Sample(
                    name=metric.name,
                    kind=metric.kind,
                    labels=tuple(zip(metric.labels, key, strict=True)),
                    value=self.numbers.get(key, float(sum(counts))),
                    buckets=tuple(zip(bounds, accumulate(counts), strict=True)),
                    sum=total,
                    exemplars=self.exemplars.get(key, ()),
                )
            )
        return found


def admit(value: str, most: int, known: set[str]) -> str:
    """A label's value, or "other" where `known` holds `most` others; 0 is no cap, and "" is no value."""
    if not most or not value or value == OTHER or value in known:
        return value
    if len(known) >= most:
        return OTHER
    known.add(value)
    return value


def label_text(metric: str, name: str, value: object) -> str:
    """A label's value as text; TypeError for what is none."""
    if not isinstance(value, (str, int)):
        raise TypeError(
            f"{metric}: label {name}={value!r} is {type(value).__name__}; write a str, int or bool"
        )
    text = str(value)[:MAX_LABEL]
    return text if text.isascii() else SURROGATE.sub("\ufffd", text)
