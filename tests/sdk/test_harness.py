"""The harness that filter authors write their tests with."""

from __future__ import annotations

import asyncio
import logging
import signal
import threading
import time
from dataclasses import dataclass, field
from time import time as now
from typing import Any

import pytest

from meshext import (
    ConfigError,
    Counter,
    Filter,
    HeaderError,
    Request,
    Respond,
    Response,
    SpecError,
    UndeclaredError,
)
from meshext.errors import HookOverdue, HookRaised
from meshext.testing import Harness, Peer, Reply, UpstreamRequest

log = logging.getLogger(__name__)


class ABRouting(Filter):
    attributes = ("source.port", "request.path", "response.code")
    metadata_namespaces = ("envoy.filters.http.jwt_authn",)

    @dataclass(frozen=True)
    class Config:
        header: str = "x-user-id"
        split: dict[str, int] = field(default_factory=dict)

    @dataclass
    class State:
        version: str = ""

    assigned = Counter("ab_assigned_total", labels=("version",))

    def __init__(self, config: Config) -> None:
        self.config = config

    def on_request(self, request: Request[State]) -> Respond | None:
        user = request.headers.get(self.config.header)
        if user is None:
            log.warning("no user at %s", request.path)
            return Respond(401, body="who are you?", details="no user")
        request.state.version = "v2" if user == "7" else "v1"
        request.headers["x-version"] = request.state.version
        self.assigned.inc(version=request.state.version)
        return None

    def on_response(self, response: Response[State]) -> None:
        response.headers["x-served-by"] = response.state.version
        response.set_metadata("version", response.state.version)


def test_an_exchange_from_both_ends() -> None:
    harness = Harness(ABRouting, {"split": {"v2": 100}})
    outcome = harness.request(headers={"x-user-id": "7"}, response=Reply(201, {"x-up": "1"}, b"made"))
    assert outcome.upstream is not None
    assert outcome.upstream.headers["x-version"] == "v2"
    assert (outcome.status, outcome.body, outcome.headers["x-served-by"]) == (201, b"made", "v2")
    assert outcome.answered_by == "upstream"
    assert outcome.metadata == {"meshext.ab-routing": {"version": "v2"}}
    assert harness.value("ab_assigned_total", version="v2") == 1
    assert harness.value("ab_assigned_total", version="v1") == 0
    assert [type(step.event).__name__ for step in outcome.steps] == [
        "RequestHeadersReceived",
        "ResponseHeadersReceived",
    ]


def test_an_answer_in_the_upstreams_place() -> None:
    outcome = Harness(ABRouting).request(target="/a?b")
    assert outcome.upstream is None
    assert (outcome.status, outcome.body, outcome.answered_by) == (401, b"who are you?", "filter")
    assert outcome.headers["content-type"] == "text/plain"
    assert outcome.details == "no_user"
    assert [(each.level, each.message, each.filter, each.hook) for each in outcome.logs] == [
        ("WARNING", "no user at /a", "ab-routing", "on_request")
    ]


def test_the_upstream_may_be_a_function() -> None:
    def upstream(request: UpstreamRequest) -> Reply:
        return Reply(404, body=f"{request.method} {request.path} {request.body!r}".encode())

    outcome = Harness(ABRouting).request(
        "POST", "/a?b", headers={"x-user-id": "1"}, body=b"x", response=upstream
    )
    assert (outcome.status, outcome.body) == (404, b"POST /a b'x'")


def test_configurations_are_checked_as_a_file_would_be() -> None:
    with pytest.raises(ConfigError, match="spilt"):
        Harness(ABRouting, {"spilt": {}})
    with pytest.raises(ConfigError, match="split"):
        Harness(ABRouting, {"split": {"v2": "many"}})
    with pytest.raises(ConfigError, match="not JSON serializable"):
        Harness(ABRouting, {"split": object()})
    assert Harness(ABRouting, "header: x-name").filter.config.header == "x-name"
    assert Harness(ABRouting, ABRouting.Config("x-name")).filter.config.header == "x-name"
    with pytest.raises(ConfigError, match="takes no configuration"):
        Harness(Sleeps, {"a": 1})
    with pytest.raises(SpecError):
        Harness(Filter)


class ReadsSurroundings(Filter):
    attributes = ("source.port", "request.path")
    metadata_namespaces = ("envoy.filters.http.jwt_authn",)

    def __init__(self) -> None:
        self.seen: list[Any] = []

    def on_request(self, request: Request) -> None:
        peer = request.peer
        self.seen = [peer.principal, peer.address, peer.tls, request.client_address, request.route]
        self.seen += [request.attribute("source.port"), request.attribute("request.path")]
        self.seen += [dict(request.metadata["envoy.filters.http.jwt_authn"]), request.id]


def test_what_envoy_would_tell_can_be_forged() -> None:
    harness = Harness(ReadsSurroundings)
    harness.request(
        target="/a?b",
        peer=Peer("spiffe://a/b", "10.0.0.1", True),
        client_address="10.0.0.2",
        route="r",
        attributes={"source.port": 7},
        metadata={"envoy.filters.http.jwt_authn": {"sub": "me"}},
        headers={"x-request-id": "id-1"},
    )
    assert harness.filter.seen == [
        "spiffe://a/b",
        "10.0.0.1",
        True,
        "10.0.0.2",
        "r",
        7,
        "/a?b",
        {"sub": "me"},
        "id-1",
    ]
    with pytest.raises(SpecError, match=r"source\.prot"):
        harness.request(attributes={"source.prot": 7})


class Undeclared(Filter):
    def on_request(self, request: Request) -> None:
        request.attribute("source.port")


def test_undeclared_use_fails_as_in_a_service() -> None:
    outcome = Harness(Undeclared).request(attributes={"source.port": 7})
    assert outcome.status == 500
    (failure,) = outcome.failures
    assert isinstance(failure.__cause__, UndeclaredError)
    assert "attributes = ('source.port',)" in str(failure)
    assert "Traceback" in outcome.logs[0].traceback


class TellsTime(Filter):
    def __init__(self) -> None:
        self.made = now()

    async def on_request(self, request: Request) -> None:
        count = await self.store.add("count", ttl=60)
        request.headers["x-times"] = f"{self.made} {time.time()} {now()} {time.time_ns()} {count}"


def times(harness: Harness) -> str:
    upstream = harness.request().upstream
    assert upstream is not None
    return upstream.headers["x-times"]


def test_time_stands_still_until_it_is_moved() -> None:
    real = time.time
    harness = Harness(TellsTime, now=1000.5)
    assert times(harness) == "1000.5 1000.5 1000.5 1000500000000 1"
    assert times(harness).endswith(" 2")
    harness.advance(59)
    assert times(harness).endswith("1059.5 1059.5 1059500000000 3")
    harness.advance(1.5)
    assert times(harness).endswith(" 1")  # the store's time has passed too
    assert time.time is real
    assert now is real
    assert harness.run(harness.store.get("count")) == b"1"
    with pytest.raises(ValueError, match="0 or more"):
        harness.advance(-1)
    with pytest.raises(ValueError, match="not frozen"):
        Harness(TellsTime).advance(1)


class Sleeps(Filter):
    time_limit = 0.05

    def on_request(self, request: Request) -> None:
        if request.path == "/loop":
            while True:
                pass
        if request.path == "/lock":
            lock = threading.Lock()
            lock.acquire()
            lock.acquire()


@pytest.mark.parametrize("path", ["/loop", "/lock"])
def test_a_hook_that_hangs_is_ended(path: str) -> None:
    outcome = Harness(Sleeps).request(target=path)
    assert outcome.status == 500
    assert isinstance(outcome.failures[0], HookOverdue)


def test_the_timer_signal_is_given_back() -> None:
    handler = signal.getsignal(signal.SIGALRM)
    left, interval = signal.getitimer(signal.ITIMER_REAL)
    Harness(Sleeps).request(target="/loop")
    assert signal.getsignal(signal.SIGALRM) is handler
    after, again = signal.getitimer(signal.ITIMER_REAL)
    assert again == interval
    assert (after > 0) == (left > 0)


def test_other_threads_may_use_it_too() -> None:
    outcomes: list[Any] = []
    thread = threading.Thread(target=lambda: outcomes.append(Harness(Sleeps).request()))
    thread.start()
    thread.join()
    assert outcomes[0].status == 200


def test_async_tests_await_an_exchange() -> None:
    harness = Harness(TellsTime)

    async def both() -> list[Any]:
        return [*await asyncio.gather(harness.exchange(), harness.exchange())]

    assert [outcome.status for outcome in asyncio.run(both())] == [200, 200]


class Fails(Filter):
    failure = "open"

    def on_request(self, request: Request) -> None:
        raise KeyError("user")


def test_failures_are_told_although_they_were_passed_over() -> None:
    outcome = Harness(Fails).request()
    assert outcome.status == 200
    assert isinstance(outcome.failures[0], HookRaised)
    assert "passed untouched: KeyError: 'user'" in outcome.logs[0].message


def test_a_chain_has_a_list_of_configurations() -> None:
    harness = Harness([Sleeps, ABRouting], [None, {"header": "x-name"}])
    assert harness.request(headers={"x-name": "7"}).headers["x-served-by"] == "v2"
    assert harness.value("ab_assigned_total", version="v2") == 1
    assert harness.plan.filters == ("sleeps", "ab-routing")
    with pytest.raises(ConfigError, match="2 filters take a list of 2"):
        Harness([Sleeps, ABRouting], {"header": "x-name"})


def test_unknown_metrics_list_those_there_are() -> None:
    with pytest.raises(KeyError, match="ab_assigned_total"):
        Harness(ABRouting).value("assigned")


def test_the_host_is_no_header() -> None:
    with pytest.raises(HeaderError, match="host="):
        Harness(Sleeps).request(headers={"Host": "a"})


def test_a_response_that_can_not_be_taken_back() -> None:
    class Breaks(Filter):
        def on_response_trailers(self, response: Response) -> None:
            raise RuntimeError

    outcome = Harness(Breaks).request(response=Reply(body=b"a", trailers={"x-t": "1"}))
    assert outcome.reset
    assert outcome.status == 200


class Chunky(Filter):
    def on_request_chunk(self, request: Request, chunk: bytes, last: bool) -> bytes | None:
        return b"[%s]" % chunk if chunk else None

    def on_response_chunk(self, response: Response, chunk: bytes, last: bool) -> bytes | Respond | None:
        return Respond(500) if chunk == b"bad" else None


def test_chunks_come_as_the_test_says() -> None:
    outcome = Harness(Chunky).request("POST", chunks=[b"a", b"", b"bc"], response=Reply(chunks=[b"x", b"y"]))
    assert outcome.upstream is not None
    assert outcome.upstream.body == b"[a][bc]"
    assert "content-length" not in outcome.upstream.headers
    assert outcome.body == b"xy"
    assert [type(step.event).__name__ for step in outcome.steps] == [
        "RequestHeadersReceived",
        *["RequestChunkReceived"] * 3,
        "ResponseHeadersReceived",
        *["ResponseChunkReceived"] * 2,
    ]


def test_a_chunk_can_cut_the_response_off() -> None:
    outcome = Harness(Chunky).request(response=Reply(chunks=[b"good", b"bad"]))
    assert (outcome.status, outcome.reset, outcome.answered_by) == (200, True, "upstream")


def test_a_websocket_is_a_stream_without_an_end() -> None:
    lines = {"connection": "upgrade", "upgrade": "websocket"}
    outcome = Harness(Chunky).request(headers=lines, response=Reply(101, chunks=[b"frame"]))
    assert (outcome.status, outcome.body) == (101, b"frame")
