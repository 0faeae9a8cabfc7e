"""Filters that hold a request in their hook until a file is there."""

import asyncio
import logging
import os
from dataclasses import dataclass

from meshext import Filter, Request


class Holds(Filter):
    """Holds what asks for it with `x-hold`, and marks what it has seen."""

    name = "holds"
    time_limit = 30.0

    @dataclass(frozen=True, slots=True)
    class Config:
        until: str = ""

    async def on_request(self, request: Request) -> None:
        request.response_headers["x-seen"] = "yes"
        if "x-hold" in request.headers:
            logging.info("holds %s", request.target)
            while not os.path.exists(self.config.until):  # noqa: ASYNC110  # nobody tells when it is there
                await asyncio.sleep(0.01)


class HoldsOpen(Holds):
    name = "holds"
    failure = "open"
