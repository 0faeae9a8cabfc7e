"""Metrics of a filter: counters, gauges and histograms, written as class attributes.

    class Limits(Filter):
        refused = Counter("refused_total", labels=("plan",), help="Requests over their limit.")

        def on_request(self, request: Request) -> Respond | None:
            self.refused.inc(plan="free")

On the class an attribute is the definition; on a filter object it records into that object's registry
(`_metrics`, which the engine sets before `__init__`). Names follow the Prometheus data model
(https://prometheus.io/docs/concepts/data_model/). Label values are str, int or bool, written by `str()`; what
becomes of long and of many ones is said in `meshext.series`. Wrong labels and amounts raise ValueError, wrong
types TypeError.

`inc` of a counter and `observe` take an exemplar, labels that lead to where the number was seen, such as
`{"trace_id": "4bf9...", "span_id": "00f0..."}`: `self.took.observe(seconds, exemplar, plan="free")`.
Where a configuration chooses the labels, the metric is made in `__init__`:
`self.took = Histogram("took_seconds", labels=config.labels).of(self)`; `self.took.at(values)` is one series
of it, by the values in the order of the labels, to be kept and recorded to.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from itertools import pairwise
from types import MappingProxyType
from typing import Any, Generic, Self, TypeVar, overload

from meshext.errors import MeshextError
from meshext.exemplars import LABEL_NAME, build_exemplar
from meshext.series import MAX_SERIES, Key, Kind, Sample, Series

Bound = TypeVar("Bound")

DEFAULT_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

NO_CAPS: Mapping[str, int] = MappingProxyType({})

METRIC_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")


class Metric(Generic[Bound]):
    """What the three kinds have in common: a definition, bound to a registry by attribute access.

    `name` and `labels` are Prometheus names, `help` one line of text. `most` is how many label sets it has,
    1 to 1000, in each worker and in the total over workers; later ones are "other". `most_values` says the
    same of single labels: how many values one may have beside "" and "other". ValueError for illegal names.
    """

    kind: Kind
    buckets: tuple[float, ...] = ()

    def __init__(
        self,
        name: str,
        *,
        labels: Sequence[str] = (),
        help: str = "",  # noqa: A002  (the word of the Prometheus text format)
        most: int = MAX_SERIES,
        most_values: Mapping[str, int] = NO_CAPS,
    ) -> None:
        check_names(name, labels)
        if not 1 <= most <= MAX_SERIES:
            raise ValueError(f"{name}: most={most!r} is out of range; write 1 to {MAX_SERIES}")
        self.most = most
        self.most_values = check_most_values(name, labels, most_values)
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
        bound = self.of(instance)
        # Beside a descriptor without __set__ the instance's own dict wins: the next access costs nothing.
        if self._attribute and hasattr(instance, "__dict__"):
            vars(instance)[self._attribute] = bound
        return bound

    def of(self, owner: object) -> Bound:
        """The metric as a filter object records it, for one that is made in `__init__`."""
        registry = getattr(owner, "_metrics", None)
        if not isinstance(registry, MetricRegistry):
            raise MeshextError(
                f"{type(owner).__name__}.{self._attribute or self.name} has nowhere to record:"
                " the object was made by hand; write meshext.testing.Harness(...) in tests"
            )
        return self._bind(registry.declare(self))

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
        most: int = MAX_SERIES,
        most_values: Mapping[str, int] = NO_CAPS,
    ) -> None:
        super().__init__(name, labels=labels, help=help, most=most, most_values=most_values)
        self.buckets = check_buckets(name, buckets)
        if "le" in self.labels:
            raise ValueError(f"{name}: the label 'le' names a histogram's buckets; write another name")

    def _bind(self, series: Series) -> BoundHistogram:
        return BoundHistogram(series)


class _Recorder:
    """Writes to the series that the labels name, or to the one series that it was made for."""

    __slots__ = ("_key", "_series")

    def __init__(self, series: Series, key: Key | None = None) -> None:
        self._series = series
        self._key = key

    def at(self, values: Sequence[str | int | bool]) -> Self:
        """The same for one series alone, by label values in the order of the definition."""
        return type(self)(self._series, self._series.key_of(values))

    def _place(self, labels: Mapping[str, object]) -> Key:
        if self._key is None:
            return self._series.key(labels)
        if labels:
            raise ValueError(
                f"{self._series.metric.name}: `at` has said the labels; leave {sorted(labels)} out"
            )
        return self._key


class BoundCounter(_Recorder):
    """A counter of one filter object."""

    __slots__ = ()

    def inc(
        self, amount: float = 1, exemplar: Mapping[str, str] | None = None, /, **labels: str | int | bool
    ) -> None:
        """Count `amount` (not negative) more; `exemplar` says what for."""
        series = self._series
        number = _number(series.metric.name, amount)
        if number < 0:
            raise ValueError(f"{series.metric.name}: a counter can not go down by {amount!r}; write a Gauge")
        key = self._place(labels)
        shown = None if exemplar is None else build_exemplar(number, exemplar)
        series.write(key, number)
        if shown is not None:
            series.show(key, 0, shown)


class BoundGauge(_Recorder):
    """A gauge of one filter object."""

    __slots__ = ()

    def set(self, value: float, /, **labels: str | int | bool) -> None:
        """Let the gauge stand at `value`."""
        series = self._series
        number = _number(series.metric.name, value)
        series.numbers[series.place(self._place(labels))] = number

    def inc(self, amount: float = 1, /, **labels: str | int | bool) -> None:
        """Go up by `amount`."""
        number = _number(self._series.metric.name, amount)
        self._series.write(self._place(labels), number)

    def dec(self, amount: float = 1, /, **labels: str | int | bool) -> None:
        """Go down by `amount`."""
        number = _number(self._series.metric.name, amount)
        self._series.write(self._place(labels), -number)


class BoundHistogram(_Recorder):
    """A histogram of one filter object."""

    __slots__ = ()

    def observe(
        self, value: float, exemplar: Mapping[str, str] | None = None, /, **labels: str | int | bool
    ) -> None:
        """Record one number; it falls into the first bucket whose bound is not below it."""
        series = self._series
        number = _number(series.metric.name, value)
        key = self._place(labels)
        shown = None if exemplar is None else build_exemplar(number, exemplar)
        bucket = bisect_left(series.metric.buckets, number)
        series.observe(key, number, bucket)
        if shown is not None:
            series.show(key, bucket, shown)


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
            for key, exemplars in theirs.exemplars.items():
                series.add_exemplars(key, exemplars)


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


def check_most_values(name: str, labels: Sequence[str], most_values: Mapping[str, int]) -> tuple[int, ...]:
    """How many values each label may have, in the order of the labels, 0 for any; () without caps."""
    for label, most in most_values.items():
        if label not in labels:
            raise ValueError(f"{name}: most_values names {label!r}, which is none of its labels")
        if not 1 <= most <= MAX_SERIES:
            raise ValueError(f"{name}: most_values {label}={most!r} is out of range; write 1 to {MAX_SERIES}")
    return tuple(most_values.get(label, 0) for label in labels) if most_values else ()


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
