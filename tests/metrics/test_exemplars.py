"""Exemplars: recorded beside a number, kept as the latest of each bucket, and merged by time."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshext.exemplars import Exemplar, latest
from meshext.metrics import Counter, Histogram, MetricRegistry
from meshext.series import MAX_SERIES

TRACE = {"trace_id": "4bf92f3577b34da6a3ce929d0e0e4736", "span_id": "00f067aa0ba902b7"}


class Plain:
    hits = Counter("hits_total", labels=("plan",))
    took = Histogram("took_seconds", buckets=(0.1, 1))

    def __init__(self) -> None:
        self._metrics = MetricRegistry(Plain)


def test_each_bucket_has_its_latest_exemplar() -> None:
    plain = Plain()
    plain.took.observe(0.05, TRACE)
    plain.took.observe(0.07, {"trace_id": "b"})
    plain.took.observe(7, {"trace_id": "c"})
    plain.took.observe(8)
    (sample,) = [each for each in plain._metrics.samples() if each.name == "took_seconds"]
    assert sample.count == 4
    shown = [each and (each.value, dict(each.labels)) for each in sample.exemplars]
    assert shown == [(0.07, {"trace_id": "b"}), None, (7, {"trace_id": "c"})]


def test_a_counter_has_one() -> None:
    plain = Plain()
    plain.hits.inc(2, TRACE, plan="free")
    plain.hits.inc(plan="free")
    (sample,) = [each for each in plain._metrics.samples() if each.name == "hits_total"]
    assert sample.value == 3
    assert [each and (each.value, dict(each.labels)) for each in sample.exemplars] == [(2, TRACE)]


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        ({"trace id": "a"}, "exemplar label name 'trace id'"),
        ({"__trace": "a"}, "exemplar label name '__trace'"),
        ({"trace_id": "a" * 121}, "take 129 characters; at most 128"),
    ],
)
def test_labels_that_openmetrics_would_refuse_are_refused_and_nothing_is_counted(
    labels: Mapping[str, str], said: str
) -> None:
    plain = Plain()
    with pytest.raises(ValueError, match=said):
        plain.hits.inc(1, labels, plan="free")
    with pytest.raises(ValueError, match=said):
        plain.took.observe(1, labels)
    assert plain._metrics.value("hits_total", plan="free") == 0
    assert plain._metrics.value("took_seconds") == 0


def test_one_series_of_a_metric_that_a_configuration_made() -> None:
    plain = Plain()
    made = Counter("made_total", labels=("route", "tenant")).of(plain)
    one = made.at(("/users/{id}", "acme"))
    one.inc()
    one.inc(2, TRACE)
    assert plain._metrics.value("made_total", route="/users/{id}", tenant="acme") == 3
    with pytest.raises(ValueError, match=r"no values of the labels \('route', 'tenant'\)"):
        made.at(("/users/{id}",))
    with pytest.raises(ValueError, match=r"`at` has said the labels; leave \['route'\] out"):
        one.inc(route="/")


def test_exemplars_are_bounded_as_their_series_are() -> None:
    plain = Plain()
    for number in range(MAX_SERIES + 50):
        plain.hits.inc(1, {"trace_id": str(number)}, plan=str(number))
    series = plain._metrics.declare(Plain.hits)
    assert len(series.exemplars) == MAX_SERIES + 1
    assert series.exemplars["other",] == (series.exemplars["other",][0],)


def test_a_metric_may_have_a_smaller_cap() -> None:
    plain = Plain()
    made = Counter("made_total", labels=("route",), most=2).of(plain)
    for route in ("a", "b", "c", "d", "a"):
        made.inc(route=route)
    found = {sample.labels[0][1]: sample.value for sample in plain._metrics.samples() if sample.labels}
    assert found == {"a": 2, "b": 1, "other": 2}
    for most in (0, MAX_SERIES + 1):
        with pytest.raises(ValueError, match=f"made_total: most={most} is out of range; write 1 to 1000"):
            Counter("made_total", most=most)


def test_a_label_may_have_a_cap() -> None:
    plain = Plain()
    made = Counter("made_total", labels=("route", "user"), most_values={"user": 2}).of(plain)
    for route, user in (
        ("a", "x"),
        ("b", "y"),
        ("c", "z"),
        ("d", ""),
        ("e", "x"),
        ("c", "w"),
        ("c", "other"),
    ):
        made.inc(route=route, user=user)
    found = {
        tuple(value for _, value in sample.labels): sample.value
        for sample in plain._metrics.samples()
        if sample.name == "made_total"
    }
    assert found == {
        ("a", "x"): 1,
        ("b", "y"): 1,
        ("c", "other"): 3,
        ("d", ""): 1,
        ("e", "x"): 1,
    }
    with pytest.raises(ValueError, match="made_total: most_values names 'who', which is none of its labels"):
        Counter("made_total", labels=("user",), most_values={"who": 1})
    with pytest.raises(ValueError, match="most_values user=0 is out of range; write 1 to 1000"):
        Histogram("took", labels=("user",), most_values={"user": 0})


def test_merging_keeps_the_newest_of_each_bucket() -> None:
    one, other = Plain(), Plain()
    one.took.observe(0.05, {"trace_id": "old"})
    other.took.observe(0.06, {"trace_id": "new"})
    other.took.observe(5, {"trace_id": "far"})
    one._metrics.merge(other._metrics)
    (sample,) = [each for each in one._metrics.samples() if each.name == "took_seconds"]
    assert [each and dict(each.labels)["trace_id"] for each in sample.exemplars] == ["new", None, "far"]


exemplars = st.none() | st.builds(Exemplar, st.just(1.0), st.just(()), st.floats(0, 9))


@given(st.lists(st.tuples(exemplars, exemplars), min_size=1, max_size=4))
def test_the_latest_wins_in_whatever_order_registries_are_added(
    pairs: list[tuple[Exemplar | None, Exemplar | None]],
) -> None:
    one, other = zip(*pairs, strict=True)
    for a, b, kept in zip(one, other, latest(one, other), strict=True):
        seen = [each.seen for each in (a, b) if each is not None]
        assert (kept.seen if kept else None) == (max(seen) if seen else None)
