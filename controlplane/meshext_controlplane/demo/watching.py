"""What has been told about the mesh's traffic so far, within bounds, and a way to wait for more."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import TypeVar

from meshext_controlplane.tap.calls import Call
from meshext_controlplane.tap.spans import Span

KEPT = 20_000  # records of each kind
PATIENCE = 20.0  # seconds for a record; Envoy gives logs away once a second, spans every five

T = TypeVar("T", Call, Span)


class Watch:
    """The last calls and spans, in the order of arrival."""

    def __init__(self) -> None:
        self.calls: deque[Call] = deque(maxlen=KEPT)
        self.spans: deque[Span] = deque(maxlen=KEPT)
        self.seen = 0  # calls, those that are no longer kept included
        self._waiting: set[asyncio.Event] = set()
        self._told: list[Callable[[Call], None]] = []

    def tell(self, on_call: Callable[[Call], None]) -> None:
        """Hand every call on, those that have come already included."""
        for call in self.calls:
            on_call(call)
        self._told.append(on_call)

    def on_call(self, call: Call) -> None:
        """Keep it."""
        self.calls.append(call)
        for on_call in self._told:
            on_call(call)
        self.seen += 1
        self._wake()

    def on_span(self, span: Span) -> None:
        """Keep it."""
        self.spans.append(span)
        self._wake()

    async def find_calls(self, wanted: Callable[[Call], bool], count: int = 1) -> list[Call]:
        """At least so many calls, or those that there are when patience is over."""
        return await self._find(self.calls, wanted, lambda found: len(found) >= count)

    async def find_spans(
        self, wanted: Callable[[Span], bool], enough: Callable[[list[Span]], bool]
    ) -> list[Span]:
        """Spans that are enough together, or those that there are when patience is over."""
        return await self._find(self.spans, wanted, enough)

    async def _find(
        self, kept: deque[T], wanted: Callable[[T], bool], enough: Callable[[list[T]], bool]
    ) -> list[T]:
        more = asyncio.Event()
        self._waiting.add(more)
        try:
            async with asyncio.timeout(PATIENCE):
                while not enough(found := [each for each in kept if wanted(each)]):
                    more.clear()
                    await more.wait()
                return found
        except TimeoutError:
            return [each for each in kept if wanted(each)]
        finally:
            self._waiting.discard(more)

    def _wake(self) -> None:
        for each in self._waiting:
            each.set()
