"""OpenTelemetry's SDK, set up from its own environment variables (the extra `otel`).

OTEL_EXPORTER_OTLP_* says where to, OTEL_TRACES_SAMPLER what is sampled where no caller decided, OTEL_BSP_*
and OTEL_METRIC_EXPORT_* how often, OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES who we are,
OTEL_TRACES_EXPORTER and OTEL_METRICS_EXPORTER `otlp`, `console` (to standard error) or `none`.
https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/

A worker traces, and exports what instruments filters make themselves; the process above the workers exports
the total of all workers' metrics.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from importlib.util import find_spec
from typing import TYPE_CHECKING

from meshext.errors import MissingExtraError, OptionError

if TYPE_CHECKING:
    from opentelemetry.sdk.metrics.export import MetricExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace.export import SpanExporter

PARTING = 2.0  # seconds for what is left to be sent at the end
EXPORTERS = ("otlp", "console", "none")
PROTOCOLS = ("grpc",)
CHECKS: Mapping[str, tuple[str, ...]] = {
    "OTEL_TRACES_EXPORTER": EXPORTERS,
    "OTEL_METRICS_EXPORTER": EXPORTERS,
    "OTEL_EXPORTER_OTLP_PROTOCOL": PROTOCOLS,
    "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": PROTOCOLS,
    "OTEL_EXPORTER_OTLP_METRICS_PROTOCOL": PROTOCOLS,
}
"""What these variables may say here; the SDK itself would pass over the rest in silence."""


def check_otel() -> None:
    """MissingExtraError without the extra, OptionError for an environment that asks for what is not here."""
    if find_spec("opentelemetry.sdk") is None or find_spec("opentelemetry.exporter") is None:
        raise MissingExtraError("otel", "--otel")
    for name, known in CHECKS.items():
        given = os.environ.get(name, "").strip().lower()
        if given and given not in known:
            raise OptionError(f"{name}={given!r}: write {' or '.join(known)}")
    with environment():
        import opentelemetry.propagate  # noqa: F401  # reads OTEL_PROPAGATORS when it is imported


@contextmanager
def environment() -> Iterator[None]:
    """A value of the environment that the SDK can not read is one line: OptionError."""
    try:
        yield
    except ValueError as error:
        raise OptionError(f"OTEL_* variables: {error}") from error


class WorkerOtel:
    """The SDK of a worker: `start` before filters are loaded, `stop` when the last exchange has ended."""

    def __init__(self) -> None:
        self._ends: list[Callable[[], object]] = []

    def start(self) -> None:
        """Make it the one that the OpenTelemetry API uses in this process."""
        from opentelemetry import metrics, trace
        from opentelemetry.sdk.metrics import MeterProvider
        from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor

        resource = describe_process()
        tracer_provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        if (spans := open_span_exporter()) is not None:
            tracer_provider.add_span_processor(BatchSpanProcessor(spans))
        trace.set_tracer_provider(tracer_provider)
        readers = []
        if (exporter := open_metric_exporter()) is not None:
            readers.append(PeriodicExportingMetricReader(exporter))
        meter_provider = MeterProvider(readers, resource=resource, shutdown_on_exit=False)
        metrics.set_meter_provider(meter_provider)
        self._ends = [tracer_provider.shutdown, meter_provider.shutdown]

    def stop(self, patience: float = PARTING) -> None:
        """Send what is left; a collector that is away holds nobody longer than that."""
        threads = [threading.Thread(target=end, daemon=True) for end in self._ends]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(patience / len(threads))


def describe_process() -> Resource:
    """Who we are; the environment's word comes first."""
    from opentelemetry.sdk.resources import Resource

    ours = Resource(
        {"service.name": "meshext", "service.version": version("meshext"), "process.pid": os.getpid()}
    )
    given = Resource.create()
    named = not str(given.attributes.get("service.name", "unknown_service")).startswith("unknown_service")
    return ours.merge(given) if named else given.merge(ours)


def open_span_exporter() -> SpanExporter | None:
    """What OTEL_TRACES_EXPORTER says."""
    kind = exporter_kind("OTEL_TRACES_EXPORTER")
    if kind == "none":
        return None
    if kind == "console":
        from opentelemetry.sdk.trace.export import ConsoleSpanExporter

        return ConsoleSpanExporter(out=sys.stderr)
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter

    with environment():
        return OTLPSpanExporter()


def open_metric_exporter() -> MetricExporter | None:
    """What OTEL_METRICS_EXPORTER says."""
    kind = exporter_kind("OTEL_METRICS_EXPORTER")
    if kind == "none":
        return None
    if kind == "console":
        from opentelemetry.sdk.metrics.export import ConsoleMetricExporter

        return ConsoleMetricExporter(out=sys.stderr)
    from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter

    with environment():
        return OTLPMetricExporter()


def exporter_kind(name: str) -> str:
    """The exporter that a variable names; the SDK as a whole may be switched off."""
    if os.environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return "none"
    return os.environ.get(name, "").strip().lower() or "otlp"
