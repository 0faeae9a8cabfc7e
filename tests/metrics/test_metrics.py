"""Metrics: binding, labels, the cap, histograms, and merging registries."""

from __future__ import annotations

import math
import pickle
from collections.abc import Callable
from enum import StrEnum
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshext.errors import MeshextError
from meshext.metrics import Counter, Gauge, Histogram, Metric, MetricRegistry
from meshext.series import MAX_SERIES, Sample


class Plain:
    hits = Counter("hits_total", labels=("plan", "ok"), help="Hits.")
    total = Counter("total")
    open = Gauge("open", labels=("amount",))
    took = Histogram("took_seconds", buckets=(0.1, 1, 10))

    def __init__(self, registry: MetricRegistry) -> None:
        self._metrics = registry


class Slotted:
    __slots__ = ("_metrics",)

    hits = Counter("hits_total")

    def __init__(self, registry: MetricRegistry) -> None:
        self._metrics = registry


def made() -> tuple[Plain, MetricRegistry]:
    registry = MetricRegistry(Plain)
    return Plain(registry), registry


def test_on_the_class_it_is_the_definition_and_on_the_object_it_records() -> None:
    plain, registry = made()
    definition: Counter = Plain.hits
    assert definition.labels == ("plan", "ok")
    plain.hits.inc(plan="free", ok=True)
    plain.hits.inc(2.5, plan="free", ok=True)
    assert registry.value("hits_total", plan="free", ok=True) == 3.5
    assert registry.value("hits_total", plan="free", ok="True") == 3.5
    assert registry.value("hits_total", plan="paid", ok=0) == 0.0
    assert plain.hits is plain.hits


def test_two_objects_record_apart() -> None:
    (one, first), (_, second) = made(), made()
    one.total.inc()
    assert (first.value("total"), second.value("total")) == (1.0, 0.0)


def test_an_object_without_a_dict_records_too() -> None:
    registry = MetricRegistry(Slotted)
    Slotted(registry).hits.inc()
    assert registry.value("hits_total") == 1.0


def test_an_object_without_an_engine_says_what_to_use() -> None:
    with pytest.raises(MeshextError, match=r"Plain.total has nowhere to record.*Harness"):
        Plain.__new__(Plain).total.inc()


def test_gauges_go_up_and_down_and_a_label_may_be_called_amount() -> None:
    plain, registry = made()
    plain.open.set(5, amount="x")
    plain.open.inc(amount="x")
    plain.open.dec(2.5, amount="x")
    plain.open.dec(amount="y")
    assert (registry.value("open", amount="x"), registry.value("open", amount="y")) == (3.5, -1.0)


def test_unlabelled_metrics_are_there_from_the_start() -> None:
    registry = MetricRegistry(Plain)
    assert [(sample.name, sample.value) for sample in registry.samples()] == [
        ("total", 0.0),
        ("took_seconds", 0.0),
    ]
    assert [metric.name for metric in registry.metrics()] == ["hits_total", "total", "open", "took_seconds"]


@given(st.lists(st.floats(-1, 20) | st.sampled_from([0.1, 1.0, 10.0]), max_size=30))
def test_histograms_count_what_is_at_most_the_bound(numbers: list[float]) -> None:
    plain, registry = made()
    for number in numbers:
        plain.took.observe(number)
    (sample,) = [sample for sample in registry.samples() if sample.name == "took_seconds"]
    assert sample.buckets == tuple(
        (bound, sum(number <= bound for number in numbers)) for bound in (0.1, 1.0, 10.0, math.inf)
    )
    assert sample.count == sample.value == registry.value("took_seconds") == len(numbers)
    assert sample.sum == pytest.approx(float(sum(map(Fraction, numbers))), abs=1e-9)


def test_samples_are_ordered_by_label_values() -> None:
    plain, registry = made()
    for plan in ("b", "a"):
        plain.hits.inc(plan=plan, ok=1)
    assert registry.samples()[0] == Sample(
        name="hits_total", kind="counter", labels=(("plan", "a"), ("ok", "1")), value=1.0
    )


def test_too_many_label_sets_become_other() -> None:
    plain, registry = made()
    for number in range(MAX_SERIES + 5):
        plain.hits.inc(plan=number, ok=True)
    plain.hits.inc(plan=0, ok=True)
    assert registry.value("hits_total", plan="other", ok="other") == 5.0
    assert registry.value("hits_total", plan=0, ok=True) == 2.0
    assert len([sample for sample in registry.samples() if sample.name == "hits_total"]) == MAX_SERIES + 1


class Plan(StrEnum):
    FREE = "free"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Plan.FREE, "free"),
        (3, "3"),
        ("ü", "ü"),
        ("caf\udce9", "caf�"),
        ("\ud800", "�"),
        ("x" * 5000, "x" * 256),
    ],
)
def test_label_values_are_text_that_can_be_sent(value: str | int, text: str) -> None:
    plain, registry = made()
    plain.open.inc(amount=value)
    (sample,) = [sample for sample in registry.samples() if sample.name == "open"]
    assert sample.labels == (("amount", text),)
    assert registry.value("open", amount=value) == 1.0


def record(change: Callable[[Any], None]) -> Callable[[], None]:
    return lambda: change(made()[0])


@pytest.mark.parametrize(
    ("change", "error", "text"),
    [
        (record(lambda p: p.hits.inc()), ValueError, "hits_total: got labels []; write plan=..., ok=..."),
        (record(lambda p: p.hits.inc(plan="x")), ValueError, "write plan=..., ok=..."),
        (record(lambda p: p.total.inc(x=1)), ValueError, "total: got labels ['x']; write no labels"),
        (record(lambda p: p.total.inc(-1)), ValueError, "can not go down by -1; write a Gauge"),
        (record(lambda p: p.total.inc(math.nan)), ValueError, "write a finite number"),
        (record(lambda p: p.took.observe(math.inf)), ValueError, "write a finite number"),
        (record(lambda p: p.total.inc("1")), TypeError, "'1' is str; write a number"),
        (record(lambda p: p.total.inc(True)), TypeError, "True is bool; write a number"),
        (record(lambda p: p.open.set(1, amount=None)), TypeError, "amount=None is NoneType; write a str"),
        (record(lambda p: p.open.set(1, amount=1.5)), TypeError, "amount=1.5 is float"),
        (lambda: Counter("1st"), ValueError, "metric name '1st': write letters"),
        (lambda: Counter("a-b"), ValueError, "metric name 'a-b'"),
        (lambda: Counter("a\n"), ValueError, "metric name 'a\\n'"),
        (lambda: Counter("a", labels=("__x",)), ValueError, "label name '__x'"),
        (lambda: Counter("a", labels=("x:y",)), ValueError, "label name 'x:y'"),
        (lambda: Counter("a", labels="xy"), ValueError, "write labels=('xy',)"),
        (lambda: Counter("a", labels=("x", "x")), ValueError, "name one twice"),
        (lambda: Histogram("a", labels=("le",)), ValueError, "the label 'le'"),
        (lambda: Histogram("a", buckets=(1, 1)), ValueError, "write ascending numbers"),
        (lambda: Histogram("a", buckets=()), ValueError, "write ascending numbers"),
        (lambda: Histogram("a", buckets=(math.nan,)), ValueError, "write ascending numbers"),
        (lambda: MetricRegistry(Plain).value("x"), KeyError, "there are hits_total, total"),
    ],
)
def test_misuse_is_refused(change: Callable[[], object], error: type[Exception], text: str) -> None:
    with pytest.raises(error) as refused:
        change()
    assert text in str(refused.value.args[0])


def test_an_infinite_last_bucket_is_implied() -> None:
    assert Histogram("a", buckets=(1, math.inf)).buckets == (1.0,)


def test_one_name_has_one_definition() -> None:
    registry = MetricRegistry()
    registry.declare(Counter("a", labels=("x",)))
    registry.declare(Counter("a", labels=("x",), help="the same"))
    others: list[Metric[Any]] = [Counter("a"), Gauge("a", labels=("x",)), Histogram("a", labels=("x",))]
    for other in others:
        with pytest.raises(ValueError, match="defined twice"):
            registry.declare(other)


def test_a_subclass_may_replace_a_metric() -> None:
    class Other(Plain):
        total: Any = Gauge("another")

    assert [metric.name for metric in MetricRegistry(Other).metrics()] == [
        "hits_total",
        "open",
        "took_seconds",
        "another",
    ]


def test_workers_are_merged() -> None:
    merged = MetricRegistry()
    for worker in range(3):
        plain, registry = made()
        plain.hits.inc(worker + 1, plan="a", ok=1)
        plain.hits.inc(plan=worker, ok=1)
        plain.open.set(2, amount="x")
        plain.took.observe(0.5)
        merged.merge(pickle.loads(pickle.dumps(registry)))
    assert merged.value("hits_total", plan="a", ok=1) == 6.0
    assert merged.value("hits_total", plan=2, ok=1) == 1.0
    assert merged.value("open", amount="x") == 6.0
    (took,) = [sample for sample in merged.samples() if sample.name == "took_seconds"]
    assert (took.count, took.sum, took.buckets[1]) == (3, 1.5, (1.0, 3))


def test_merging_keeps_the_cap() -> None:
    merged = MetricRegistry()
    for worker in range(2):
        plain, registry = made()
        for number in range(MAX_SERIES):
            plain.open.inc(amount=f"{worker}-{number}")
        merged.merge(registry)
    assert merged.value("open", amount="other") == MAX_SERIES
