"""Traces from client to filter, as a collector sees them: Envoy's spans, ours, and the filter's own."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e.stage import wait_for
from e2e.watched import Served, ask, gateway, serving
from meshext.plan import Mode
from tests.telemetry.collector import Collector, Span, collecting

pytestmark = pytest.mark.envoy

SPEC = f"{Path(__file__).parent}/filters/watched.py:Watched"
CLIENT = "b7ad6b7169203331"
QUICK = {"OTEL_BSP_SCHEDULE_DELAY": "50", "OTEL_METRIC_EXPORT_INTERVAL": "200"}
Traced = tuple[Served, Collector]


def trace_of(mode: Mode, what: str) -> str:
    """A trace id that no other case uses."""
    return (mode + what).encode().hex().rjust(32, "0")


@pytest.fixture(scope="module")
def traced() -> Iterator[Traced]:
    """One service that traces and logs JSON, and its collector."""
    with collecting() as collector:
        env = {**QUICK, "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{collector.port}"}
        with serving(SPEC, "--otel", "--log-format", "json", **env) as served:
            yield served, collector


async def drive(mode: Mode, traced: Traced, folder: Path) -> None:
    """Requests through an Envoy that traces, and one through an Envoy that does not."""
    served, collector = traced

    async def get(url: str, target: str, what: str, flags: str) -> int:
        answer = await ask(url, target, traceparent=f"00-{trace_of(mode, what)}-{CLIENT}-{flags}")
        return answer.status

    async with gateway(SPEC, mode, served.port, folder / "t", collector.port) as url:
        assert await get(url, "/", "passed", "01") == 200
        assert await get(url, "/", "unsampled", "00") == 200
        assert await get(url, "/raise", "failed", "01") == 500
        wanted = {trace_of(mode, what) for what in ("passed", "failed")}
        done = lambda: wanted <= {span.trace for span in collector.spans if span.name == "ingress"}  # noqa: E731
        assert await asyncio.to_thread(wait_for, done)
    async with gateway(SPEC, mode, served.port, folder / "u") as url:
        assert await get(url, "/", "direct", "01") == 200


def spans_of(collector: Collector, mode: Mode, what: str) -> dict[str, Span]:
    """The spans of one trace by name, once ours has come."""
    trace = trace_of(mode, what)
    assert wait_for(
        lambda: any(span.trace == trace and span.name == f"meshext {mode}" for span in collector.spans)
    )
    return {span.name: span for span in collector.spans if span.trace == trace}


@pytest.mark.parametrize("mode", ["authz", "proc"])
def test_one_trace_from_the_client_to_the_filter(
    mode: Mode, traced: Traced, tmp_path_factory: pytest.TempPathFactory
) -> None:
    asyncio.run(drive(mode, traced, tmp_path_factory.mktemp("t")))
    served, collector = traced
    passed, failed, direct = (spans_of(collector, mode, what) for what in ("passed", "failed", "direct"))
    (egress,) = [span for name, span in passed.items() if name.endswith("egress")]
    ours = passed[f"meshext {mode}"]
    assert [passed["ingress"].parent, egress.parent, ours.parent, passed["inside"].parent] == [
        CLIENT,
        passed["ingress"].id,
        egress.id,
        ours.id,
    ]
    assert ours.attributes["meshext.filters"] == ["watched"]
    assert ours.attributes["meshext.decision"] == "passed"
    assert failed[f"meshext {mode}"].attributes["meshext.decision"] == "failed_closed"
    assert failed["watched on_request"].parent == failed[f"meshext {mode}"].id
    # An Envoy that does not trace passes the client's context on in the request alone.
    assert direct[f"meshext {mode}"].parent == CLIENT
    assert [span for span in collector.spans if span.trace == trace_of(mode, "unsampled")] == []
    check_log(served, trace_of(mode, "unsampled"))


def check_log(served: Served, trace: str) -> None:
    """Every line is JSON, and a hook's names what it belongs to."""
    lines = [json.loads(line) for line in served.lines]
    (line,) = [line for line in lines if line.get("trace_id") == trace]
    assert line["message"] == "saw\n/"
    assert (line["logger"], line["filter"], line["hook"]) == ("watched", "watched", "on_request")
    assert line["request_id"]


def test_the_total_is_exported_too(traced: Traced) -> None:
    served, collector = traced
    seen = "watched_seen_total", (("filter", "watched"),)
    whole = served.total("watched_seen_total")
    assert wait_for(lambda: collector.numbers.get(seen) == whole)
    assert collector.services == {"meshext"}
