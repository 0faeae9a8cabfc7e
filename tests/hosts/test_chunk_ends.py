"""Streams of chunks that end at any moment: nothing undecided is answered OK, and nothing is left."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import grpc
import grpc.aio
import pytest

from meshext import Exchange, Filter, Request, Response
from tests.hosts.forging import (
    DEADLINE,
    body,
    forging,
    headers,
    response_body,
    response_headers,
    settled,
)

completed: list[int | None] = []
waiting: list[str] = []


class Waits(Filter):
    """A chunk that says `wait` is waited with for ever."""

    time_limit = 60.0

    async def _look(self, chunk: bytes) -> None:
        if chunk == b"wait":
            waiting.append("here")
            try:
                await asyncio.Event().wait()
            finally:
                waiting.clear()

    async def on_request_chunk(self, request: Request, chunk: bytes, last: bool) -> None:
        await self._look(chunk)

    async def on_response_chunk(self, response: Response, chunk: bytes, last: bool) -> None:
        await self._look(chunk)

    def on_complete(self, exchange: Exchange) -> None:
        completed.append(exchange.request_size)


class WaitsDuplex(Waits):
    duplex = True


UP = [headers(end=False), body(b"some", end=False)]
DOWN = [*UP, body(b"", end=True), response_headers(), response_body(b"some", end=False)]


@pytest.mark.parametrize("cls", [Waits, WaitsDuplex])
@pytest.mark.parametrize("before", [UP, DOWN], ids=["request", "response"])
@pytest.mark.parametrize("how", ["between", "in the hook", "half-closed in the hook"])
def test_an_end_at_a_chunk(how: str, before: list[bytes], cls: type[Filter]) -> None:
    """The hook ends, `on_complete` runs once with what had flowed, and the stream never ends with OK."""
    completed.clear()

    async def run() -> None:
        async with forging(cls) as forger:
            assert await forger.is_well()
            await until(lambda: len(completed) == 1)
            tasks = len(asyncio.all_tasks())
            stream = forger.open()
            for message in before:
                await stream.write(message)
                assert await asyncio.wait_for(stream.read(), DEADLINE) is not grpc.aio.EOF
            if how != "between":
                await stream.write((body if before is UP else response_body)(b"wait", end=False))
                await until(lambda: bool(waiting))
            if how.startswith("half"):
                await stream.done_writing()
                reading = asyncio.ensure_future(stream.read())
                assert not (await asyncio.wait({reading}, timeout=0.05))[0]
            stream.cancel()
            await until(lambda: len(completed) == 2 and not waiting)
            assert completed[1] == 4
            await settled(tasks)

    asyncio.run(run())


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(DEADLINE):
        while not condition():  # noqa: ASYNC110  # nobody tells when it holds
            await asyncio.sleep(0.005)
