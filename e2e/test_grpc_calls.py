"""gRPC calls of every kind through the filter: client and service speak as if nobody stood between."""

from __future__ import annotations

import queue
from collections.abc import Iterator
from typing import Any

import grpc
import pytest

from e2e.grpc_upstream import TRAILER, grpc_upstream
from e2e.raw import DEADLINE
from e2e.stage import Stage, staged
from meshext.envoy.upstreams import parse_upstream
from meshext.plan import Mode

pytestmark = pytest.mark.envoy

STAGES: dict[str, tuple[Mode, str]] = {
    "authz": ("authz", "passing.py:Decides"),
    "proc": ("proc", "passing.py:Watches"),
    "proc-with-trailers": ("proc", "passing.py:ReadsTrailers"),
}


@pytest.fixture(scope="module", params=list(STAGES))
def stage(request: pytest.FixtureRequest) -> Iterator[Stage]:
    mode, spec = STAGES[request.param]
    with (
        grpc_upstream() as address,
        staged(spec, mode=mode, upstreams=(parse_upstream(f"calls={address}"),)) as stage,
    ):
        yield stage


@pytest.fixture
def channel(stage: Stage) -> Iterator[Any]:
    """Untyped: messages are bytes as they are, and the stubs have no words for that."""
    with grpc.insecure_channel(f"127.0.0.1:{stage.port}") as channel:
        yield channel


def test_unary(channel: Any) -> None:
    answer, call = channel.unary_unary("/played.Echo/Unary").with_call(b"hello", timeout=DEADLINE)
    assert answer == b"hello"
    assert TRAILER in trailers(call)


def test_a_trailers_hook_has_its_say(channel: Any, stage: Stage) -> None:
    _, call = channel.unary_unary("/played.Echo/Unary").with_call(b"hello", timeout=DEADLINE)
    assert (("x-end", "response") in trailers(call)) == stage.sandbox.plan.response_trailers


def test_a_status_of_the_service_arrives_whole(channel: Any) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        channel.unary_unary("/played.Echo/Unary")(b"stop", timeout=DEADLINE)
    error: Any = caught.value
    assert (error.code(), error.details()) == (grpc.StatusCode.NOT_FOUND, "nothing of that name: 100%")
    assert TRAILER in trailers(error)


def test_a_denial_is_a_status(channel: Any) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        channel.unary_unary("/played.Echo/Unary")(b"", metadata=(("x-deny", "1"),), timeout=DEADLINE)
    error: Any = caught.value
    assert (error.code(), error.details()) == (grpc.StatusCode.PERMISSION_DENIED, "denied")


def test_server_streaming(channel: Any) -> None:
    call = channel.unary_stream("/played.Echo/Server")(b"x", timeout=DEADLINE)
    assert list(call) == [b"%d of x" % number for number in range(100)]
    assert TRAILER in trailers(call)


def test_client_streaming(channel: Any) -> None:
    messages = [b"%d" % number for number in range(100)]
    answer, call = channel.stream_unary("/played.Echo/Client").with_call(iter(messages), timeout=DEADLINE)
    assert answer == b",".join(messages)
    assert TRAILER in trailers(call)


def test_both_streaming_is_a_conversation(channel: Any) -> None:
    """Each answer is there before the next message is sent; then a status and trailers of the service."""
    said: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    call = channel.stream_stream("/played.Echo/Both")(iter(said.get, b""), timeout=DEADLINE)
    for number in range(100):
        said.put(b"message %d" % number)
        assert next(call) == b"message %d" % number
    said.put(b"stop")
    with pytest.raises(grpc.RpcError):
        next(call)
    said.put(b"")
    assert call.code() is grpc.StatusCode.NOT_FOUND
    assert TRAILER in trailers(call)


def test_large_messages(channel: Any) -> None:
    large = bytes(range(256)) * (12 << 10)  # 3 MiB; gRPC takes 4
    assert channel.unary_unary("/played.Echo/Unary")(large, timeout=DEADLINE) == large


def trailers(call: Any) -> list[tuple[str, str]]:
    return [(key, value) for key, value in call.trailing_metadata()]
