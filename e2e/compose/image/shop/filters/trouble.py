"""Filters that make a host a bad one, for cases that want to see what the mesh does about it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from meshext import Filter, Request, Respond


class Failing(Filter):
    """Every request fails."""

    def on_request(self, request: Request) -> Respond:
        return Respond(500, body="this host is a bad one\n")


class Flaky(Filter):
    """Every request fails at the first try, and goes well when it is made again."""

    def __init__(self, config: None = None) -> None:
        super().__init__(config)
        self.seen: set[str] = set()

    def on_request(self, request: Request) -> Respond | None:
        mark = request.headers.get("x-mark", "")
        if not mark or mark in self.seen:
            return None
        self.seen.add(mark)
        return Respond(503, body="not just now\n")


class Slow(Filter):
    """Every request takes its time."""

    time_limit = 10.0

    @dataclass(frozen=True)
    class Config:
        seconds: float = 1.0

    async def on_request(self, request: Request) -> None:
        await asyncio.sleep(self.config.seconds)
