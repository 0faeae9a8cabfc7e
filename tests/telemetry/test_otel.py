"""OpenTelemetry's SDK as its environment variables say, and the total over workers as OTLP."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from typing import Any

import pytest
from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter
from opentelemetry.sdk.resources import Resource

from meshext.errors import MissingExtraError, OptionError
from meshext.exemplars import Exemplar
from meshext.telemetry import otel
from meshext.telemetry.families import Family
from meshext.telemetry.hub import MetricsHub
from meshext.telemetry.otel_metrics import OtelTotals
from tests.telemetry.collector import collecting

FAMILIES = [
    Family("a_total", "counter", ("x", "y"), "Help.", (), {("1", ""): 3.0, ("2", "z"): 4.0}),
    Family("now", "gauge", (), "", (), {(): 5.0}),
    Family("took", "histogram", ("x",), "", (0.5,), {}, {("1",): ((1, 2), 0.25)}),
]


def test_the_total_arrives_at_a_collector() -> None:
    with collecting() as collector:
        exporter = OTLPMetricExporter(endpoint=f"127.0.0.1:{collector.port}", insecure=True)
        totals = OtelTotals(MetricsHub(lambda: FAMILIES), exporter, Resource({"service.name": "mine"}))
        asyncio.run(totals.export())
        exporter.shutdown()
    assert collector.services == {"mine"}
    assert collector.numbers == {
        ("a_total", (("x", "1"),)): 3,
        ("a_total", (("x", "2"), ("y", "z"))): 4,
        ("now", ()): 5,
        ("took", (("x", "1"),)): 3,
    }


def test_exemplars_arrive_with_their_trace_and_span() -> None:
    linked = Exemplar(0.2, (("trace_id", "4b" * 16), ("span_id", "0f" * 8), ("user", "ann")), 1.5)
    families = [
        Family("a_total", "counter", (), "", (), {(): 3.0}, {}, {(): (linked,)}),
        Family("took", "histogram", (), "", (0.5,), {}, {(): ((1, 0), 0.2)}, {(): (linked, None)}),
    ]
    with collecting() as collector:
        exporter = OTLPMetricExporter(endpoint=f"127.0.0.1:{collector.port}", insecure=True)
        asyncio.run(
            OtelTotals(MetricsHub(lambda: families), exporter, Resource({"service.name": "mine"})).export()
        )
        exporter.shutdown()
    assert collector.exemplars == {
        ("a_total", ()): {("4b" * 16, "0f" * 8)},
        ("took", ()): {("4b" * 16, "0f" * 8)},
    }


def test_what_the_conventions_name_arrives_under_their_names() -> None:
    labels = ("filter", "http_request_method", "http_response_status_code", "error_type", "tenant")
    key = ("telemetry", "GET", "503", "503", "acme")
    family = Family(
        "http_server_request_duration_seconds", "histogram", labels, "", (0.5,), {}, {key: ((1, 0), 0.2)}
    )
    with collecting() as collector:
        exporter = OTLPMetricExporter(endpoint=f"127.0.0.1:{collector.port}", insecure=True)
        totals = OtelTotals(MetricsHub(lambda: [family]), exporter, Resource({"service.name": "mine"}))
        (metric,) = totals.convert([family]).resource_metrics[0].scope_metrics[0].metrics
        asyncio.run(totals.export())
        exporter.shutdown()
    assert (metric.name, metric.unit) == ("http.server.request.duration", "s")
    attributes: Any = (
        ("error.type", "503"),
        ("filter", "telemetry"),
        ("http.request.method", "GET"),
        ("http.response.status_code", 503),
        ("tenant", "acme"),
    )
    assert collector.numbers == {("http.server.request.duration", attributes): 1}


WORKER = """
import sys
from opentelemetry import metrics, trace
from meshext.telemetry.otel import WorkerOtel
otel = WorkerOtel()
otel.start()
trace.get_tracer("filter").start_span("mine").end()
metrics.get_meter("filter").create_counter("made").add(2)
otel.stop()
print("stopped")
"""


def run_worker(**env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", WORKER], env=env, capture_output=True, text=True, timeout=60, check=True
    )


def test_what_filters_trace_and_count_arrives_before_the_end() -> None:
    with collecting() as collector:
        endpoint = f"http://127.0.0.1:{collector.port}"
        done = run_worker(OTEL_EXPORTER_OTLP_ENDPOINT=endpoint)
        assert (done.stdout, done.stderr) == ("stopped\n", "")
        done = run_worker(OTEL_EXPORTER_OTLP_ENDPOINT=endpoint, OTEL_SERVICE_NAME="edge")
    assert [(span.name, span.service) for span in collector.spans] == [("mine", "meshext"), ("mine", "edge")]
    assert collector.numbers["made", ()] == 2
    assert collector.services == {"meshext", "edge"}


def test_the_environment_may_ask_for_none_and_for_the_console() -> None:
    done = run_worker(OTEL_TRACES_EXPORTER="console", OTEL_METRICS_EXPORTER="none")
    assert json.loads(done.stderr)["name"] == "mine"
    assert run_worker(OTEL_SDK_DISABLED="true").stderr == ""


@pytest.mark.timeout(60)
def test_a_collector_that_is_away_holds_nobody() -> None:
    done = run_worker(OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:1")
    assert done.stdout == "stopped\n"


def test_a_propagator_that_is_none() -> None:
    code = "from meshext.telemetry.otel import check_otel; check_otel()"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"OTEL_PROPAGATORS": "tracecontext,nonsense"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "OptionError: OTEL_* variables: Propagator nonsense not found." in done.stderr


def test_what_the_environment_can_not_have(monkeypatch: pytest.MonkeyPatch) -> None:
    otel.check_otel()
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")
    with pytest.raises(OptionError, match="OTEL_EXPORTER_OTLP_PROTOCOL='http/protobuf': write grpc"):
        otel.check_otel()
    monkeypatch.delenv("OTEL_EXPORTER_OTLP_PROTOCOL")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "soon")
    with pytest.raises(OptionError, match=r"OTEL_\* variables: could not convert string to float: 'soon'"):
        otel.open_span_exporter()
    monkeypatch.setattr(otel, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"--otel needs the 'otel' extra"):
        otel.check_otel()
