"""How a hook is called: the seam where a host keeps time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol


class Watch(Protocol):
    """Calls hooks and raises HookOverdue in, or instead of, one that runs past its limit (seconds)."""

    def call(self, hook: Callable[[Any], object], argument: object, limit: float) -> object:
        """Call a plain hook on this thread."""

    async def call_async(
        self, hook: Callable[[Any], Awaitable[object]], argument: object, limit: float
    ) -> object:
        """Call an async hook and wait for it."""


class NoWatch:
    """Keeps no time: for callers that have their own."""

    def call(self, hook: Callable[[Any], object], argument: object, limit: float) -> object:  # noqa: ARG002  # the protocol's
        """Call a plain hook."""
        return hook(argument)

    async def call_async(
        self,
        hook: Callable[[Any], Awaitable[object]],
        argument: object,
        limit: float,  # noqa: ARG002  # the protocol's
    ) -> object:
        """Call an async hook."""
        return await hook(argument)
