"""Calls on their way to a peer that answers in order, each with a deadline."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

from meshext.errors import StoreUnavailable

PATIENCE = 0.025  # seconds that a filter waits for its store

T = TypeVar("T")


async def handed_over(begin: Callable[[asyncio.Future[T]], None]) -> T:
    """Let a callback of the loop, which no hook's end interrupts, begin a call; the call's result."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()
    try:
        loop.call_soon(begin, future)
        return await future
    except BaseException:
        future.cancel()  # nobody waits for it any more
        raise


class Pipeline(Generic[T]):
    """Matches answers to calls by their order, and ends calls that wait too long.

    A call that was given up, by its deadline or by its caller, keeps its place: its answer still comes, and
    is dropped. Since the peer answers in order, one late call means that nothing behind it is answered
    either: the pipeline is `stalled` until the next answer, and callers should not add to it.

    The time of a call begins when it is sent: where our own loop was held up before, that is not the peer's
    fault. One timer serves all calls, since they end in the order in which they came.

    To be used from callbacks of the event loop alone. A hook may be interrupted between any two steps (it
    is overdue, see `meshext.engine.timed_watch`), and a call that has a place and is not sent would shift
    every later answer to somebody else: hooks hand their calls over with `handed_over`.
    """

    def __init__(self, peer: str, patience: float, on_stall: Callable[[], None]) -> None:
        self._peer = peer
        self._patience = patience
        self._on_stall = on_stall
        self._loop = asyncio.get_running_loop()
        self._sent: deque[asyncio.Future[T]] = deque()  # everything that an answer will come for
        self._due: deque[tuple[float, asyncio.Future[T]]] = deque()  # of those, what is not late yet
        self._unsent: list[asyncio.Future[T]] = []
        self._timer: asyncio.Handle | None = None
        self.stalled = False

    def __len__(self) -> int:
        return len(self._sent)

    def expect(self, future: asyncio.Future[T]) -> None:
        """The next answer is for this future; it ends with StoreUnavailable when that is late."""
        self._sent.append(future)
        self._unsent.append(future)

    def sent(self) -> None:
        """Everything expected so far is on its way: from now on it has its time."""
        deadline = self._loop.time() + self._patience
        self._due.extend([(deadline, future) for future in self._unsent])
        self._unsent.clear()
        if self._timer is None and self._due:
            self._timer = self._loop.call_at(deadline, self._look)

    def answer(self, result: T | BaseException) -> None:
        """Give the oldest call its answer; IndexError where nothing was asked."""
        future = self._sent.popleft()
        self.stalled = False
        if self._due and self._due[0][1] is future:
            self._due.popleft()
        if future.done():
            return
        if isinstance(result, BaseException):
            future.set_exception(result)
        else:
            future.set_result(result)

    def break_off(self, reason: str) -> None:
        """No more answers will come: end every call with StoreUnavailable."""
        futures, self._sent = self._sent, deque()
        self._due.clear()
        self._unsent.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for future in futures:
            if not future.done():
                future.set_exception(StoreUnavailable(f"{self._peer}: {reason}"))

    def _look(self) -> None:
        # Where the loop itself was held up, answers have arrived that their reader has yet to look at.
        self._timer = self._loop.call_soon(self._end_late)

    def _end_late(self) -> None:
        self._timer = None
        now = self._loop.time()
        late = False
        while self._due and self._due[0][0] <= now:
            _, future = self._due.popleft()
            late = True
            if not future.done():
                wait = f"no answer within {1000 * self._patience:g} ms"
                future.set_exception(StoreUnavailable(f"{self._peer}: {wait}"))
        if self._due:
            self._timer = self._loop.call_at(self._due[0][0], self._look)
        if late and not self.stalled:
            self.stalled = True
            self._on_stall()
