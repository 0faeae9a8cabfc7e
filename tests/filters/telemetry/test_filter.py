"""The filter in process: what it counts, propagates, and writes to metadata."""

from __future__ import annotations

from typing import Any

import pytest
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, TraceState, use_span

from meshext import Filter, Request, Respond
from meshext.errors import UnsupportedError
from meshext.http.peer import Peer
from meshext.plan import build_plan
from meshext.testing import Harness, Reply
from meshext_filters.telemetry import Telemetry
from meshext_filters.telemetry.propagation import start_trace
from meshext_filters.telemetry.trace_context import parse_traceparent

JWT = "envoy.filters.http.jwt_authn"
TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
PARENT = f"00-{TRACE}-{SPAN}-01"
LABELS = {
    "http_request_method": "GET",
    "url_scheme": "http",
    "http_route": "/users/{id}",
    "network_protocol_version": "1.1",
}
OK = {**LABELS, "http_response_status_code": "200", "rpc_grpc_status_code": "", "error_type": ""}
HTTP1 = {"request.protocol": "HTTP/1.1"}
Made = dict[str, Any]


def made(**config: Any) -> Harness:
    return Harness(Telemetry, {"routes": ["/users/{id}"], **config})


def upstream(harness: Harness, **parts: Any) -> dict[str, list[str]]:
    """The headers that the upstream got."""
    seen: dict[str, list[str]] = {}

    def reply(request: Any) -> Reply:
        for name, value in request.headers.items():
            seen.setdefault(name, []).append(value)
        return Reply()

    outcome = harness.request("GET", "/users/7", response=reply, **parts)
    assert outcome.failures == ()
    return seen


def test_requests_errors_and_durations() -> None:
    harness = made()
    for status in (200, 200, 404, 503):
        harness.request("GET", "/users/7", response=Reply(status), attributes=HTTP1)
    assert harness.value("http_server_requests_total", **LABELS) == 4
    assert harness.value("http_server_request_duration_seconds", **OK) == 2
    failed = {**LABELS, "http_response_status_code": "503", "rpc_grpc_status_code": "", "error_type": "503"}
    assert harness.value("http_server_request_errors_total", **failed) == 1
    assert harness.value("http_server_request_duration_seconds", **failed) == 1
    missing = {**LABELS, "http_response_status_code": "404", "rpc_grpc_status_code": "", "error_type": ""}
    assert harness.value("http_server_request_errors_total", **missing) == 0
    assert harness.value("http_server_active_requests", http_request_method="GET", url_scheme="http") == 0


def test_an_answer_of_a_filter_behind_it_counts_too() -> None:
    class Refuse(Filter):
        def on_request(self, request: Request) -> Respond:
            return Respond(503)

    harness = Harness([Telemetry, Refuse], [{}, None])
    assert harness.request(attributes=HTTP1).status == 503
    labels = {**OK, "http_route": "other", "http_response_status_code": "503", "error_type": "503"}
    assert harness.value("http_server_request_errors_total", **labels) == 1


def test_what_is_not_usual_has_a_bounded_label() -> None:
    harness = made()
    harness.request("BREW", "/nowhere", scheme="coap", attributes={"request.protocol": "HTTP/9"})
    labels = {
        "http_request_method": "_OTHER",
        "url_scheme": "other",
        "http_route": "other",
        "network_protocol_version": "",
    }
    assert harness.value("http_server_requests_total", **labels) == 1


def test_the_sizes_of_bodies() -> None:
    harness = made(metrics=["request_size", "response_size"])
    harness.request("GET", "/users/7", body=b"12345", response=Reply(200, body=b"x" * 500), attributes=HTTP1)
    samples = {sample.name: sample for sample in harness.filter._metrics.samples()}
    assert set(samples) == {"http_server_request_body_size_bytes", "http_server_response_body_size_bytes"}
    assert [sample.sum for sample in samples.values()] == [5, 500]


def test_exemplars_lead_to_sampled_traces_only() -> None:
    harness = made()
    harness.request("GET", "/users/7", headers={"traceparent": PARENT[:-1] + "0"})
    assert [sample.exemplars for sample in harness.filter._metrics.samples() if sample.exemplars] == []
    harness.request("GET", "/users/7", headers={"traceparent": PARENT})
    shown = {
        sample.name: [dict(each.labels) for each in sample.exemplars if each]
        for sample in harness.filter._metrics.samples()
        if sample.exemplars
    }
    link = [{"trace_id": TRACE, "span_id": SPAN}]
    assert shown == {"http_server_requests_total": link, "http_server_request_duration_seconds": link}


def test_a_valid_context_goes_on_as_it_came() -> None:
    got = upstream(made(), headers=[("traceparent", PARENT), ("tracestate", "a=1"), ("tracestate", "b=2")])
    assert (got["traceparent"], got["tracestate"]) == ([PARENT], ["a=1", "b=2"])


def test_a_later_version_goes_on_in_ours() -> None:
    got = upstream(made(), headers={"traceparent": f"cc-{TRACE}-{SPAN}-05-more", "tracestate": "a=1"})
    assert (got["traceparent"], got["tracestate"]) == ([PARENT], ["a=1"])


def test_a_broken_tracestate_is_dropped_alone() -> None:
    got = upstream(made(), headers={"traceparent": PARENT, "tracestate": "a"})
    assert got["traceparent"] == [PARENT]
    assert "tracestate" not in got


@pytest.mark.parametrize("broken", [[], [PARENT, PARENT], ["00-0-0-0"]])
def test_without_a_valid_context_a_trace_begins(broken: list[str]) -> None:
    lines = [*(("traceparent", line) for line in broken), ("tracestate", "a=1")]
    got = upstream(made(), headers=lines)
    (parent,) = got["traceparent"]
    assert parent.startswith("00-")
    assert parent.endswith("-03")
    assert TRACE not in parent
    assert "tracestate" not in got
    got = upstream(made(trace={"start": False}), headers=lines)
    assert not {"traceparent", "tracestate"} & set(got)
    got = upstream(made(trace={"sample": 0}), headers=lines)
    assert got["traceparent"][0].endswith("-02")


def test_nothing_is_propagated_where_that_is_off() -> None:
    got = upstream(made(trace={"propagate": False}), headers={"traceparent": "x", "tracestate": "y"})
    assert (got["traceparent"], got["tracestate"]) == (["x"], ["y"])
    assert "traceparent" not in upstream(made(trace={"propagate": False}))


def test_the_share_of_sampled_traces() -> None:
    begun = [start_trace(0.3) for _ in range(10_000)]
    assert 2_700 < sum(each.sampled for each in begun) < 3_300
    assert len({each.trace_id for each in begun}) == 10_000
    assert all(parse_traceparent([each.to_traceparent()]) == each for each in begun)


def test_metadata_for_the_access_log() -> None:
    harness = made(tags=[{"name": "page", "query": "page"}, {"name": "secret-free", "header": "x-none"}])
    outcome = harness.request(
        "GET",
        "/users/7?page=2&token=abc",
        headers={"traceparent": PARENT},
        peer=Peer("spiffe://mesh.test/ns/shop/sa/web", "192.0.2.1", True),
    )
    assert outcome.metadata["meshext.telemetry"] == {
        "route": "/users/{id}",
        "target": "/users/7?page=2&token=<redacted>",
        "peer": "spiffe://mesh.test/ns/shop/sa/web",
        "trace_id": TRACE,
        "span_id": SPAN,
        "sampled": True,
        "page": "2",
    }
    assert "meshext.telemetry" not in made(log=False).request().metadata


TAGS: list[Made] = [
    {"name": "header", "header": "x-tenant"},
    {"name": "query", "query": "q"},
    {"name": "claim", "claim": "realm.tenant"},
    {"name": "list", "claim": "groups"},
    {"name": "number", "claim": "level"},
    {"name": "yes", "claim": "admin"},
    {"name": "map", "claim": "realm"},
    {"name": "other-claim", "claim": "sub", "provider": "other"},
    {"name": "port", "attribute": "source.port"},
    {"name": "principal", "peer": "principal"},
    {"name": "domain", "peer": "trust_domain"},
    {"name": "namespace", "peer": "namespace"},
    {"name": "account", "peer": "service_account"},
    {"name": "address", "peer": "address"},
    {"name": "late", "response_header": "x-cache"},
    {"name": "late-attribute", "attribute": "response.flags"},
]
CLAIMS = {
    "corp": {"sub": "ann", "realm": {"tenant": "acme"}, "groups": ["a", "b"], "level": 3, "admin": True}
}


def test_every_source_of_a_tag() -> None:
    harness = made(tags=TAGS)
    outcome = harness.request(
        "GET",
        "/users/7?q=b%C3%A4r&q=2",
        headers=[("x-tenant", "acme"), ("x-tenant", "Bearer abcdef")],
        metadata={JWT: CLAIMS},
        attributes={"source.port": 4711, "response.flags": 8},
        peer=Peer("spiffe://mesh.test/ns/shop/sa/web", "192.0.2.1", True),
        response=Reply(200, headers={"x-cache": "hit"}),
    )
    assert outcome.failures == ()
    shown = outcome.metadata["meshext.telemetry"]
    assert {name: shown.get(name) for name in (tag["name"] for tag in TAGS)} == {
        "header": "acme, <redacted>",
        "query": "bär",
        "claim": "acme",
        "list": "a,b",
        "number": "3",
        "yes": "true",
        "map": None,
        "other-claim": None,
        "port": "4711",
        "principal": "spiffe://mesh.test/ns/shop/sa/web",
        "domain": "mesh.test",
        "namespace": "shop",
        "account": "web",
        "address": "192.0.2.1",
        "late": "hit",
        "late-attribute": "8",
    }


def test_tags_as_labels() -> None:
    both: Made = {"to": ["metrics"]}
    harness = made(
        tags=[
            {"name": "enduser.tenant", "claim": "realm.tenant", **both},
            {"name": "cache", "response_header": "x-cache", "values": ["hit", "miss"], **both},
        ]
    )
    for cache in ("hit", "stale"):
        harness.request(
            "GET",
            "/users/7",
            metadata={JWT: CLAIMS},
            attributes=HTTP1,
            response=Reply(200, headers={"x-cache": cache}),
        )
    assert harness.value("http_server_requests_total", **LABELS, enduser_tenant="acme") == 2
    for shown in ("hit", "other"):
        labels = {**OK, "enduser_tenant": "acme", "cache": shown}
        assert harness.value("http_server_request_duration_seconds", **labels) == 1


def test_bytes_that_are_not_utf8_are_shown_as_such() -> None:
    harness = made(tags=[{"name": "tenant", "header": "x-tenant", "to": ["metrics", "log"]}])
    outcome = harness.request("GET", "/users/7", headers=[("x-tenant", "a\udcff")])
    assert outcome.failures == ()
    assert outcome.metadata["meshext.telemetry"]["tenant"] == "a\ufffd"


def test_a_name_of_ones_own_is_redacted_and_one_that_is_none_is_not() -> None:
    harness = made(
        redact=["email"],
        tags=[
            {"name": "mail", "claim": "email"},
            {"name": "user", "header": "x-auth-user", "plain": True},
        ],
    )
    outcome = harness.request(
        "GET",
        "/?email=a@b.test",
        headers={"x-auth-user": "ann"},
        metadata={JWT: {"c": {"email": "a@b.test"}}},
    )
    shown = outcome.metadata["meshext.telemetry"]
    assert (shown["mail"], shown["user"], shown["target"]) == ("<redacted>", "ann", "/?email=<redacted>")


def test_what_each_mode_carries() -> None:
    config = Telemetry.Config
    assert build_plan([Telemetry.needs(config())]).mode == "proc"
    assert build_plan([Telemetry.needs(config(metrics=("requests",)))]).mode == "authz"
    plan = build_plan([Telemetry.needs(config(metrics=("requests",), log=False))])
    assert (plan.response_headers, plan.metadata_namespaces) == (False, ())
    with pytest.raises(UnsupportedError, match="ext_authz has no on_response_trailers; use --mode proc"):
        build_plan([Telemetry.needs(config())], "authz")


@pytest.mark.parametrize("target", ["*", "/" + "a/" * 4000, "/%ff%00", "/x?" + "&" * 9000])
def test_odd_targets_are_counted(target: str) -> None:
    harness = made()
    outcome = harness.request("OPTIONS", target)
    assert outcome.failures == ()
    assert len(str(outcome.metadata["meshext.telemetry"]["target"])) <= 1024 + 10


def test_the_hosts_own_context_comes_first_with_its_tracestate() -> None:
    state = TraceState.from_header(["mine=1"])
    own = SpanContext(int("ab" * 16, 16), int("cd" * 8, 16), True, TraceFlags(1), state)
    with use_span(NonRecordingSpan(own)):
        got = upstream(made(), headers={"traceparent": PARENT, "tracestate": "a=1"})
    assert (got["traceparent"], got["tracestate"]) == ([f"00-{'ab' * 16}-{'cd' * 8}-01"], ["mine=1"])


def test_a_failure_lets_the_request_pass_uncounted() -> None:
    class Broken(Telemetry):
        name = "broken"

        def write_log(self, *_: Any) -> None:
            raise RuntimeError("as asked")

    harness = Harness(Broken, {})
    outcome = harness.request()
    assert outcome.status == 200
    assert [failure.kind for failure in outcome.failures] == ["raised"]
    assert [sample.value for sample in harness.filter._metrics.samples()] == []


@pytest.mark.parametrize(
    ("reply", "content_type", "code", "error"),
    [
        (Reply(200, trailers={"grpc-status": "0"}), "application/grpc", "0", ""),
        (Reply(200, trailers={"grpc-status": "14"}), "application/grpc+proto", "14", "UNAVAILABLE"),
        (Reply(200, trailers={"grpc-status": "5"}), "application/grpc", "5", ""),
        (Reply(200, headers={"grpc-status": "12"}), "application/grpc", "12", "UNIMPLEMENTED"),
        (Reply(200, trailers={"grpc-status": "99"}), "application/grpc", "other", ""),
        (Reply(200), "application/grpc", "", ""),
        (Reply(503), "application/grpc", "", "503"),
        (Reply(200, headers={"grpc-status": "14"}), "application/grpc-web+proto", "14", "UNAVAILABLE"),
        (Reply(200, headers={"grpc-status": "14"}), "Application/gRPC-Web-Text; x=y", "14", "UNAVAILABLE"),
        (Reply(200, headers={"grpc-status": "14"}), "text/plain", "", ""),
        (Reply(200, headers={"grpc-status": "14"}), "application/grpcish", "", ""),
    ],
)
def test_how_grpc_calls_end(reply: Reply, content_type: str, code: str, error: str) -> None:
    harness = made()
    outcome = harness.request(
        "GET", "/users/7", headers={"content-type": content_type}, attributes=HTTP1, response=reply
    )
    assert outcome.failures == ()
    labels = {
        **OK,
        "http_response_status_code": str(reply.status),
        "rpc_grpc_status_code": code,
        "error_type": error,
    }
    assert harness.value("http_server_request_duration_seconds", **labels) == 1
    assert harness.value("http_server_request_errors_total", **labels) == (1 if error else 0)
