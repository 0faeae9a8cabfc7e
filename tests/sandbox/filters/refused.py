"""Filters whose configuration is refused only when the object is made, in the service."""

from __future__ import annotations

import asyncio

from meshext import ConfigError, Filter, Request


class One(Filter):
    def __init__(self) -> None:
        raise ValueError("nothing is right")

    def on_request(self, request: Request) -> None: ...


class Two(Filter):
    def __init__(self) -> None:
        raise ConfigError(["first: bad", "second: worse"], source="config.yaml")

    def on_request(self, request: Request) -> None: ...


class Waiting(Filter):
    def __init__(self) -> None:
        asyncio.run(asyncio.Event().wait())

    def on_request(self, request: Request) -> None: ...
