"""What workers ask of their parent is answered in a thread of its own, with its own asyncio loop.

The supervisor's main thread only watches over processes: it kills a stuck worker at once, however long
an answer here takes.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import threading
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar("T")

Serving = Callable[[socket.socket], Awaitable[None]]
"""Serves one worker over its socket, until the worker is gone."""

log = logging.getLogger("meshext.supervisor")

PATIENCE = 2.0  # seconds for the thread to end what it does


class ParentLoop:
    """The thread; `start`, use from any thread, `stop`."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="meshext-parent", daemon=True)
        self._tasks: set[asyncio.Task[Any]] = set()

    @property
    def running(self) -> bool:
        """Whether it was started and not yet stopped."""
        return self._thread.is_alive()

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def serve(self, serving: Serving, channel: socket.socket) -> None:
        """Let `serving` answer the worker at the other end; the socket is closed at its end."""

        async def whole() -> None:
            with channel:
                channel.setblocking(False)
                await serving(channel)

        self.spawn(whole())

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Let it run in the thread; a failure is logged."""
        self._loop.call_soon_threadsafe(self._begin, work)

    def call(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Run it in the thread; the caller takes its result."""
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def stop(self) -> None:
        """Cancel what runs and end the thread. May be called again, and without a start."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(PATIENCE)
        elif not self._loop.is_closed():
            self._loop.close()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
            self._loop.run_until_complete(self._cancel())
        finally:
            self._loop.close()

    async def _cancel(self) -> None:
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        with contextlib.suppress(asyncio.CancelledError):
            error = task.exception()
            if error is not None:
                log.error("what a worker asked of its parent failed", exc_info=error)
