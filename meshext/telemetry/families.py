"""Metrics as they are shown: families whose series already say which filter they are of.

A filter's metric is shown under its own name with the label `filter` in front; a label of that name which
the author wrote becomes `exported_filter`, as Prometheus itself does it. A counter's name ends in `_total`,
as OpenMetrics asks. Where a name is already taken by a metric of another kind or with other buckets, or
begins with `meshext_` as ours do, it gets the filter's name in front: `ab_routing_requests_total`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from meshext.exemplars import Exemplars, latest
from meshext.metrics import Metric, MetricRegistry
from meshext.series import OTHER, Key, Kind, Series

Spread = tuple[tuple[int, ...], float]
Definition = tuple[str, Kind, Key, tuple[float, ...]]
Shape = tuple[Kind, tuple[float, ...]]

MOST_SERIES = 10_000  # label sets that a family of dead workers keeps; later ones are added to "other"
RESERVED = "meshext_"
FILTER, EXPORTED = "filter", "exported_filter"
SUFFIXES: dict[Kind, Key] = {"counter": ("",), "gauge": ("",), "histogram": ("_bucket", "_count", "_sum")}


@dataclass(slots=True)
class Family:
    """One metric and its series: label values to a number, or to (bucket counts, sum), and to exemplars.

    `most` is how many series a total over workers shows beside that of "other", `most_values` how many values
    each label has beside "" and "other"; 0 is no cap, and () none at all.
    """

    name: str
    kind: Kind
    labels: Key = ()
    help: str = ""
    buckets: tuple[float, ...] = ()
    numbers: dict[Key, float] = field(default_factory=dict)
    spreads: dict[Key, Spread] = field(default_factory=dict)
    exemplars: dict[Key, Exemplars] = field(default_factory=dict)
    most: int = 0
    most_values: tuple[int, ...] = ()

    @property
    def definition(self) -> Definition:
        """What families must have in common to be added up."""
        return self.name, self.kind, self.labels, self.buckets

    @property
    def shape(self) -> Shape:
        """What all series of one name must have in common to be told apart."""
        return self.kind, self.buckets

    def empty(self) -> Family:
        """The same metric without series."""
        return Family(
            self.name,
            self.kind,
            self.labels,
            self.help,
            self.buckets,
            most=self.most,
            most_values=self.most_values,
        )

    def add(self, other: Family, *, most: float = math.inf) -> None:
        """Add another's series, of the same definition; beyond `most` label sets to those of "other"."""

        def place(key: Key) -> Key:
            series = self.numbers or self.spreads
            return key if key in series or len(series) < most else (OTHER,) * len(key)

        self.take(other, place)

    def take(self, other: Family, place: Callable[[Key], Key]) -> None:
        """Add another's series, of the same definition, each in the place that is said for it."""
        for key, number in other.numbers.items():
            at = place(key)
            self.numbers[at] = self.numbers.get(at, 0.0) + number
        for key, (counts, total) in other.spreads.items():
            at = place(key)
            before, so_far = self.spreads.get(at, ((0,) * len(counts), 0.0))
            summed = tuple(a + b for a, b in zip(before, counts, strict=True))
            self.spreads[at] = summed, so_far + total
        series = self.numbers or self.spreads
        for key, exemplars in other.exemplars.items():
            if (at := place(key)) in series:
                self.exemplars[at] = latest(self.exemplars.get(at, ()), exemplars)


Families = dict[Definition, Family]


def total(parts: Iterable[Families], *, most: float = math.inf) -> Families:
    """The sum over workers, in new families; gauges are added up too, as counts of workers."""
    summed: Families = {}
    for part in parts:
        for definition, family in part.items():
            summed.setdefault(definition, family.empty()).add(family, most=most)
    return summed


def keep(gone: Families, dead: Families) -> Families:
    """What is kept of workers that are gone, with one more of them: all but the gauges."""
    counts = {definition: family for definition, family in dead.items() if family.kind != "gauge"}
    return total([gone, counts], most=MOST_SERIES)


def newest_shapes(parts: Sequence[Families]) -> list[Families]:
    """Each name with one shape: after a reload that changed a metric, what counts is its newest one."""
    shapes = {family.name: family.shape for part in parts for family in part.values()}
    return [{key: each for key, each in part.items() if each.shape == shapes[each.name]} for part in parts]


def own_families(registry: MetricRegistry) -> list[Family]:
    """Families of the host's own registry, under their names."""
    return [copy_series(series, metric.name, metric.labels, ()) for metric, series in declared(registry)]


def filter_families(registries: Sequence[tuple[str, MetricRegistry]]) -> list[Family]:
    """Families of (filter name, registry) pairs in chain order, which decides who gets a name first."""
    names = Names()
    return [
        copy_series(
            series,
            names.claim(name, metric),
            (FILTER, *(EXPORTED if label == FILTER else label for label in metric.labels)),
            (name,),
        )
        for name, registry in registries
        for metric, series in declared(registry)
    ]


class Names:
    """Who has which name; a text for Prometheus has one kind for each."""

    def __init__(self) -> None:
        self._taken: dict[str, tuple[str, Shape]] = {}

    def claim(self, filter_name: str, metric: Metric[object]) -> str:
        """The name under which a filter's metric is shown."""
        name, shape = shown_name(metric), (metric.kind, metric.buckets)
        if name.startswith(RESERVED) or not self._is_free(name, shape):
            name = f"{filter_name.replace('-', '_').replace('.', '_')}_{name}"
            name = name if not name[0].isdigit() else f"_{name}"
        for suffix in SUFFIXES[metric.kind]:
            self._taken.setdefault(name + suffix, (name, shape))
        return name

    def _is_free(self, name: str, shape: Shape) -> bool:
        wanted = (name, shape)
        return all(self._taken.get(name + suffix, wanted) == wanted for suffix in SUFFIXES[shape[0]])


def shown_name(metric: Metric[object]) -> str:
    """A counter's name ends in `_total`."""
    return metric.name if metric.kind != "counter" else metric.name.removesuffix("_total") + "_total"


def declared(registry: MetricRegistry) -> Iterable[tuple[Metric[object], Series]]:
    """Every metric of a registry with its series."""
    return ((metric, registry.declare(metric)) for metric in registry.metrics())


def copy_series(series: Series, name: str, labels: Key, first: Key) -> Family:
    """A family as it stands now, with label values `first` in front of each series'."""
    metric = series.metric
    family = Family(name, metric.kind, labels, metric.help, metric.buckets, most=metric.most)
    family.most_values = metric.most_values and (0,) * len(first) + metric.most_values
    family.numbers = {first + key: number for key, number in series.numbers.items()}
    family.spreads = {first + key: spread for key, spread in series.spreads.items()}
    family.exemplars = {first + key: exemplars for key, exemplars in series.exemplars.items()}
    return family


def by_definition(families: Iterable[Family]) -> Families:
    """A worker's families, those of one definition (a filter that is there twice) added up."""
    found: Families = {}
    for family in families:
        found.setdefault(family.definition, family.empty()).add(family)
    return found
