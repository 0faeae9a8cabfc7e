"""A client or an upstream that goes away, in every phase: one end is noted, and nothing is left behind."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from e2e.played import Link, PlayedUpstream, connect, played_upstream, request, response, status_of
from e2e.stage import Stage, staged, wait_for
from meshext.envoy.upstreams import parse_upstream
from meshext.plan import Mode

pytestmark = pytest.mark.envoy

CHUNKED = "transfer-encoding: chunked"
TIMES = 10
HELD = ("pid", "tasks", "sessions", "threads", "descriptors")
"""What a worker has as much of afterwards as before."""

STAGES: dict[str, tuple[Mode, str]] = {
    "authz": ("authz", "accounting.py:Checks"),
    "authz-bodies": ("authz", "accounting.py:ChecksBodies"),
    "proc": ("proc", "accounting.py:Completes"),
    "proc-bodies": ("proc", "accounting.py:CompletesBodies"),
}

Phase = Callable[[Stage, PlayedUpstream, str], Link | None]
"""Plays an exchange that breaks; a client whose end Envoy still owes it is given back."""


@pytest.fixture(scope="module")
def upstream() -> Iterator[PlayedUpstream]:
    with played_upstream() as played:
        yield played


@pytest.fixture(scope="module", params=list(STAGES))
def stage(request: pytest.FixtureRequest, upstream: PlayedUpstream) -> Iterator[Stage]:
    mode, spec = STAGES[request.param]
    with staged(spec, mode=mode, upstreams=(parse_upstream(f"played={upstream.address}"),)) as stage:
        while stage.stats("^cluster.meshext.upstream_cx_active$") < 2:  # one for each of Envoy's threads
            with ThreadPoolExecutor(16) as pool:
                list(pool.map(lambda _: account(stage), range(16)))
        yield stage


def client_before_the_check_is_answered(stage: Stage, upstream: PlayedUpstream, target: str) -> None:
    client = connect(stage.port)
    client.send(request("GET", target, "x-wait: 1"))
    stage.logged(f"waits {target}")
    client.reset()


def client_mid_request(stage: Stage, upstream: PlayedUpstream, target: str) -> None:
    client = connect(stage.port)
    client.send(request("POST", target, CHUNKED))
    client.chunk(b"some")
    if stage.sandbox.plan.mode == "proc":
        stage.logged(f"began {target}")
    if stage.sandbox.plan.request_body:  # Envoy holds it
        client.reset()
        return
    with upstream.accept() as served:
        served.head()
        client.reset()
        assert served.ended()


def client_while_the_upstream_thinks(stage: Stage, upstream: PlayedUpstream, target: str) -> None:
    client = connect(stage.port)
    client.send(request("GET", target))
    with upstream.accept() as served:
        served.head()
        client.reset()
        assert served.ended()


def client_mid_response(stage: Stage, upstream: PlayedUpstream, target: str) -> None:
    client = connect(stage.port)
    client.send(request("GET", target))
    with upstream.accept() as served:
        served.head()
        served.send(response(200, CHUNKED))
        served.chunk(b"some")
        if not stage.sandbox.plan.response_body:
            assert status_of(client.head()) == 200
            assert client.next_chunk() == b"some"
        client.reset()
        assert served.ended()


def client_before_trailers(stage: Stage, upstream: PlayedUpstream, target: str) -> None:
    client = connect(stage.port)
    client.send(request("GET", target))
    with upstream.accept() as served:
        served.head()
        served.send(response(200, CHUNKED, "trailer: x-end"))
        served.chunk(b"some")
        served.send(b"0\r\nx-end")
        client.reset()
        assert served.ended()


def upstream_mid_request(stage: Stage, upstream: PlayedUpstream, target: str) -> None:
    with connect(stage.port) as client:
        client.send(request("POST", target, CHUNKED))
        client.chunk(b"some")
        if stage.sandbox.plan.request_body:
            client.chunk(b"")
        served = upstream.accept()
        served.head()
        served.reset()
        assert status_of(client.head()) == 503


def upstream_instead_of_a_response(stage: Stage, upstream: PlayedUpstream, target: str) -> None:
    with connect(stage.port) as client:
        client.send(request("GET", target))
        served = upstream.accept()
        served.head()
        served.reset()
        assert status_of(client.head()) == 503


def upstream_mid_response(stage: Stage, upstream: PlayedUpstream, target: str) -> Link:
    return leave_mid_response(stage, upstream, target, b"4\r\nso")


def upstream_before_trailers(stage: Stage, upstream: PlayedUpstream, target: str) -> Link:
    return leave_mid_response(stage, upstream, target, b"0\r\nx-end")


def leave_mid_response(stage: Stage, upstream: PlayedUpstream, target: str, rest: bytes) -> Link:
    """What the client has begun to read ends there; what Envoy still held becomes an error of its own."""
    client = connect(stage.port)
    client.send(request("GET", target, "connection: close"))
    with upstream.accept() as served:
        served.head()
        served.send(response(200, CHUNKED) + b"4\r\nsome\r\n")
        held = stage.sandbox.plan.response_body
        if not held:
            assert status_of(client.head()) == 200
            assert client.next_chunk() == b"some"
        served.send(rest)
        served.reset()
        if held:
            assert status_of(client.head()) in (502, 503)
    return client


def ends_of(stage: Stage, phase: Phase) -> list[str]:
    """The targets whose end the filter was told."""
    ends = [line for line in stage.lines if f"ended /{phase.__name__}/" in line]
    return sorted(line.split(" ended ")[1].split()[0] for line in ends)


PHASES: list[Phase] = [
    client_before_the_check_is_answered,
    client_mid_request,
    client_while_the_upstream_thinks,
    client_mid_response,
    client_before_trailers,
    upstream_mid_request,
    upstream_instead_of_a_response,
    upstream_mid_response,
    upstream_before_trailers,
]


@pytest.mark.parametrize("phase", PHASES)
def test_nothing_is_left(phase: Phase, stage: Stage, upstream: PlayedUpstream) -> None:
    """`TIMES` times; ext_proc tells the filter of each end exactly once. Then the next exchange is fine."""
    before = account(stage)
    targets = [f"/{phase.__name__}/{number}" for number in range(TIMES)]
    owed = [phase(stage, upstream, target) for target in targets]
    assert all(link.ended() for link in owed if link)
    assert wait_for(lambda: held(account(stage)) == held(before)), (before, account(stage))
    if stage.sandbox.plan.mode == "proc":
        # The log is another way than the accounts': its lines may come behind them.
        assert wait_for(lambda: len(ends_of(stage, phase)) >= TIMES), ends_of(stage, phase)
        assert ends_of(stage, phase) == sorted(targets)
    with connect(stage.port) as client:
        client.send(request("GET", "/next"))
        with upstream.accept() as served:
            assert b"/next" in served.head()
            served.send(response(200, "content-length: 2") + b"ok")
            assert status_of(client.head()) == 200


def account(stage: Stage) -> dict[str, int]:
    """What the worker holds."""
    found: dict[str, int] = json.loads(stage.send(target="/account").text)
    return found


def held(account: dict[str, int]) -> dict[str, int]:
    return {name: account[name] for name in HELD}
