"""A limit for everybody together, in whatever store the service has."""

from __future__ import annotations

from dataclasses import dataclass

from meshext import Filter, Limit, Request, Respond


class Limited(Filter):
    """At most `rate` requests; a store that is away is the filter's failure."""

    time_limit = 2.0  # above what a busy machine does to a test

    @dataclass(frozen=True)
    class Config:
        rate: int = 1_000_000

    def __init__(self, config: Config) -> None:
        self.limit = Limit(key="all", algorithm="fixed_window", rate=config.rate, window=1e7)

    async def on_request(self, request: Request) -> Respond | None:
        (outcome,) = await self.store.take([self.limit])
        request.response_headers["x-remaining"] = str(outcome.remaining)
        return None if outcome.allowed else Respond(429)


class OpenLimited(Limited):
    """The same, and nobody waits outside for a store."""

    name = "open-limited"
    failure = "open"
