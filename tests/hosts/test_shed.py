"""What exceeds `--max-in-flight` is turned away, and nothing of it stays: task, exchange, memory, place."""

from __future__ import annotations

import asyncio
import gc
import logging
import sys
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from typing import ClassVar

import grpc.aio
import pytest

from meshext import Filter, Request, Respond
from meshext.hosts.ext_proc import Session
from tests.hosts.forging import DEADLINE, Forger, forging, headers, settled
from tests.hosts.test_forged_streams import check_request, until

LIMIT = 3
CROWD = 100
TIMES = 20


class Holds(Filter):
    """Holds what asks for it until it is let go."""

    time_limit = 60.0
    held: ClassVar[int]
    go: ClassVar[asyncio.Event]

    async def on_request(self, request: Request) -> Respond | None:
        if request.path == "/hold":
            Holds.held += 1
            await Holds.go.wait()
        return None


async def process(forger: Forger, path: bytes = b"/x") -> str:
    return (await forger.play([headers([(":path", path), (":method", b"GET")])])).status


async def check(forger: Forger, path: bytes = b"/x") -> str:
    return (await forger.check(check_request(path)))[0]


async def hang_up(forger: Forger) -> str:
    """A client that is gone before it reads that it is refused."""
    stream = forger.open()
    with suppress(grpc.aio.AioRpcError):  # the refusal was faster
        await stream.write(headers())
    stream.cancel()
    return "gone"


async def crowd(forger: Forger, ask: Callable[[Forger], Awaitable[str]], tasks: int) -> Counter[str]:
    """Many at once; when they are answered, no task and no exchange is left of them."""
    answers = Counter(await asyncio.gather(*(ask(forger) for _ in range(CROWD))))
    await settled(tasks)
    return answers


def account() -> tuple[int, int]:
    """Open exchanges of ext_proc, and Python's blocks."""
    gc.collect()
    return sum(type(each) is Session for each in gc.get_objects()), sys.getallocatedblocks()


@pytest.fixture
def unlogged() -> Iterator[None]:
    """grpcio logs a refusal that nobody was there to read any more, and pytest keeps each record."""
    logging.disable()
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.usefixtures("unlogged")
@pytest.mark.parametrize(
    ("ask", "expected"),
    [(process, "RESOURCE_EXHAUSTED"), (check, "RESOURCE_EXHAUSTED"), (hang_up, "gone")],
    ids=["ext_proc", "ext_authz", "gone"],
)
@pytest.mark.parametrize("hold", [process, check], ids=["behind ext_proc", "behind ext_authz"])
def test_nothing_of_it_is_left(
    hold: Callable[[Forger, bytes], Awaitable[str]],
    ask: Callable[[Forger], Awaitable[str]],
    expected: str,
) -> None:
    async def run() -> None:
        Holds.held, Holds.go = 0, asyncio.Event()
        async with forging(Holds, max_in_flight=LIMIT) as forger:
            assert await process(forger) == "OK"
            open_ones = [asyncio.ensure_future(hold(forger, b"/hold")) for _ in range(LIMIT)]
            await until(lambda: Holds.held == LIMIT)
            tasks = len(asyncio.all_tasks())
            await crowd(forger, ask, tasks)
            sessions, blocks = account()
            for _ in range(TIMES):
                assert await crowd(forger, ask, tasks) == {expected: CROWD}
            # What kept one object of each would double that; a busy machine tidies up late.
            await until(lambda: account()[0] <= sessions and account()[1] - blocks < CROWD * TIMES / 2)
            Holds.go.set()
            assert await asyncio.gather(*open_ones) == ["OK"] * LIMIT
            assert await asyncio.gather(*(process(forger) for _ in range(LIMIT))) == ["OK"] * LIMIT
            await asyncio.wait_for(forger.service.empty(), DEADLINE)

    asyncio.run(run())
