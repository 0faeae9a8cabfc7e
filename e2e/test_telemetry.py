"""The telemetry filter behind the real Envoy: seen by an OpenTelemetry collector and a real Prometheus."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest
from cryptography import x509

from e2e.certificates import Authority
from e2e.grpc_upstream import grpc_upstream
from e2e.prometheus import Prometheus, prometheus, total
from e2e.stage import Stage, wait_for
from e2e.watched import Served, ask, gateway, serving
from meshext.envoy.upstreams import parse_upstream
from meshext.plan import Mode
from meshext.sandbox import EnvoyFilter, Setup
from meshext.sandbox.calls import find_example
from meshext.sandbox.client import Answer, send
from tests.ports import free_port
from tests.telemetry.collector import Collector, Span, collecting

pytestmark = pytest.mark.envoy

CLIENT = "b7ad6b7169203331"
QUICK = {"OTEL_BSP_SCHEDULE_DELAY": "50", "OTEL_METRIC_EXPORT_INTERVAL": "200"}
CONFIG: dict[str, Any] = {
    "routes": ["/users/{id}", "/static/**"],
    "tags": [{"name": "tenant", "header": "x-tenant", "to": ["metrics", "spans", "log"], "max_values": 3}],
}
MODES: tuple[Mode, ...] = ("authz", "proc")
ONLY: dict[Mode, dict[str, Any]] = {"authz": {"metrics": ["requests"]}, "proc": {}}
JWT_EXAMPLE = Path(__file__).parents[1] / "filters" / "examples" / "07_jwt_claims" / "filter.py"


def config_of(mode: Mode, **more: Any) -> str:
    return json.dumps({**CONFIG, **ONLY[mode], **more})


def trace_of(mode: Mode, what: str) -> str:
    """A trace id that no other case uses."""
    return (mode + what).encode().hex().rjust(32, "0")


def lines_of(answer: Answer, name: str) -> list[str]:
    """The lines of a header as the upstream got them."""
    return [value for key, value in json.loads(answer.text)["headers"] if key == name]


@contextmanager
def traced(mode: Mode, *options: str) -> Iterator[tuple[Served, Collector]]:
    """A service that exports spans and metrics to a collector."""
    with collecting() as collector:
        env = {**QUICK, "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{collector.port}"}
        config = ("--config", config_of(mode))
        with serving("telemetry", *config, "--otel", *options, **env) as served:
            yield served, collector


def span_of(collector: Collector, mode: Mode, trace: str) -> Span:
    """Our span of a trace, once it has come."""
    found: list[Span] = []

    def look() -> bool:
        found[:] = [span for span in collector.spans if (span.trace, span.name) == (trace, f"meshext {mode}")]
        return bool(found)

    assert wait_for(look)
    return found[0]


@pytest.mark.parametrize("mode", MODES)
def test_our_span_stands_between_client_and_upstream(
    mode: Mode, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("t")
    trace, unsampled = trace_of(mode, "direct"), trace_of(mode, "unsampled")
    twice = f"00-{trace_of(mode, 'twice')}-{CLIENT}-01"

    async def drive(port: int) -> tuple[Answer, Answer, Answer, Answer]:
        async with gateway("telemetry", mode, port, folder, config=config_of(mode)) as url:
            return (
                await ask(
                    url,
                    "/users/7?token=hidden&page=2",
                    traceparent=f"00-{trace}-{CLIENT}-01",
                    tracestate="a=1,b=2",
                    **{"x-tenant": "acme"},
                ),
                await ask(url, "/users/7", traceparent=f"00-{unsampled}-{CLIENT}-00", tracestate="a b"),
                await ask(url, "/nowhere", traceparent="00-broken", tracestate="a=1"),
                await asyncio.to_thread(send, url, "GET", "/", headers=[("traceparent", twice)] * 2),
            )

    with traced(mode) as (served, collector):
        sampled, silent, begun, doubled = asyncio.run(drive(served.port))
        ours = span_of(collector, mode, trace)
        assert ours.parent == CLIENT
        assert lines_of(sampled, "traceparent") == [f"00-{trace}-{ours.id}-01"]
        assert lines_of(sampled, "tracestate") == ["a=1,b=2"]
        check_attributes(mode, ours)
        assert lines_of(silent, "traceparent") == [f"00-{unsampled}-{CLIENT}-00"]
        assert lines_of(silent, "tracestate") == []
        (parent,) = lines_of(begun, "traceparent")
        first = span_of(collector, mode, parent.split("-")[1])
        assert (first.parent, parent) == ("", f"00-{first.trace}-{first.id}-03")
        assert lines_of(begun, "tracestate") == []
        assert [span for span in collector.spans if span.trace == unsampled] == []
        (parent,) = lines_of(doubled, "traceparent")
        assert trace_of(mode, "twice") not in parent
        third = span_of(collector, mode, parent.split("-")[1])
        check_exemplars(mode, collector, [ours, first, third])


def check_attributes(mode: Mode, span: Span) -> None:
    """What the span of the first request says."""
    said = span.attributes
    expected = {
        "http.request.method": "GET",
        "url.scheme": "http",
        "url.path": "/users/7",
        "url.query": "token=<redacted>&page=2",
        "http.route": "/users/{id}",
        "network.protocol.version": "1.1",
        "server.address": "127.0.0.1",
        "client.address": "127.0.0.1",
        "network.peer.address": "127.0.0.1",
        "tenant": "acme",
        "meshext.filters": ["telemetry"],
        **({"http.response.status_code": 200} if mode == "proc" else {}),
    }
    assert {name: said.get(name) for name in expected} == expected


def check_exemplars(mode: Mode, collector: Collector, spans: list[Span]) -> None:
    """The metrics over OTLP link to spans that were exported: the latest of each series and bucket."""
    ours, *others = [(span.trace, span.id) for span in spans]
    name = "http_server_requests_total" if mode == "authz" else "http.server.request.duration"

    def linked() -> set[tuple[str, str]]:
        found = [links for (metric, _), links in list(collector.exemplars.items()) if metric == name]
        return set().union(*found)

    assert wait_for(lambda: ours in linked() and set(others) & linked()), linked()
    assert linked() <= {ours, *others}


@pytest.mark.parametrize("mode", MODES)
def test_an_envoy_that_traces_has_the_last_word(mode: Mode, tmp_path_factory: pytest.TempPathFactory) -> None:
    trace = trace_of(mode, "envoy")

    async def drive(port: int, collector: Collector) -> Answer:
        folder = tmp_path_factory.mktemp("t")
        async with gateway("telemetry", mode, port, folder, collector.port, config=config_of(mode)) as url:
            answer = await ask(url, "/users/7", traceparent=f"00-{trace}-{CLIENT}-01")
            assert await asyncio.to_thread(
                wait_for, lambda: any(span.name == "ingress" for span in collector.spans)
            )
            return answer

    with traced(mode) as (served, collector):
        answer = asyncio.run(drive(served.port, collector))
        ours = span_of(collector, mode, trace)
        (parent,) = lines_of(answer, "traceparent")
        wanted = {ours.parent, parent.split("-")[2]}
        assert wait_for(lambda: wanted <= {span.id for span in collector.of("envoy")})


@pytest.mark.parametrize("mode", MODES)
def test_a_real_prometheus_reads_one_bounded_total_with_exemplars(
    mode: Mode, tmp_path_factory: pytest.TempPathFactory, require: Callable[[str, str], str]
) -> None:
    program = require("prometheus", "apt-get install prometheus")
    folder = tmp_path_factory.mktemp("t")

    async def drive(served: Served, shown: Prometheus) -> None:
        async with gateway("telemetry", mode, served.port, folder, config=config_of(mode)) as url:
            parent = f"00-{trace_of(mode, 'prom')}-{CLIENT}-01"
            for number in range(40):
                await ask(url, f"/users/{number}", traceparent=parent, **{"x-tenant": f"t{number}"})
            await ask(url, "/status/503", traceparent=parent)
        await asyncio.to_thread(check_total, mode, shown)

    with (
        serving("telemetry", "--config", config_of(mode), "--workers", "2") as served,
        prometheus(program, served.metrics_port, folder) as shown,
    ):
        asyncio.run(drive(served, shown))
        assert shown.target_error() == ""


def check_total(mode: Mode, shown: Prometheus) -> None:
    """What Prometheus has, once all requests have arrived there."""
    users = '{http_route="/users/{id}",filter="telemetry"}'
    assert wait_for(lambda: shown.number(f"sum(http_server_requests_total{users})") == 40)
    assert shown.number('sum(http_server_requests_total{http_route="other"})') == 1
    tenants = {each["metric"].get("tenant") for each in shown.query(f"http_server_requests_total{users}")}
    assert "other" in tenants
    assert len(tenants) <= 3 + 1  # over both workers
    found = shown.exemplars(f"http_server_requests_total{users}")
    if mode == "proc":
        count = f'http_server_request_duration_seconds_count{{http_response_status_code="200",{users[1:]}'
        assert wait_for(lambda: shown.number(f"sum({count})") == 40)
        errors = 'sum(http_server_request_errors_total{error_type="503"})'
        assert wait_for(lambda: shown.number(errors) == 1)
        assert shown.number("sum(http_server_active_requests)") == 0
        quantile = "histogram_quantile(0.9, sum by (le) (http_server_request_duration_seconds_bucket))"
        assert 0 < shown.number(quantile) < 10
        found += shown.exemplars(f"http_server_request_duration_seconds_bucket{users}")
        assert {each["seriesLabels"]["__name__"] for each in found} >= {
            "http_server_request_duration_seconds_bucket"
        }
    links = {
        (each["labels"]["trace_id"], each["labels"]["span_id"]) for one in found for each in one["exemplars"]
    }
    assert links == {(trace_of(mode, "prom"), CLIENT)}


def test_a_client_that_hangs_up_is_an_error_and_no_longer_active(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    async def drive(served: Served) -> None:
        async with gateway("telemetry", "proc", served.port, tmp_path_factory.mktemp("t")) as url:
            host, _, port = url.removeprefix("http://").rpartition(":")
            with socket.create_connection((host, int(port))) as client:
                client.sendall(b"GET /delay/20000 HTTP/1.1\r\nhost: x\r\n\r\n")
                active = lambda: served.total("http_server_active_requests") == 1  # noqa: E731
                assert await asyncio.to_thread(wait_for, active)
            errors = lambda: served.total("http_server_request_errors_total", error_type="no_response")  # noqa: E731
            assert await asyncio.to_thread(wait_for, errors)
            assert served.total("http_server_active_requests") == 0

    with serving("telemetry") as served:
        asyncio.run(drive(served))


def test_a_grpc_status_is_seen_where_http_says_200() -> None:
    port = free_port()
    with grpc_upstream() as address:
        upstream = parse_upstream(f"calls={address}")
        setup = Setup(specs=("telemetry",), upstreams=(upstream,), metrics=f"127.0.0.1:{port}")
        with closing(Stage(setup)) as stage:
            call_each(stage.port)
            check_codes(port)


def call_each(port: int) -> None:
    """One call of each end: OK, the caller's fault, ours."""
    seen = (("x-decided", "yes"),)
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        unary: Any = channel.unary_unary("/played.Echo/Unary")
        missing: Any = channel.unary_unary("/played.Echo/Nothing")
        assert unary(b"hello", metadata=seen, timeout=20) == b"hello"
        for call, message in ((unary, b"stop"), (missing, b"hello")):
            with pytest.raises(grpc.RpcError):
                call(message, metadata=seen, timeout=20)


def check_codes(port: int) -> None:
    """What is counted of them."""

    def counted(code: str, name: str = "http_server_request_duration_seconds_count", **labels: str) -> float:
        wanted = {"rpc_grpc_status_code": code, "http_response_status_code": "200", **labels}
        return total(port, name, **wanted)

    assert wait_for(lambda: [counted("0"), counted("5"), counted("12")] == [1, 1, 1])
    assert counted("12", error_type="UNIMPLEMENTED") == 1
    errors = {code: counted(code, "http_server_request_errors_total") for code in ("0", "5", "12")}
    assert errors == {"0": 0, "5": 0, "12": 1}


@pytest.mark.parametrize("mode", MODES)
def test_the_access_log_says_who_it_was(mode: Mode, tmp_path: Path, envoy_filter: EnvoyFilter) -> None:
    ours = Authority(tmp_path, "ours")
    server = ours.issue("server", [x509.DNSName("localhost")])
    friend = "spiffe://mesh.test/ns/shop/sa/web"
    client = ours.issue("client", [x509.UniformResourceIdentifier(friend)])
    tags = [{"name": "account", "peer": "service_account"}, {"name": "subject", "claim": "sub"}]
    proxy = envoy_filter(
        "telemetry",
        config={**CONFIG, **ONLY[mode], "tags": tags},
        mode=mode,
        tls=(str(server.certificate), str(server.key), str(ours.file)),
        jwt=find_example(str(JWT_EXAMPLE)).jwt,
    )
    (call,) = [each for each in find_example(str(JWT_EXAMPLE)).calls if each.name == "a reader reads"]
    answer = proxy.request(
        "GET",
        "/users/7?api_key=hidden",
        headers={"authorization": str(call.request.headers["authorization"])},
        tls=client.to_client(),
    )
    assert answer.status == 200
    line = proxy.wait_for_log("meshext.telemetry")
    metadata = json.loads(line[line.index("{") : line.rindex("}") + 1])["meshext.telemetry"]
    assert metadata["route"] == "/users/{id}"
    assert metadata["target"] == "/users/7?api_key=<redacted>"
    assert (metadata["peer"], metadata["account"], metadata["subject"]) == (friend, "web", "ann")
    assert f"00-{metadata['trace_id']}-{metadata['span_id']}-03" in answer.text
