"""Shared counters: an async hook counts each client's requests in the store and says when to come back."""

import math
from dataclasses import dataclass

from meshext import Counter, Filter, Limit, Request, Respond


class AsyncStore(Filter):
    """At most `rate` requests of one client in each window of `window` seconds."""

    @dataclass(frozen=True)
    class Config:
        """`window` is in seconds."""

        rate: int = 100
        window: float = 60

        def __post_init__(self) -> None:
            Limit(key="", algorithm="fixed_window", rate=self.rate, window=self.window)  # refuses nonsense

    limited = Counter("limited_total")

    def __init__(self, config: Config) -> None:
        self.rate = config.rate
        self.window = config.window

    async def on_request(self, request: Request) -> Respond | None:
        """Looking and counting are one step, so two requests never share the last place."""
        limit = Limit(
            key=request.client_address, algorithm="fixed_window", rate=self.rate, window=self.window
        )
        (outcome,) = await self.store.take([limit])
        request.response_headers["x-ratelimit-limit"] = str(self.rate)
        request.response_headers["x-ratelimit-remaining"] = str(outcome.remaining)
        if outcome.allowed:
            return None
        self.limited.inc()
        wait = str(math.ceil(outcome.retry_after))
        return Respond(429, headers={"retry-after": wait}, body="too many requests\n", details="rate_limited")
