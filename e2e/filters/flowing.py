"""Filters that look at bodies under way, as a whole, in chunks and held back, and at those they let past."""

import asyncio
import logging
import time
from dataclasses import dataclass
from typing import Any

from meshext import Exchange, Filter, Request, Respond, Response

log = logging.getLogger("flowing")


class Upper(Filter):
    """Each chunk goes on at once, in capitals."""

    def on_request_chunk(self, request: Request, chunk: bytes, last: bool) -> bytes:
        return chunk.upper()

    def on_response_chunk(self, response: Response, chunk: bytes, last: bool) -> bytes:
        return chunk.upper()


class Stops(Filter):
    """Lets chunks by until one of either way says `stop` or `raise`."""

    def on_request_chunk(self, request: Request, chunk: bytes, last: bool) -> Respond | None:
        return self._look(chunk)

    def on_response_chunk(self, response: Response, chunk: bytes, last: bool) -> Respond | None:
        return self._look(chunk)

    def on_complete(self, exchange: Exchange) -> None:
        log.info("ended, sizes %s %s", exchange.request_size, exchange.response_size)

    def _look(self, chunk: bytes) -> Respond | None:
        if b"raise" in chunk:
            raise ValueError("it says raise")
        return Respond(403, body="stopped") if b"stop" in chunk else None


class StopsDuplex(Stops):
    duplex = True


class UpperDuplex(Upper):
    duplex = True


class UpperRequestDuplex(Filter):
    duplex = True

    def on_request_chunk(self, request: Request, chunk: bytes, last: bool) -> bytes:
        return chunk.upper()


class LowerDuplex(Filter):
    duplex = True

    def on_response_chunk(self, response: Response, chunk: bytes, last: bool) -> bytes:
        return chunk.lower()


class UpperWhole(Filter):
    def on_request_body(self, request: Request) -> None:
        request.body = request.body.upper()


class UpperUnlessUpgraded(UpperWhole):
    def on_request(self, request: Request) -> None:
        if "upgrade" in request.headers:
            request.skip_body()


class WholeResponse(Filter):
    def on_response_body(self, response: Response) -> None:
        log.info("response body %r of %s", response.body, response.status)


class NoLongSecrets(Filter):
    """What is longer than 2 MB passes; what is not has to be decided on as a whole."""

    oversize = "pass"
    max_body = 2_000_000

    def on_request_body(self, request: Request) -> None:
        request.headers["x-decided"] = "yes"


@dataclass
class Line:
    text: bytes = b""


class Lines(Filter):
    """Releases whole lines, and holds the rest back."""

    State = Line
    duplex = True

    def on_response_chunk(self, response: Response[Line], chunk: bytes, last: bool) -> bytes:
        whole, newline, rest = (response.state.text + chunk).rpartition(b"\n")
        response.state.text = rest
        return whole + newline + (rest if last else b"")


class Hangs(Filter):
    """Never returns, as the chunk says: asleep, awake, or waiting."""

    duplex = True
    time_limit = 0.2

    async def on_request_chunk(self, request: Request, chunk: bytes, last: bool) -> None:
        match chunk:
            case b"sleep":
                time.sleep(60)  # noqa: ASYNC251  # the mistake that is tried
            case b"spin":
                while True:
                    pass
            case b"wait":
                await asyncio.sleep(60)
            case b"stubborn":
                self._ignore_everything()

    def _ignore_everything(self) -> Any:
        while True:
            try:
                while True:
                    pass
            except BaseException:  # the point of it
                continue
