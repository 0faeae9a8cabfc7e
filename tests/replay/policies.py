"""Filters that recordings are replayed through."""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass

from meshext import Filter, Request, Respond, Response


class Patient(Filter):
    """Nobody's hook is late on a busy machine."""

    time_limit = 10.0


class Limit(Patient):
    """So many requests of one client in a minute, by the clock and the store."""

    @dataclass(frozen=True)
    class Config:
        """How many."""

        most: int = 2

    def __init__(self, config: Config) -> None:
        self.most = config.most

    async def on_request(self, request: Request) -> Respond | None:
        seen = await self.store.add(request.client_address or "none", 1, 60.0)
        request.headers["x-seen"] = f"{seen} at {time.time():.0f}"
        return Respond(429, body=b"later\n", details="too_many") if seen > self.most else None


class Key(Patient):
    """Reads what a recording does not keep."""

    def on_request(self, request: Request) -> Respond | None:
        return None if request.headers.get("authorization") == "Bearer good" else Respond(401)


class AsyncKey(Patient):
    """The same after a wait, in a task of its own."""

    async def on_request(self, request: Request) -> Respond | None:
        await asyncio.sleep(0)
        return None if request.cookies.get("session") == "good" else Respond(401)


class Tag(Patient):
    """Touches everything."""

    tag = "old"

    def on_request(self, request: Request) -> None:
        request.headers["x-tag"] = self.tag
        request.set_metadata("tag", self.tag)

    def on_request_body(self, request: Request) -> None:
        request.body = request.body + self.tag.encode()

    def on_response(self, response: Response) -> None:
        response.headers["x-tag"] = self.tag
        del response.headers["server"]

    def on_response_body(self, response: Response) -> None:
        response.body = self.tag.encode() + response.body


class NewTag(Tag):
    """The same with another text."""

    name = "tag"
    tag = "new"


class Failing(Patient):
    """Always fails."""

    def on_request(self, request: Request) -> None:
        raise ValueError(request.path)


class OnResponse(Patient):
    """Looks at responses."""

    def on_response(self, response: Response) -> Respond | None:
        return Respond(503) if response.status == 500 else None


class OnBody(Patient):
    """Looks at bodies."""

    def on_request_body(self, request: Request) -> Respond | None:
        return Respond(400) if request.body == b"bad" else None


class SomeBodies(OnBody):
    """Lets bodies of uploads flow past."""

    def on_request(self, request: Request) -> None:
        if request.method == "PUT":
            request.skip_body()


class OnChunk(Patient):
    """Looks at chunks."""

    def on_request_chunk(self, request: Request, chunk: bytes, last: bool) -> bytes | None:
        return f"<{chunk.decode()}>".encode()


class OnTrailers(Patient):
    """Looks at trailers."""

    def on_request_trailers(self, request: Request) -> None:
        request.trailers["x-seen"] = "1"


class Port(Patient):
    """Wants an attribute and metadata."""

    attributes = ("source.port",)
    metadata_namespaces = ("jwt",)

    def on_request(self, request: Request) -> None:
        request.headers["x-port"] = str(request.attribute("source.port"))


class Agent(Patient):
    """Reads a header by way of an attribute."""

    attributes = ("request.useragent",)

    def on_request(self, request: Request) -> None:
        request.headers["x-agent"] = str(request.attribute("request.useragent"))


class Chance(Patient):
    """Is never the same."""

    def on_request(self, request: Request) -> None:
        print("thrown")  # noqa: T201  # filters do
        request.headers["x-chance"] = str(random.random())
