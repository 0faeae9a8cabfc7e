"""How far a long replay is, on a terminal."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

if TYPE_CHECKING:
    from rich.progress import Progress as Bars

T = TypeVar("T")

STEP = 1 << 20  # bytes between two looks at the bar


class Progress:
    """Bars on stderr, gone when they are full; nothing at all where stderr is no terminal."""

    def __init__(self) -> None:
        self._bars: Bars | None = None
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import Progress as Bars

            self._bars = Bars(console=Console(stderr=True), transient=True)

    def __enter__(self) -> Self:
        if self._bars is not None:
            self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bars is not None:
            self._bars.stop()

    def reader(self, path: str) -> Callable[[int], None]:
        """What to tell the bytes that were read."""
        if self._bars is None or not os.path.isfile(path):
            return lambda _: None
        bars, task = self._bars, self._bars.add_task("reading", total=os.path.getsize(path))
        waiting = 0

        def advance(size: int) -> None:
            nonlocal waiting
            waiting += size
            if waiting >= STEP:
                bars.advance(task, waiting)
                waiting = 0

        return advance

    def through(self, items: Iterable[T], total: int) -> Iterator[T]:
        """The same items, counted."""
        if self._bars is None:
            yield from items
            return
        task: Any = self._bars.add_task("replaying", total=total)
        for item in items:
            yield item
            self._bars.advance(task)
