"""A span for each exchange: whose child it is, what it says, and what is active in a hook."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from contextvars import copy_context

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from meshext import Filter, Request, Respond
from meshext.engine.current import TRACE
from meshext.engine.observer import InitialMetadata
from meshext.http.exchange import Exchange
from meshext.telemetry.host_metrics import HostMetrics
from meshext.telemetry.tracing import MOST_HOOKS, SLOW, TracingObserver
from tests.hosts.forging import body, headers, response_headers
from tests.telemetry.watching import chain_of, check_request, play_authz, play_proc

TRACE_ID, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
SAMPLED, UNSAMPLED = f"00-{TRACE_ID}-{PARENT}-01", f"00-{TRACE_ID}-{PARENT}-00"
OTHER = f"00-{'ab' * 16}-{'cd' * 8}-01"

provider = TracerProvider(shutdown_on_exit=False)
exporter = InMemorySpanExporter()
provider.add_span_processor(SimpleSpanProcessor(exporter))
tracer = provider.get_tracer("test")
seen: list[str] = []


class Plain(Filter):
    def on_request(self, request: Request) -> Respond | None:
        seen.append(TRACE.get())
        with tracer.start_as_current_span("mine"):
            what = request.headers.get("x-do")
        if what == "raise":
            raise ValueError("as asked")
        if what == "slow":
            time.sleep(SLOW)
        return Respond(403) if what == "stop" else None

    def on_complete(self, exchange: Exchange) -> None:
        tracer.start_span("at the end").end()


class Waiting(Filter):
    async def on_request(self, request: Request) -> None:
        await asyncio.sleep(0)
        tracer.start_span("awaited").end()


class Quick(Filter):
    def on_request(self, request: Request) -> None:
        pass


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    exporter.clear()
    seen.clear()
    yield
    assert not trace.get_current_span().get_span_context().is_valid


def spans(
    *messages: bytes, metadata: InitialMetadata = (), filters: Sequence[type[Filter]] = (Plain,)
) -> dict[str, ReadableSpan]:
    """What an ext_proc stream leaves, by name."""
    chain = chain_of(*filters)
    observer = TracingObserver([each.name for each in chain.needs], tracer=tracer)
    copy_context().run(asyncio.run, play_proc(chain, observer, messages, metadata))
    return {span.name: span for span in exporter.get_finished_spans()}


def parent_of(span: ReadableSpan) -> str:
    return trace.format_span_id(span.parent.span_id) if span.parent else ""


def test_envoys_call_says_whose_child_it_is() -> None:
    found = spans(headers(traceparent=OTHER), metadata=(("traceparent", SAMPLED), ("tracestate", "")))
    span = found["meshext proc"]
    assert trace.format_trace_id(span.context.trace_id) == TRACE_ID
    assert parent_of(span) == PARENT
    assert span.kind is SpanKind.SERVER
    assert dict(span.attributes or {}) == {
        "meshext.filters": ("plain",),
        "meshext.request_id": "some-id",
        "meshext.decision": "passed",
    }
    assert span.status.status_code is StatusCode.UNSET


def test_without_envoys_the_clients_own_context_counts() -> None:
    span = spans(headers(traceparent=OTHER))["meshext proc"]
    assert trace.format_trace_id(span.context.trace_id) == "ab" * 16
    assert parent_of(span) == "cd" * 8


@pytest.mark.parametrize("given", ["", "00-nonsense", f"00-{'0' * 32}-{PARENT}-01", "\x00"])
def test_without_any_a_trace_begins(given: str) -> None:
    span = spans(headers(traceparent=given))["meshext proc"]
    assert span.parent is None


def test_who_was_not_sampled_leaves_no_span() -> None:
    assert spans(headers(x_do="raise"), metadata=(("traceparent", UNSAMPLED),)) == {}
    assert seen == [TRACE_ID]  # its id is in the log all the same


def test_lines_of_one_name_are_read_as_the_recommendation_says() -> None:
    observer = TracingObserver(["plain"])
    assert observer.extract([("traceparent", SAMPLED), ("traceparent", SAMPLED)]) is None
    context = observer.extract([("traceparent", SAMPLED), ("tracestate", "a=1"), ("tracestate", b"b=2")])
    assert trace.get_current_span(context).get_span_context().trace_state.to_header() == "a=1,b=2"


def test_what_a_filter_traces_is_part_of_it() -> None:
    found = spans(headers(), filters=[Plain, Waiting])
    span = found["meshext proc"]
    for name in ("mine", "awaited", "at the end"):
        assert parent_of(found[name]) == trace.format_span_id(span.context.span_id)


def test_an_answer_is_told() -> None:
    span = spans(headers(x_do="stop"))["meshext proc"]
    said = dict(span.attributes or {})
    assert (said["meshext.decision"], said["meshext.filter"]) == ("answered", "plain")
    assert said["http.response.status_code"] == 403
    assert span.status.status_code is StatusCode.UNSET


def test_a_failed_hook_has_a_span_with_its_exception() -> None:
    found = spans(headers(x_do="raise"))
    hook, span = found["plain on_request"], found["meshext proc"]
    assert parent_of(hook) == trace.format_span_id(span.context.span_id)
    assert hook.status.status_code is span.status.status_code is StatusCode.ERROR
    (event,) = hook.events
    assert dict(event.attributes or {})["exception.message"] == "as asked"
    assert dict(hook.attributes or {})["error.type"] == "raised"


def test_a_slow_hook_has_a_span_of_its_length() -> None:
    hook = spans(headers(x_do="slow"))["plain on_request"]
    assert hook.start_time is not None
    assert hook.end_time is not None
    assert hook.end_time - hook.start_time >= SLOW * 1e9
    assert list(spans(headers(), filters=[Quick])).count("quick on_request") == 0


class Chunks(Filter):
    failure = "open"

    def on_request_chunk(self, request: Request, chunk: bytes, last: bool) -> None:
        raise ValueError("each time")


def test_many_chunks_leave_a_few_spans() -> None:
    chunks = [body(b"x", end=False)] * 50
    found = spans(headers(end=False), *chunks, filters=[Chunks])
    assert found["meshext proc"].attributes is not None
    names = [span.name for span in exporter.get_finished_spans()]
    assert names.count("chunks on_request_chunk") == MOST_HOOKS


@pytest.mark.parametrize(
    ("messages", "names"),
    [
        ([b"\xff"], {"meshext proc"}),
        ([response_headers(end=True)], set()),
        ([], set()),
    ],
)
def test_exchanges_that_no_filter_saw(messages: Sequence[bytes], names: set[str]) -> None:
    assert set(spans(*messages, filters=[Quick])) == names


def test_a_check_has_one_too_and_is_counted() -> None:
    chain = chain_of(Quick)
    metrics = HostMetrics(chain.needs)
    observer = TracingObserver(["quick"], metrics, tracer=tracer)
    copy_context().run(asyncio.run, play_authz(chain, observer, check_request(), (("traceparent", SAMPLED),)))
    (span,) = exporter.get_finished_spans()
    assert (span.name, parent_of(span)) == ("meshext authz", PARENT)
    (family,) = [each for each in metrics.families() if each.name == "meshext_exchanges_total"]
    assert family.numbers["authz", "passed", "", ""] == 1
