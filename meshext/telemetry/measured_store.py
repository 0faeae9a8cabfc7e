"""A store whose operations are timed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from time import perf_counter
from typing import TypeVar

from meshext.errors import StoreError
from meshext.limits import Limit, Outcome
from meshext.store import Store

T = TypeVar("T")

Told = Callable[[str, str, float], None]
"""Told of every operation: its name, how it ended (`ok`, `refused`, `unavailable`, `abandoned`), seconds."""

UNAVAILABLE = "StoreUnavailable"


class MeasuredStore(Store):
    """Passes everything on to `store` and tells how long it took."""

    def __init__(self, store: Store, told: Told) -> None:
        self._store = store
        self._told = told

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

    async def _timed(self, operation: str, work: Awaitable[T]) -> T:
        began, result = perf_counter(), "abandoned"
        try:
            done = await work
            result = "ok"
            return done
        except StoreError as error:
            result = "unavailable" if is_unavailable(error) else "refused"
            raise
        except asyncio.CancelledError:
            raise
        except Exception:
            result = "refused"  # an argument that is none
            raise
        finally:
            self._told(operation, result, perf_counter() - began)


def is_unavailable(error: StoreError) -> bool:
    """Whether the store was away or slow."""
    return any(each.__name__ == UNAVAILABLE for each in type(error).__mro__)
