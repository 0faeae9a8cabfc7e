"""What Prometheus reads: names, labels, totals, in both of its formats."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from meshext import Counter, Filter, Gauge, Histogram, Request
from meshext.errors import ProtocolError
from meshext.metrics import MetricRegistry
from meshext.telemetry.exposition import render
from meshext.telemetry.families import (
    Family,
    by_definition,
    filter_families,
    keep,
    newest_shapes,
    total,
)
from meshext.telemetry.frames import decode_families, encode_family

OPENMETRICS = "application/openmetrics-text; version=1.0.0"
Lines = dict[tuple[str, tuple[tuple[str, str], ...]], float]


class Routing(Filter):
    seen = Counter("requests_total", labels=("plan", "filter"), help='All of "them".\nReally.')
    size = Histogram("size_bytes", buckets=(10.0, 100.0))
    open = Gauge("open")

    def on_request(self, request: Request) -> None:
        pass


class Limits(Filter):
    seen = Gauge("requests_total", help="Not what the other counts.")
    size = Histogram("size_bytes", buckets=(10.0,))
    bare = Counter("refused")
    ours = Counter("meshext_exchanges_total")

    def on_request(self, request: Request) -> None:
        pass


def families_of(*filters: type[Filter]) -> tuple[list[Filter], list[Family]]:
    made = [each() for each in filters]
    return made, filter_families([(each.name, each._metrics) for each in made])


def read(families: list[Family], accept: str = "") -> Lines:
    body, content_type = render(sorted(families, key=lambda family: family.definition), accept)
    assert content_type.startswith("application/openmetrics-text" if accept else "text/plain")
    parse = parse_openmetrics if accept else parse_text
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for metric in parse(body.decode())
        for sample in metric.samples
    }


@pytest.mark.parametrize("accept", ["", OPENMETRICS])
def test_a_filters_metrics_say_whose_they_are(accept: str) -> None:
    routing = Routing()
    routing.seen.inc(2, plan='a "free"\n\\ one', filter="x")
    routing.size.observe(50)
    routing.size.observe(1000)
    lines = read(filter_families([("ab-routing", routing._metrics)]), accept)
    mine = ("filter", "ab-routing")
    labels = (("exported_filter", "x"), mine, ("plan", 'a "free"\n\\ one'))
    assert lines["requests_total", labels] == 2
    assert lines["size_bytes_bucket", (mine, ("le", "100.0"))] == 1
    assert lines["size_bytes_bucket", (mine, ("le", "+Inf"))] == 2
    assert lines["size_bytes_sum", (mine,)] == 1050
    assert lines["open", (mine,)] == 0


def test_a_name_that_is_taken_gets_the_filters_in_front() -> None:
    _, families = families_of(Routing, Limits)
    assert [family.name for family in families] == [
        "requests_total",
        "size_bytes",
        "open",
        "limits_requests_total",
        "limits_size_bytes",
        "refused_total",
        "limits_meshext_exchanges_total",
    ]
    assert [family.name for family in families_of(Limits, Routing)[1]][4:] == [
        "routing_requests_total",
        "routing_size_bytes",
        "open",
    ]


def test_a_filter_that_is_there_twice_is_one() -> None:
    (first, second), families = families_of(Routing, Routing)
    families = filter_families([("routing", first._metrics), ("routing", second._metrics)])
    assert len(families) == 6
    assert len(by_definition(families)) == 3


def test_the_dead_stay_in_counts_and_leave_gauges() -> None:
    (routing,), _ = families_of(Routing)
    assert isinstance(routing, Routing)
    routing.open.set(3)
    routing.seen.inc(plan="a", filter="b")
    routing.size.observe(1)
    dead = by_definition(filter_families([("routing", routing._metrics)]))
    gone = keep(keep({}, dead), dead)
    assert {family.name: family.numbers or family.spreads for family in gone.values()} == {
        "requests_total": {("routing", "a", "b"): 2.0},
        "size_bytes": {("routing",): ((2, 0, 0), 2.0)},
    }


def test_the_dead_never_fill_the_memory() -> None:
    family = Family("a_total", "counter", ("x",))
    gone = keep({}, {})
    for worker in range(12):
        family.numbers = {(f"{worker} {each}",): 1.0 for each in range(1000)}
        gone = keep(gone, {family.definition: family})
    (kept,) = gone.values()
    assert len(kept.numbers) == 10_001
    assert kept.numbers["other",] == 2000
    assert math.isclose(sum(kept.numbers.values()), 12_000)


def test_after_a_reload_the_newest_shape_counts() -> None:
    old = Family("a", "histogram", (), "", (1.0,), {}, {(): ((1, 0), 0.5)})
    new = Family("a", "gauge", (), numbers={(): 5.0})
    parts = newest_shapes([{old.definition: old}, {new.definition: new}])
    assert read(list(total(parts).values())) == {("a", ()): 5.0}


def test_an_accept_header_that_is_none() -> None:
    assert render([], "application/openmetrics-text; version=x")[1].startswith("text/plain")


def test_the_hosts_registry_is_not_touched() -> None:
    registry = MetricRegistry(Routing)
    families = filter_families([("routing", registry)])
    families[0].numbers["a", "b", "c"] = 1.0
    assert registry.value("requests_total", plan="b", filter="c") == 0


def test_exemplars_are_shown_to_those_who_ask_for_openmetrics() -> None:
    routing = Routing()
    trace = {"trace_id": "4bf92f3577b34da6a3ce929d0e0e4736"}
    routing.seen.inc(1, trace, plan="a", filter="b")
    routing.size.observe(50, trace)
    families = filter_families([("ab-routing", routing._metrics)])
    kept = total([by_definition(decode_families(f"[{', '.join(map(encode_family, families))}]".encode()))])
    ordered = sorted(kept.values(), key=lambda family: family.definition)
    body, _ = render(ordered, OPENMETRICS)
    parse: Any = parse_openmetrics
    found = {
        (sample.name, sample.labels.get("le")): sample.exemplar
        for metric in parse(body.decode())
        for sample in metric.samples
        if sample.exemplar
    }
    assert set(found) == {("requests_total", None), ("size_bytes_bucket", "100.0")}
    assert {(each.value, each.labels["trace_id"]) for each in found.values()} == {
        (1, trace["trace_id"]),
        (50, trace["trace_id"]),
    }
    assert "4bf92f35" not in render(ordered, "")[0].decode()


@pytest.mark.parametrize(
    ("family", "exemplars"),
    [
        (Family("open", "gauge", (), "", (), {(): 1.0}), [[[], [[1, [], 1]]]]),
        (Family("a", "counter", (), "", (), {(): 1.0}), [[[], [[1, [], 1]]]]),
        (Family("a_total", "counter", (), "", (), {(): 1.0}), [[[], [[1, [["a b", ""]], 1]]]]),
        (Family("a_total", "counter", (), "", (), {(): 1.0}), [[[], [[1, [["a", "b" * 200]], 1]]]]),
        (Family("a_total", "counter", (), "", (), {(): 1.0}), [[[], [None, None]]]),
        (Family("size", "histogram", (), "", (1.0,), {}, {(): ((1, 0), 1.0)}), [[[], [None]]]),
    ],
)
def test_exemplars_that_prometheus_could_not_read_are_refused(family: Family, exemplars: object) -> None:
    forged = {**json.loads(encode_family(family)), "exemplars": exemplars}
    with pytest.raises(ProtocolError):
        decode_families(json.dumps([forged]).encode())
