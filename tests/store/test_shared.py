"""The supervisor's memory seen from its workers: exact, in time, and gone when the supervisor is."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from meshext.errors import StoreUnavailable
from meshext.limits import Limit
from meshext.store import MAX_VALUE, MemoryStore
from meshext.stores.pipeline import PATIENCE
from meshext.stores.server import StoreServer
from meshext.stores.shared import SharedStore

pytestmark = pytest.mark.alone

PATIENT = 10.0  # seconds
ROOM = 0.1  # seconds that a busy machine may add to a promise

# A parent of its own process, which says when it serves.
PARENT = """
import asyncio, socket, sys
from meshext.store import MemoryStore
from meshext.stores.server import StoreServer
sock = socket.socket(fileno=int(sys.argv[1]))
sock.sendall(b"!")
asyncio.run(StoreServer(MemoryStore()).serve(sock))
"""


def limit(key: str = "a", rate: int = 100) -> Limit:
    return Limit(key=key, algorithm="fixed_window", rate=rate, window=1e6)


@asynccontextmanager
async def served(count: int = 1, patience: float = PATIENT) -> AsyncIterator[list[SharedStore]]:
    """Stores of several workers on one server."""
    server = StoreServer(MemoryStore())
    pairs = [socket.socketpair() for _ in range(count)]
    serving = [asyncio.create_task(server.serve(theirs)) for _, theirs in pairs]
    stores = [SharedStore(ours.detach(), patience=patience) for ours, _ in pairs]
    yield stores
    for store in stores:
        await store.close()
    await asyncio.wait_for(asyncio.gather(*serving), 5)


async def parent(patience: float = PATIENCE) -> tuple[asyncio.subprocess.Process, SharedStore]:
    """A parent process that serves, and its worker's store."""
    ours, theirs = socket.socketpair()
    with theirs:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", PARENT, str(theirs.fileno()), pass_fds=[theirs.fileno()]
        )
    await asyncio.to_thread(ours.recv, 1)
    return process, SharedStore(ours.detach(), patience=patience)


def test_workers_share_one_limit_exactly() -> None:
    async def check() -> None:
        async with served(3) as stores:
            outcomes = await asyncio.gather(*(store.take([limit()]) for _ in range(50) for store in stores))
            assert sum(outcome.allowed for (outcome,) in outcomes) == 100

    asyncio.run(check())


def test_many_calls_are_on_their_way_at_once_and_none_gets_anothers_answer() -> None:
    async def check() -> None:
        async with served() as (store,):
            values = [os.urandom(number % 50) for number in range(2000)]
            await asyncio.gather(*(store.set(f"{n}", value) for n, value in enumerate(values)))
            assert await asyncio.gather(*(store.get(f"{n}") for n in range(2000))) == values

    asyncio.run(check())


def test_calls_larger_than_the_sockets_buffers_come_through() -> None:
    async def check() -> None:
        async with served() as (store,):
            value = os.urandom(MAX_VALUE)
            await asyncio.gather(*(store.set(f"{n}", value) for n in range(20)))
            assert await asyncio.gather(*(store.get(f"{n}") for n in range(20))) == [value] * 20

    asyncio.run(check())


def test_a_caller_that_gave_up_costs_nobody_an_answer() -> None:
    async def check() -> None:
        async with served() as (store,):
            calls = [asyncio.create_task(store.add("n")) for _ in range(100)]
            await asyncio.sleep(0)
            await asyncio.sleep(0)  # they are sent
            for call in calls[::3]:
                call.cancel()
            results = await asyncio.gather(*calls, return_exceptions=True)
            assert [result for n, result in enumerate(results) if n % 3] == [
                n + 1 for n in range(100) if n % 3
            ]
            assert await store.get("n") == b"100"

    asyncio.run(check())


def test_a_parent_that_stands_still_costs_25_ms_once_and_is_used_again_when_it_goes_on() -> None:
    async def check() -> None:
        process, store = await parent()
        assert await store.add("n") == 1
        process.send_signal(signal.SIGSTOP)
        await asyncio.sleep(0)
        begin = time.perf_counter()
        with pytest.raises(StoreUnavailable, match="no answer within 25 ms"):
            await store.add("n")
        assert PATIENCE <= time.perf_counter() - begin < PATIENCE + ROOM
        begin = time.perf_counter()
        for _ in range(1000):
            with pytest.raises(StoreUnavailable, match="it does not answer"):
                await store.add("n")
        assert time.perf_counter() - begin < PATIENCE + ROOM
        process.send_signal(signal.SIGCONT)
        assert (
            await asyncio.wait_for(recovered(store), 1.0) == 3
        )  # the late call counted, none was sent twice
        process.kill()
        await process.wait()
        await store.close()

    asyncio.run(check())


async def recovered(store: SharedStore) -> int:
    while True:
        try:
            return await store.add("n")
        except StoreUnavailable:
            await asyncio.sleep(0.005)


def test_a_parent_that_dies_ends_calls_at_once() -> None:
    async def check() -> None:
        process, store = await parent(PATIENT)
        assert await store.get("a") is None
        process.send_signal(signal.SIGSTOP)
        waiting = asyncio.create_task(store.get("a"))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        process.kill()
        await process.wait()
        with pytest.raises(StoreUnavailable, match="it is gone"):
            await waiting
        with pytest.raises(StoreUnavailable, match="it is gone"):
            await store.get("a")
        await store.close()

    asyncio.run(check())


def test_a_worker_that_was_held_up_itself_blames_nobody() -> None:
    """Answers that are there when the loop runs again are in time."""

    async def check() -> None:
        process, store = await parent()
        assert await store.add("n") == 1
        call = asyncio.create_task(store.add("n"))
        await asyncio.sleep(0)
        await asyncio.sleep(0)  # it is sent
        time.sleep(4 * PATIENCE)  # noqa: ASYNC251  # as a hook that computes
        assert await call == 2
        process.kill()
        await process.wait()
        await store.close()

    asyncio.run(check())


def test_what_is_no_reply_ends_the_connection() -> None:
    async def check() -> None:
        ours, theirs = socket.socketpair()
        store = SharedStore(ours.detach(), patience=PATIENT)
        with theirs:
            call = asyncio.create_task(store.get("a"))
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            theirs.sendall(bytes([0, 0, 0, 5, 0, 0, 0, 99, 0]))
            with pytest.raises(StoreUnavailable, match="reply 99 to nothing that was asked"):
                await call
            assert theirs.recv(100).endswith(b"a")
            assert theirs.recv(100) == b""
        await store.close()

    asyncio.run(check())


def test_no_descriptor_is_a_store_that_is_away() -> None:
    async def check() -> None:
        store = SharedStore(999_999)
        with pytest.raises(StoreUnavailable, match="no connection"):
            await store.get("a")
        await store.close()

    asyncio.run(check())


def test_nothing_stays_behind() -> None:
    def descriptors() -> int:
        gc.collect()
        return len(os.listdir("/proc/self/fd"))

    async def use() -> None:
        async with served(2) as stores:
            for store in stores:
                await store.add("n")

    asyncio.run(use())
    before = descriptors()
    for _ in range(20):
        asyncio.run(use())
    assert descriptors() == before
