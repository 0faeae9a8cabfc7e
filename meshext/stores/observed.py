"""A store that tells how long its calls take."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from meshext.limits import Limit, Outcome
from meshext.store import Store

OnCall = Callable[[str, float, bool], None]
"""Told after each call: the method's name, the seconds it took, and whether it gave a result."""

T = TypeVar("T")


class ObservedStore(Store):
    """Another store, and `on_call` told of each of its calls; a call that was cancelled gave no result."""

    def __init__(self, store: Store, on_call: OnCall) -> None:
        self._store = store
        self._on_call = on_call

    async def start(self) -> None:
        """See `Store.start`."""
        await self._store.start()

    async def close(self) -> None:
        """See `Store.close`."""
        await self._store.close()

    async def get(self, key: str) -> bytes | None:
        """See `Store.get`."""
        return await self._timed("get", self._store.get(key))

    async def set(self, key: str, value: bytes, ttl: float | None = None) -> None:
        """See `Store.set`."""
        await self._timed("set", self._store.set(key, value, ttl))

    async def delete(self, key: str) -> None:
        """See `Store.delete`."""
        await self._timed("delete", self._store.delete(key))

    async def add(self, key: str, amount: int = 1, ttl: float | None = None) -> int:
        """See `Store.add`."""
        return await self._timed("add", self._store.add(key, amount, ttl))

    async def compare_and_set(
        self, key: str, expected: bytes | None, value: bytes, ttl: float | None = None
    ) -> bool:
        """See `Store.compare_and_set`."""
        return await self._timed("compare_and_set", self._store.compare_and_set(key, expected, value, ttl))

    async def take(self, limits: Sequence[Limit]) -> tuple[Outcome, ...]:
        """See `Store.take`."""
        return await self._timed("take", self._store.take(limits))

    async def _timed(self, operation: str, call: Awaitable[T]) -> T:
        start = time.perf_counter()
        done = False
        try:
            result = await call
            done = True
            return result
        finally:
            self._on_call(operation, time.perf_counter() - start, done)
