"""No stream of requests, however long and hostile, makes more series than a cap says."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from meshext.series import MAX_LABEL
from meshext.testing import Harness
from meshext_filters.telemetry import Telemetry
from meshext_filters.telemetry.cardinality import OTHER, SeriesCap, ValueCap

values = st.text("abc", max_size=3)


@given(st.integers(1, 6), st.lists(values))
def test_a_label_has_no_more_values_than_its_cap_and_other(most: int, stream: list[str]) -> None:
    cap = ValueCap(most)
    shown = [cap.place(value) for value in stream]
    assert len(set(shown) - {OTHER, ""}) <= most
    first = list(dict.fromkeys(value for value in stream if value))[:most]
    assert shown == [value if value in first or not value else OTHER for value in stream]


@given(st.lists(values))
def test_a_list_of_values_is_the_cap(stream: list[str]) -> None:
    cap = ValueCap(100, ("a", "b"))
    assert [cap.place(value) for value in stream] == [
        value if value in ("a", "b", "") else OTHER for value in stream
    ]


streams = st.lists(st.tuples(values, values, values), max_size=300)


@given(st.integers(4, 20), st.tuples(st.booleans(), st.booleans(), st.booleans()), streams)
def test_a_metric_has_no_more_series_than_its_cap(
    most: int, is_open: tuple[bool, bool, bool], stream: list[tuple[str, str, str]]
) -> None:
    cap = SeriesCap(is_open, most)
    placed: dict[tuple[str, ...], tuple[str, ...]] = {}
    for each in stream:
        place = cap.place(each)
        assert place == each or OTHER in place
        assert placed.setdefault(each, place) == place or OTHER in place
    assert len({cap.place(each) for each in stream} | set(placed.values())) <= most


CONFIG = {
    "routes": ["/users/{id}", "/static/**"],
    "metrics": ["requests", "errors", "duration", "active", "request_size", "response_size"],
    "tags": [
        {"name": "tenant", "header": "x-tenant", "to": ["metrics", "log"], "max_values": 5},
        {"name": "page", "query": "page", "to": ["metrics"]},
        {"name": "kind", "header": "x-kind", "to": ["metrics"], "values": ["a", "b"]},
    ],
    "max_series": 20,
}
names = st.text("GETPOSTabc", min_size=1, max_size=5)
anything = st.text(st.characters(codec="latin-1", exclude_characters="\r\n\0"), max_size=300)


@settings(max_examples=15)
@given(st.lists(st.tuples(names, names, anything, anything), min_size=1, max_size=60))
def test_no_stream_of_requests_makes_more(stream: list[tuple[str, str, str, str]]) -> None:
    harness = Harness(Telemetry, CONFIG)
    for method, word, tenant, kind in stream:
        outcome = harness.request(
            method,
            f"/{word}/{len(tenant)}?page={word}",
            scheme=word,
            headers=[("x-tenant", tenant.strip() or "t"), ("x-kind", kind.strip() or "k")],
            attributes={"request.protocol": word},
        )
        assert outcome.failures == ()
    samples = harness.filter._metrics.samples()
    for name in {sample.name for sample in samples}:
        found = [dict(sample.labels) for sample in samples if sample.name == name]
        assert len(found) <= 20
        assert len({labels.get("tenant") for labels in found}) <= 7
        assert {labels.get("kind") for labels in found} <= {"a", "b", OTHER, None}
        assert all(len(value) <= MAX_LABEL for labels in found for value in labels.values())
    ended = [sample for sample in samples if sample.name == "http_server_request_duration_seconds"]
    assert sum(sample.count for sample in ended) == len(stream)
    assert harness.value("http_server_active_requests", http_request_method="GET", url_scheme="http") == 0
