"""Tasks that last as long as the control plane does: one that fails is told, and begins again."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

PAUSE = 1.0  # seconds before a part that has failed begins again

log = logging.getLogger("meshext.controlplane")

Part = Callable[[], Coroutine[Any, Any, None]]


class Parts:
    """Keeps each part running. One that stayed ended would leave pushes, bans or the folder to themselves,
    and nobody would see it; `on_failure` is called when one begins again."""

    def __init__(self, on_failure: Callable[[], None], *, pause: float = PAUSE) -> None:
        self._on_failure = on_failure
        self._pause = pause
        self._tasks: list[asyncio.Task[None]] = []

    def start(self, part: Part) -> None:
        """Run it until `stop`, or until it ends by itself."""
        self._tasks.append(asyncio.create_task(self._keep(part)))

    async def stop(self) -> None:
        """End all of them."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _keep(self, part: Part) -> None:
        while True:
            try:
                return await part()
            except Exception:
                log.critical("a part of the control plane has failed and begins again", exc_info=True)
            await asyncio.sleep(self._pause)
            self._on_failure()
