"""Work that lasts until somebody ends it: Ctrl-C, SIGTERM, or the end of our parent."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from meshext.lifeline import watch_parent

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Told:
    """Takes the signals while its context is open. `hurry` is called at the second one."""

    def __init__(self, *, parent: int, hurry: Callable[[], None]) -> None:
        self._parent = parent
        self._hurry = hurry
        self._asked = asyncio.Event()
        self._watching: asyncio.Task[None]

    async def __aenter__(self) -> Self:
        for number in SIGNALS:
            asyncio.get_running_loop().add_signal_handler(number, self._note)
        self._watching = asyncio.create_task(self._watch())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._watching.cancel()
        for number in SIGNALS:
            asyncio.get_running_loop().remove_signal_handler(number)

    async def before(self, work: asyncio.Future[Any]) -> bool:
        """Whether the work was done before somebody asked for the end; if not it is cancelled, and has ended.

        What the work raised is raised.
        """
        asking = asyncio.create_task(self._asked.wait())
        try:
            await asyncio.wait({work, asking}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            asking.cancel()
            if not work.done():
                work.cancel()
                await asyncio.wait({work})
        if work.cancelled():
            return False
        work.result()
        return True

    def _note(self) -> None:
        if self._asked.is_set():
            self._hurry()
        self._asked.set()

    async def _watch(self) -> None:
        await watch_parent(parent=self._parent)
        self._asked.set()
