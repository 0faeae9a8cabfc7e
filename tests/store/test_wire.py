"""What supervisor and worker say about the store: every call comes through whole, and garbage ends it."""

from __future__ import annotations

import asyncio
import contextlib
import math
import socket
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meshext.errors import StoreError, StoreUnavailable
from meshext.limits import Algorithm, Limit, Outcome
from meshext.store import LONGEST_TTL, MAX_LIMITS, MemoryStore
from meshext.stores.fields import WireError
from meshext.stores.server import StoreServer
from meshext.stores.wire import (
    MAX_FRAME,
    OPERATIONS,
    FrameReader,
    Operation,
    pack_arguments,
    pack_error,
    pack_request,
    pack_result,
    unpack_reply,
    unpack_request,
)

TEXTS = st.text(st.characters())  # lone surrogates too
TTLS = st.none() | st.floats(1e-9, LONGEST_TTL)
INTEGERS = st.integers(-(2**63), 2**63 - 1)
LIMITS = st.builds(
    Limit,
    key=TEXTS,
    algorithm=st.sampled_from(get_args(Algorithm)),
    rate=st.integers(3, 10**9),
    window=st.floats(1e-6, 1e6),
    cost=st.integers(0, 3),
)
ARGUMENTS: dict[str, st.SearchStrategy[tuple[Any, ...]]] = {
    "get": st.tuples(TEXTS),
    "set": st.tuples(TEXTS, st.binary(), TTLS),
    "delete": st.tuples(TEXTS),
    "add": st.tuples(TEXTS, INTEGERS, TTLS),
    "compare_and_set": st.tuples(TEXTS, st.none() | st.binary(), st.binary(), TTLS),
    "take": st.tuples(st.lists(LIMITS, max_size=4).map(tuple)),
}
RESULTS: dict[str, st.SearchStrategy[Any]] = {
    "get": st.none() | st.binary(),
    "set": st.none(),
    "delete": st.none(),
    "add": INTEGERS,
    "compare_and_set": st.booleans(),
}
NUMBERS = st.integers(0, 2**32 - 1)


@st.composite
def requests(draw: st.DrawFn) -> tuple[int, Operation, tuple[Any, ...]]:
    operation = draw(st.sampled_from(list(OPERATIONS.values())))
    return draw(NUMBERS), operation, draw(ARGUMENTS[operation.name])


def packed(number: int, operation: Operation, arguments: tuple[Any, ...]) -> bytes:
    return pack_request(number, operation, pack_arguments(operation, arguments))


def whole(data: bytes) -> bytes:
    """The one frame in the bytes."""
    (frame,) = FrameReader().feed(data)
    return frame


@given(requests())
def test_a_request_comes_through(request: tuple[int, Operation, tuple[Any, ...]]) -> None:
    number, operation, arguments = request
    assert unpack_request(whole(packed(number, operation, arguments))) == request


@given(NUMBERS, st.sampled_from(list(RESULTS)), st.data())
def test_a_result_comes_through(number: int, name: str, data: st.DataObject) -> None:
    result, operation = data.draw(RESULTS[name]), OPERATIONS[name]
    reply = whole(pack_result(number, operation, result))
    assert unpack_reply(reply, lambda _: operation) == (number, result)


@pytest.mark.parametrize("error", [StoreError("a \udcff b"), StoreUnavailable("away")])
def test_an_error_comes_through(error: StoreError) -> None:
    number, raised = unpack_reply(whole(pack_error(7, error)), lambda _: OPERATIONS["get"])
    assert (number, type(raised), str(raised)) == (7, type(error), str(error))


def test_outcomes_come_through_without_their_limits() -> None:
    limit = Limit(key="a", algorithm="gcra", rate=1, window=1, cost=5)
    outcome = Outcome(allowed=False, limit=limit, remaining=1, reset_after=0.25, retry_after=math.inf)
    reply = whole(pack_result(1, OPERATIONS["take"], (outcome,)))
    assert unpack_reply(reply, lambda _: OPERATIONS["take"]) == (1, ((False, 1, 0.25, math.inf),))


def test_a_cost_beyond_64_bits_is_refused_all_the_same() -> None:
    limit = Limit(key="a", algorithm="gcra", rate=3, window=1, cost=10**30)
    _, _, ((read,),) = unpack_request(whole(packed(1, OPERATIONS["take"], ([limit],))))
    assert read.cost == 4


@given(st.lists(requests(), max_size=4), st.data())
def test_frames_are_found_however_they_are_cut(
    calls: list[tuple[int, Operation, tuple[Any, ...]]], data: st.DataObject
) -> None:
    stream = b"".join(packed(*call) for call in calls)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=6)))
    reader, frames = FrameReader(), []
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        frames += reader.feed(stream[start:end])
    assert [unpack_request(frame) for frame in frames] == calls


@st.composite
def garbage(draw: st.DrawFn) -> bytes:
    """Bytes of any kind, and requests with a few bytes changed, cut off or added."""
    if draw(st.booleans()):
        return draw(st.binary(max_size=60))
    data = bytearray(packed(*draw(requests())))
    for _ in range(draw(st.integers(1, 3))):
        data[draw(st.integers(0, len(data) - 1))] = draw(st.integers(0, 255))
    return bytes(data[: draw(st.integers(0, len(data)))]) + draw(st.binary(max_size=4))


@settings(max_examples=200)
@given(garbage())
def test_garbage_is_a_request_or_a_wire_error(data: bytes) -> None:
    with contextlib.suppress(WireError):
        read_all(data)


def read_all(data: bytes) -> None:
    for frame in FrameReader().feed(data):
        unpack_request(frame)


@settings(max_examples=200)
@given(st.binary(min_size=5, max_size=60), st.sampled_from(list(OPERATIONS.values())))
def test_garbage_is_a_reply_or_a_wire_error(frame: bytes, operation: Operation) -> None:
    with contextlib.suppress(WireError):
        unpack_reply(frame, lambda _: operation)


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ((MAX_FRAME + 1).to_bytes(4, "big"), f"a frame of {MAX_FRAME + 1} bytes"),
        ((4).to_bytes(4, "big"), "a frame of 4 bytes"),
        (bytes([0, 0, 0, 5, 0, 0, 0, 1, 99]), "no operation 99"),
        (bytes([0, 0, 0, 9, 0, 0, 0, 1, 6, 0, 0, 0, MAX_LIMITS + 1]), "65 limits in one call"),
        (bytes([0, 0, 0, 9, 0, 0, 0, 1, 1, 0, 0, 0, 1]), "ends within a field"),
        (bytes([0, 0, 0, 10, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0]), "goes on behind its last field"),
    ],
)
def test_what_is_no_call_is_named(data: bytes, text: str) -> None:
    with pytest.raises(WireError, match=text):
        read_all(data)


@settings(max_examples=50)
@given(garbage())
def test_garbage_ends_one_connection_and_nothing_else(data: bytes) -> None:
    async def check() -> None:
        server = StoreServer(MemoryStore())
        ours, theirs = socket.socketpair()
        serving = asyncio.create_task(server.serve(theirs))
        with ours:
            ours.sendall(data)
            ours.shutdown(socket.SHUT_WR)
            await asyncio.wait_for(serving, 5)
        assert serving.exception() is None

    asyncio.run(check())
