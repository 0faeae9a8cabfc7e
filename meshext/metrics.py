"""Metrics of a filter: counters, gauges and histograms, written as class attributes.

    class Limits(Filter):
        refused = Counter("refused_total", labels=("plan",), help="Requests over their limit.")

        def on_request(self, request: Request) -> Respond | None:
            self.refused.inc(plan="free")

On the class an attribute is the definition; on a filter object it records into that object's registry
(`_metrics`, which the engine sets before `__init__`). Names follow the Prometheus data model
(https://prometheus.io/docs/concepts/data_model/). Label values are str, int or bool, written by `str()`;
bytes that are not UTF-8 become U+FFFD and what is longer than 256 characters is cut. A metric holds at
most 1000 label sets; later ones are recorded under "other" for every label, so that no client can fill
the memory. Wrong labels and amounts raise ValueError, wrong types TypeError.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Any, Generic, Literal, Self, TypeVar, overload

from meshext.errors import MeshextError

Kind = Literal["counter", "gauge", "histogram"]

Bound = TypeVar("Bound")

MAX_SERIES = 1000  # label sets for each metric
MAX_LABEL = 256  # characters
OTHER = "other"
DEFAULT_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

METRIC_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
LABEL_NAME = re.compile(r"(?!__)[a-zA-Z_][a-zA-Z0-9_]*")  # names that begin with __ are Prometheus's own
SURROGATE = re.compile("[\ud800-\udfff]")  # what stands for bytes that are not UTF-8


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One series as it stands.

    `value` is the number of a counter or gauge and the number of observations of a histogram. For a
    histogram `buckets` holds (upper bound, observations up to it), the last bound being infinity, and
    `sum` the sum of what was observed.
    """

    name: str
    kind: Kind
    labels: tuple[tuple[str, str], ...]
    value: float
    buckets: tuple[tuple[float, int], ...] = ()
    sum: float = 0.0

    @property
    def count(self) -> int:
        """Observations of a histogram; 0 for the other kinds."""
        return self.buckets[-1][1] if self.buckets else 0


class Metric(Generic[Bound]):
    """What the three kinds have in common: a definition, bound to a registry by attribute access.

    `name` and `labels` are Prometheus names, `help` one line of text. ValueError for illegal names.
    """

    kind: Kind
    buckets: tuple[float, ...] = ()

    def __init__(
        self,
        name: str,
        *,
        labels: Sequence[str] = (),
        help: str = "",  # noqa: A002  (the word of the Prometheus text format)
    ) -> None:
        check_names(name, labels)
        self.name = name
        self.labels = tuple(labels)
        self.help = help
        self._attribute = ""

    def __set_name__(self, owner: type, name: str) -> None:
        self._attribute = name

    @overload
    def __get__(self, instance: None, owner: type | None = None) -> Self: ...

    @overload
    def __get__(self, instance: object, owner: type | None = None) -> Bound: ...

    def __get__(self, instance: object, owner: type | None = None) -> Self | Bound:
        if instance is None:
            return self
        registry = getattr(instance, "_metrics", None)
        if not isinstance(registry, MetricRegistry):
            raise MeshextError(
                f"{type(instance).__name__}.{self._attribute} has nowhere to record:"
                " the object was made by hand; write meshext.testing.Harness(...) in tests"
            )
        bound = self._bind(registry.declare(self))
        # Beside a descriptor without __set__ the instance's own dict wins: the next access costs nothing.
        if self._attribute and hasattr(instance, "__dict__"):
            vars(instance)[self._attribute] = bound
        return bound

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r}, labels={self.labels!r})"

    @property
    def definition(self) -> tuple[Kind, tuple[str, ...], tuple[float, ...]]:
        """What two metrics of one name must have in common."""
        return self.kind, self.labels, self.buckets

    def _bind(self, series: Series) -> Bound:
        raise NotImplementedError


class Counter(Metric["BoundCounter"]):
    """A number that only grows. By custom its name ends in `_total`."""

    kind: Kind = "counter"

    def _bind(self, series: Series) -> BoundCounter:
        return BoundCounter(series)


class Gauge(Metric["BoundGauge"]):
    """A number that goes up and down."""

    kind: Kind = "gauge"

    def _bind(self, series: Series) -> BoundGauge:
        return BoundGauge(series)


class Histogram(Metric["BoundHistogram"]):
    """How observed numbers spread over `buckets` (upper bounds, ascending; infinity is added)."""

    kind: Kind = "histogram"

    def __init__(
        self,
        name: str,
        *,
        labels: Sequence[str] = (),
        help: str = "",  # noqa: A002  (the word of the Prometheus text format)
        buckets: Sequence[float] = DEFAULT_BUCKETS,
    ) -> None:
        super().__init__(name, labels=labels, help=help)
        self.buckets = check_buckets(name, buckets)
        if "le" in self.labels:
            raise ValueError(f"{name}: the label 'le' names a histogram's buckets; write another name")

    def _bind(self, series: Series) -> BoundHistogram:
        return BoundHistogram(series)


class Series:
    """All series of one metric in one registry: label values to a number or to (bucket counts, sum)."""

    def __init__(self, metric: Metric[Any]) -> None:
        self.metric = metric
        self.names = frozenset(metric.labels)
        self.numbers: dict[tuple[str, ...], float] = {}
        self.spreads: dict[tuple[str, ...], tuple[tuple[int, ...], float]] = {}
        if not metric.labels:  # a series that exists from the start shows 0 instead of a gap
            self.write((), 0.0)

    @property
    def empty(self) -> tuple[tuple[int, ...], float]:
        """A spread of no observations."""
        return (0,) * (len(self.metric.buckets) + 1), 0.0

    def key(self, labels: Mapping[str, object]) -> tuple[str, ...]:
        """The label values in the order of the definition; ValueError unless exactly those are given."""
        metric = self.metric
        if labels.keys() != self.names:
            wanted = ", ".join(f"{name}=..." for name in metric.labels) or "no labels"
            raise ValueError(f"{metric.name}: got labels {sorted(labels)}; write {wanted}")
        return tuple([_label(metric.name, name, labels[name]) for name in metric.labels])

    def place(self, key: tuple[str, ...]) -> tuple[str, ...]:
        """The key, or the one for all others when there are too many."""
        series = self.numbers or self.spreads
        return key if key in series or len(series) < MAX_SERIES else (OTHER,) * len(key)

    def write(self, key: tuple[str, ...], number: float) -> None:
        """Add to a number; of a histogram, only make sure the series is there."""
        if self.metric.kind == "histogram":
            self.spreads.setdefault(self.place(key), self.empty)
        else:
            place = self.place(key)
            self.numbers[place] = self.numbers.get(place, 0.0) + number

    def spread(self, key: tuple[str, ...], counts: Sequence[int], total: float) -> None:
        """Add bucket counts and a sum."""
        place = self.place(key)
        old, before = self.spreads.get(place, self.empty)
        # Written in one assignment: an overdue hook is ended between any two steps.
        self.spreads[place] = (tuple(a + b for a, b in zip(old, counts, strict=True)), before + total)

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
                )
            )
        return found


class _Recorder:
    __slots__ = ("_series",)

    def __init__(self, series: Series) -> None:
        self._series = series


class BoundCounter(_Recorder):
    """A counter of one filter object."""

    __slots__ = ()

    def inc(self, amount: float = 1, /, **labels: str | int | bool) -> None:
        """Count `amount` (not negative) more."""
        name = self._series.metric.name
        if _number(name, amount) < 0:
            raise ValueError(f"{name}: a counter can not go down by {amount!r}; write a Gauge")
        self._series.write(self._series.key(labels), amount)


class BoundGauge(_Recorder):
    """A gauge of one filter object."""

    __slots__ = ()

    def set(self, value: float, /, **labels: str | int | bool) -> None:
        """Let the gauge stand at `value`."""
        series = self._series
        number = _number(series.metric.name, value)
        series.numbers[series.place(series.key(labels))] = number

    def inc(self, amount: float = 1, /, **labels: str | int | bool) -> None:
        """Go up by `amount`."""
        number = _number(self._series.metric.name, amount)
        self._series.write(self._series.key(labels), number)

    def dec(self, amount: float = 1, /, **labels: str | int | bool) -> None:
        """Go down by `amount`."""
        number = _number(self._series.metric.name, amount)
        self._series.write(self._series.key(labels), -number)


class BoundHistogram(_Recorder):
    """A histogram of one filter object."""

    __slots__ = ()

    def observe(self, value: float, /, **labels: str | int | bool) -> None:
        """Record one number; it falls into the first bucket whose bound is not below it."""
        series = self._series
        number = _number(series.metric.name, value)
        counts = [0] * (len(series.metric.buckets) + 1)
        counts[bisect_left(series.metric.buckets, number)] = 1
        series.spread(series.key(labels), counts, number)


class MetricRegistry:
    """What the filter objects of one worker have recorded.

    `owners` are filter classes whose metrics are known from the start, before anything is recorded.
    It can be pickled, so that a supervisor can merge those of its workers.
    """

    def __init__(self, *owners: type) -> None:
        self._families: dict[str, Series] = {}
        for owner in owners:
            self.declare_class(owner)

    def declare(self, metric: Metric[Any]) -> Series:
        """Make a metric known; ValueError if another of its name is defined differently."""
        series = self._families.get(metric.name)
        if series is None:
            series = self._families[metric.name] = Series(metric)
        elif series.metric.definition != metric.definition:
            raise ValueError(
                f"metric {metric.name!r} is defined twice, as {series.metric!r} and as {metric!r}"
                " (kind, labels and buckets must agree); rename one"
            )
        return series

    def declare_class(self, owner: type) -> None:
        """Make every metric of a class and its bases known."""
        for base in reversed(owner.__mro__):
            for name, value in vars(base).items():
                if isinstance(value, Metric) and all(name not in vars(sub) for sub in _below(owner, base)):
                    self.declare(value)

    def metrics(self) -> tuple[Metric[Any], ...]:
        """The definitions, in the order in which they became known."""
        return tuple(series.metric for series in self._families.values())

    def samples(self) -> list[Sample]:
        """Every series of every metric, ordered by label values within a metric."""
        return [sample for series in self._families.values() for sample in series.samples()]

    def value(self, name: str, /, **labels: str | int | bool) -> float:
        """A counter's or gauge's number, a histogram's number of observations; 0.0 before the first.

        KeyError for an unknown metric (lists those there are), ValueError for wrong labels.
        """
        series = self._families.get(name)
        if series is None:
            raise KeyError(f"no metric {name!r}; there are {', '.join(self._families) or 'none'}")
        key = series.key(labels)
        if series.metric.kind == "histogram":
            return float(sum(series.spreads.get(key, series.empty)[0]))
        return series.numbers.get(key, 0.0)

    def merge(self, other: MetricRegistry) -> None:
        """Add everything of another registry to this one; gauges are added up too, as counts of workers."""
        for theirs in other._families.values():
            series = self.declare(theirs.metric)
            for key, number in theirs.numbers.items():
                series.write(key, number)
            for key, (counts, total) in theirs.spreads.items():
                series.spread(key, counts, total)


def check_names(name: object, labels: Sequence[object]) -> None:
    """Raise ValueError unless these are a metric's name and distinct label names of Prometheus."""
    if not isinstance(name, str) or not METRIC_NAME.fullmatch(name):
        raise ValueError(f"metric name {name!r}: write letters, digits, _ and :, not beginning with a digit")
    if isinstance(labels, str):
        raise ValueError(f"{name}: labels={labels!r} is one text; write labels=({labels!r},)")
    for label in labels:
        if not isinstance(label, str) or not LABEL_NAME.fullmatch(label):
            raise ValueError(
                f"{name}: label name {label!r}: write letters, digits and _, beginning with neither"
                " a digit nor __"
            )
    if len(set(labels)) != len(labels):
        raise ValueError(f"{name}: labels {tuple(labels)!r} name one twice; write each once")


def check_buckets(name: str, buckets: Sequence[float]) -> tuple[float, ...]:
    """The finite bounds; ValueError unless they ascend. An infinite last one is implied and dropped."""
    bounds = tuple(_bound(name, bound) for bound in buckets)
    if bounds and bounds[-1] == math.inf:
        bounds = bounds[:-1]
    ascending = all(low < high for low, high in pairwise(bounds))
    if not bounds or not ascending or not all(map(math.isfinite, bounds)):
        raise ValueError(f"{name}: buckets {tuple(buckets)!r}: write ascending numbers, e.g. (0.1, 0.5, 1.0)")
    return bounds


def _bound(name: str, bound: object) -> float:
    if isinstance(bound, bool) or not isinstance(bound, (int, float)):
        raise ValueError(f"{name}: bucket {bound!r} is not a number; write e.g. 0.5")
    return float(bound)


def _below(owner: type, base: type) -> tuple[type, ...]:
    return owner.__mro__[: owner.__mro__.index(base)]


def _number(name: str, amount: object) -> float:
    if isinstance(amount, bool) or not isinstance(amount, (int, float)):
        raise TypeError(f"{name}: {amount!r} is {type(amount).__name__}; write a number")
    if not math.isfinite(amount):
        raise ValueError(f"{name}: {amount!r} can not be recorded; write a finite number")
    return float(amount)


def _label(metric: str, name: str, value: object) -> str:
    if not isinstance(value, (str, int)):
        raise TypeError(
            f"{metric}: label {name}={value!r} is {type(value).__name__}; write a str, int or bool"
        )
    return SURROGATE.sub("\ufffd", str(value)[:MAX_LABEL])
