"""The total over workers for OpenTelemetry, beside Prometheus: the same families, exported now and then.

They are totals already, and cumulative since this process began, so they go to the exporter as data points;
instruments of the SDK would count what they are told on top of that.
"""

from __future__ import annotations

import asyncio
import logging
import os
import re
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from opentelemetry.sdk.metrics import Exemplar
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    Gauge,
    Histogram,
    HistogramDataPoint,
    Metric,
    MetricsData,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
    Sum,
)
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

import meshext.exemplars
from meshext.series import Key
from meshext.telemetry import semantic_names
from meshext.telemetry.families import Family
from meshext.telemetry.hub import MetricsHub

if TYPE_CHECKING:
    from opentelemetry.sdk.metrics.export import MetricExporter
    from opentelemetry.sdk.resources import Resource

log = logging.getLogger("meshext.metrics")

CUMULATIVE = AggregationTemporality.CUMULATIVE
HEX = re.compile("[0-9a-f]{16}|[0-9a-f]{32}")
NANO = 1_000_000_000
INTERVAL = "OTEL_METRIC_EXPORT_INTERVAL"
SCOPE = InstrumentationScope("meshext")


class OtelTotals:
    """Exports what a hub gathers."""

    def __init__(self, hub: MetricsHub, exporter: MetricExporter, resource: Resource) -> None:
        self._hub = hub
        self._exporter = exporter
        self._resource = resource
        self._began = time.time_ns()

    async def run(self) -> None:
        """Export every OTEL_METRIC_EXPORT_INTERVAL milliseconds (60,000) until cancelled."""
        while True:
            await asyncio.sleep(interval())
            await self.export()

    async def export(self) -> None:
        """Export once; what goes wrong is in the log, and the next one has it all again."""
        families = await self._hub.gather()
        try:
            await asyncio.to_thread(self._exporter.export, self.convert(families))
        except Exception:
            log.exception("metrics were not exported")

    def close(self) -> None:
        """End an export that still waits for a collector that is away."""
        self._exporter.shutdown()

    def convert(self, families: Sequence[Family]) -> MetricsData:
        """Families as the SDK has them."""
        now = time.time_ns()
        metrics = [
            to_metric(family, self._began, now) for family in families if family.numbers or family.spreads
        ]
        return MetricsData([ResourceMetrics(self._resource, [ScopeMetrics(SCOPE, metrics, "")], "")])


def to_metric(family: Family, began: int, now: int) -> Metric:
    """One metric, under the name that OpenTelemetry has for it."""
    name, unit = semantic_names.to_metric(family.name)
    return Metric(name, family.help, unit, to_data(family, began, now))


def to_data(family: Family, began: int, now: int) -> Sum | Gauge | Histogram:
    """The data points of one family."""
    if family.kind == "histogram":
        return Histogram([to_histogram(family, key, began, now) for key in family.spreads], CUMULATIVE)
    points = [
        NumberDataPoint(named(family, key), began, now, number, exemplars_of(family, key))
        for key, number in family.numbers.items()
    ]
    return Gauge(points) if family.kind == "gauge" else Sum(points, CUMULATIVE, True)


def to_histogram(family: Family, key: Key, began: int, now: int) -> HistogramDataPoint:
    """One series of a histogram."""
    counts, amount = family.spreads[key]
    unknown: Any = None  # the least and the largest, which the protocol may leave out
    return HistogramDataPoint(
        named(family, key),
        began,
        now,
        sum(counts),
        amount,
        counts,
        family.buckets,
        min=unknown,
        max=unknown,
        exemplars=exemplars_of(family, key),
    )


def exemplars_of(family: Family, key: Key) -> list[Exemplar]:
    """The exemplars of one series, linked to their spans where they name any."""
    return [to_exemplar(each) for each in family.exemplars.get(key, ()) if each is not None]


def to_exemplar(exemplar: meshext.exemplars.Exemplar) -> Exemplar:
    """One exemplar: `trace_id` and `span_id` become the protocol's own fields."""
    labels = dict(exemplar.labels)
    trace, span = to_id(labels.pop("trace_id", "")), to_id(labels.pop("span_id", ""))
    return Exemplar(labels, exemplar.value, int(exemplar.seen * NANO), span, trace)


def to_id(text: str) -> int | None:
    """An id from its hexadecimal digits; None where they are none."""
    return int(text, 16) if HEX.fullmatch(text) else None


def named(family: Family, key: Key) -> Mapping[str, str | int]:
    """Labels as attributes, without empty ones."""
    return dict(
        semantic_names.to_attribute(label, value)
        for label, value in zip(family.labels, key, strict=True)
        if value
    )


def interval() -> float:
    """Seconds between two exports."""
    try:
        return max(float(os.environ.get(INTERVAL, "") or 60_000) / 1000, 0.05)
    except ValueError:
        return 60.0
