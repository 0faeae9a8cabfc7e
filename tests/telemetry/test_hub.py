"""One total over workers, whatever becomes of them."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meshext.errors import ProtocolError
from meshext.series import Kind
from meshext.telemetry.families import Family
from meshext.telemetry.frames import HEAD, LARGEST, decode_families, encode_family, frame
from meshext.telemetry.hub import MetricsHub
from meshext.telemetry.reporter import MetricsReporter

DEADLINE = 10.0


class Worker:
    """A reporter with one counter and one gauge, and its parent's task for it."""

    def __init__(self, hub: MetricsHub, push: float = 3600.0) -> None:
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        self.count, self.gauge = 0.0, 1.0
        self.more: list[Family] = []
        self.serving = asyncio.ensure_future(hub.serve(ours))
        self.reporter = MetricsReporter(theirs.detach(), [self.families], push=push)

    def families(self) -> list[Family]:
        return [
            Family("a_total", "counter", ("x",), "Help.", (), {("1",): self.count}),
            Family("now", "gauge", (), "", (), {(): self.gauge}),
            Family("took", "histogram", (), "", (0.5,), {}, {(): ((1, 0), 0.25)}),
            *self.more,
        ]

    def kill(self) -> None:
        """As SIGKILL does: nothing more is said."""
        for task in self.reporter._tasks:
            task.cancel()
        assert self.reporter._writer is not None
        self.reporter._writer.transport.abort()


@asynccontextmanager
async def workers(number: int, push: float = 3600.0) -> AsyncIterator[tuple[MetricsHub, list[Worker]]]:
    hub = MetricsHub()
    made = [Worker(hub, push) for _ in range(number)]
    for worker in made:
        await worker.reporter.start()
    await until(lambda: len(hub._links) == number and all(link.body for link in hub._links))
    try:
        async with asyncio.timeout(DEADLINE):
            yield hub, made
    finally:
        for worker in made:
            await worker.reporter.close()
            await worker.serving


async def until(condition: Callable[[], bool]) -> None:
    """Wait for what nobody tells."""
    async with asyncio.timeout(DEADLINE):
        while not condition():  # noqa: ASYNC110  # as said
            await asyncio.sleep(0.002)


async def seen(hub: MetricsHub) -> dict[str, float]:
    """Names and numbers of the total."""
    return {
        family.name: sum(family.numbers.values()) + sum(sum(counts) for counts, _ in family.spreads.values())
        for family in await hub.gather()
    }


def test_a_scrape_is_exact_without_waiting_for_a_push() -> None:
    async def scrape() -> None:
        async with workers(3) as (hub, (first, second, _)):
            first.count, second.count = 5, 6
            assert await seen(hub) == {"a_total": 11, "now": 3, "took": 3}
            first.count = 7
            assert await seen(hub) == {"a_total": 13, "now": 3, "took": 3}

    asyncio.run(scrape())


def test_what_a_killed_worker_counted_stays_and_its_gauges_go() -> None:
    async def kill() -> None:
        async with workers(2) as (hub, (first, second)):
            first.count, second.count = 5, 6
            await seen(hub)
            first.count = 100  # never told
            first.kill()
            await first.serving
            assert await seen(hub) == {"a_total": 11, "now": 1, "took": 2}

    asyncio.run(kill())


def test_a_worker_that_ends_in_order_loses_nothing() -> None:
    async def end() -> None:
        async with workers(2) as (hub, (first, _)):
            first.count = 5
            await first.reporter.close()
            await first.serving
            assert await seen(hub) == {"a_total": 5, "now": 1, "took": 2}

    asyncio.run(end())


def test_a_long_last_word_is_heard_to_the_end() -> None:
    async def end() -> None:
        async with workers(1) as (hub, (worker,)):
            many = Family("b_total", "counter", ("x",), "", (), {(f"{n:0200}",): 1.0 for n in range(20_000)})
            worker.reporter._sources = (lambda: [many],)
            await worker.reporter.close()
            await worker.serving
            assert (await seen(hub))["b_total"] == 20_000

    asyncio.run(end())


def test_a_push_comes_by_itself() -> None:
    async def push() -> None:
        async with workers(1, push=0.01) as (hub, (worker,)):
            worker.count = 5
            await until(lambda: b"5.0" in hub._links[0].body)
            worker.kill()
            await worker.serving
            assert (await seen(hub))["a_total"] == 5

    asyncio.run(push())


def test_a_stuck_workers_last_word_counts() -> None:
    async def stick() -> None:
        async with workers(2) as (hub, (first, second)):
            first.count, second.count = 5, 6
            await seen(hub)
            async with first.reporter._lock:  # it answers no more
                second.count = 10
                for _ in range(20):
                    hub._links[0].take(0, hub._links[0].body)
                loop = asyncio.get_running_loop()
                began = loop.time()
                assert (await seen(hub))["a_total"] == 15
                assert loop.time() - began < 2.0
            first.count = 20
            assert (await seen(hub))["a_total"] == 30

    asyncio.run(stick())


@pytest.mark.parametrize(
    "said",
    [
        HEAD.pack(LARGEST + 1, 0),
        HEAD.pack(3, 0) + b"abc",
        frame(0, b"[{}]"),
        frame(0, b'{"a": 1}'),
        frame(0, b"[" * 100_000),
        struct.pack(">I", 1),
    ],
)
def test_nonsense_of_one_worker_leaves_the_others_alone(said: bytes) -> None:
    async def speak() -> None:
        async with workers(1) as (hub, (worker,)):
            worker.count = 1
            ours, theirs = socket.socketpair()
            ours.setblocking(False)
            serving = asyncio.ensure_future(hub.serve(ours))
            await asyncio.sleep(0)
            theirs.sendall(said)
            assert (await seen(hub))["a_total"] == 1
            theirs.close()
            await serving
            assert (await seen(hub))["a_total"] == 1

    asyncio.run(speak())


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=20,
)


@given(
    st.fixed_dictionaries(
        {
            "name": st.just("a") | JSON,
            "kind": st.sampled_from(["counter", "gauge", "histogram"]) | JSON,
            "labels": st.just(["x"]) | JSON,
            "help": st.just("") | JSON,
            "buckets": st.just([1.0]) | JSON,
            "numbers": st.just([[["v"], 1.0]]) | JSON,
            "spreads": st.just([[["v"], [1, 2], 1.0]]) | JSON,
        }
    )
    | JSON
)
@settings(max_examples=300)
def test_families_are_checked_before_they_are_believed(family: object) -> None:
    import json

    try:
        (read,) = decode_families(json.dumps([family]).encode())
    except ProtocolError:
        return
    assert decode_families(f"[{encode_family(read)}]".encode()) == [read]


@given(st.dictionaries(st.text(), st.floats(allow_nan=False, allow_infinity=False)))
def test_a_family_survives_the_way(numbers: dict[str, float]) -> None:
    kind: Kind = "counter"
    family = Family("a_total", kind, ("x",), "Help\n.", (), {(key,): value for key, value in numbers.items()})
    assert decode_families(f"[{encode_family(family)}]".encode()) == [family]
