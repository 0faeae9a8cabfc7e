"""A wish to stop: the first one in order, the second one at once."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager


class Stop:
    """Who asks once is asked for patience; who asks twice gets the end. Of one event loop."""

    def __init__(self) -> None:
        self.wanted = asyncio.Event()
        self.hurried = asyncio.Event()

    def ask(self) -> None:
        """Stop, or stop at once."""
        if self.wanted.is_set():
            self.hurried.set()
        self.wanted.set()


@contextmanager
def asked_by_signals(stop: Stop) -> Iterator[None]:
    """SIGTERM and SIGINT ask, as long as the block runs; for the main thread only."""
    loop = asyncio.get_running_loop()
    numbers = (signal.SIGTERM, signal.SIGINT)
    for number in numbers:
        loop.add_signal_handler(number, stop.ask)
    try:
        yield
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)
