"""Filters that want no body: they decide by headers, note what they saw, and let the rest flow."""

import logging
import os
from typing import Any

from meshext import Filter, Request, Respond, Response
from meshext.http.exchange import Exchange

log = logging.getLogger("passing")


class Decides(Filter):
    """Denies what says `x-deny`, and tells the worker's process id at `/pid`."""

    def on_request(self, request: Request[Any]) -> Respond | None:
        if request.path == "/pid":
            return Respond(200, body=str(os.getpid()))
        if "x-deny" in request.headers:
            return Respond(403, body="denied")
        request.headers["x-decided"] = "yes"
        return None


class DecidesOpen(Decides):
    failure = "open"


class Watches(Decides):
    """The same, and it marks the response and notes the end of each exchange."""

    def on_response(self, response: Response[Any]) -> None:
        response.headers["x-watched"] = "yes"

    def on_complete(self, exchange: Exchange[Any]) -> None:
        log.info("ended %s %s", exchange.request.target, exchange.status)


class ReadsTrailers(Watches):
    """Trailers both ways; the body hooks that come with them are none of its own."""

    def on_request_trailers(self, request: Request[Any]) -> None:
        request.trailers["x-end"] = "request"

    def on_response_trailers(self, response: Response[Any]) -> None:
        response.trailers["x-end"] = "response"
