"""Counts requests in the store: what all workers of an Envoy share."""

from __future__ import annotations

from dataclasses import dataclass

from meshext import Filter, Limit, Outcome, Request, Respond


class Counting(Filter):
    """`/n` counts by `step`, `/limited` takes a place of `rate`."""

    @dataclass(frozen=True)
    class Config:
        """`rate` is for a minute."""

        step: int = 1
        rate: int = 50

    def __init__(self, config: Config) -> None:
        self.config = config

    async def on_request(self, request: Request) -> Respond | None:
        """One step of the store, whoever else counts at the same time."""
        if request.path == "/limited":
            outcome = await self.look(request.headers.get("x-user", ""))
            return None if outcome.allowed else Respond(429)
        total = await self.store.add("n", self.config.step, ttl=600)
        request.response_headers["x-count"] = str(total)
        return None

    async def look(self, user: str) -> Outcome:
        """What the limits say to one more request of a user."""
        limits = [
            Limit(key=user, algorithm="fixed_window", rate=self.config.rate, window=3600.0),
            Limit(key="all", algorithm="fixed_window", rate=1_000_000, window=3600.0),
        ]
        first, _ = await self.store.take(limits)
        return first
