"""The decisions that are measured, as filters; `bare.py` takes the same ones by hand."""

from __future__ import annotations

from meshext import Filter, Request, Respond, Response
from meshext.http.exchange import Exchange
from meshext.needs import DEFAULT_MAX_BODY

USERS = {"k-4f2a91": "ann"}
REFUSED = "no such key\n"
FORBIDDEN = b"forbidden word"


class Gate(Filter):
    """Whoever shows no known key is refused."""

    def on_request(self, request: Request) -> Respond | None:
        return None if request.headers.get("x-key") in USERS else Respond(403, body=REFUSED)


class Mark(Filter):
    """The same, and the upstream is told who it is."""

    def on_request(self, request: Request) -> Respond | None:
        user = USERS.get(request.headers.get("x-key", ""))
        if user is None:
            return Respond(403, body=REFUSED)
        request.headers["x-user"] = user
        return None


class Both(Gate):
    """The same, and the response's headers are looked at."""

    def on_response(self, response: Response) -> Respond | None:
        return Respond(502) if response.headers.get("x-leak") else None


class Whole(Filter):
    """The body is looked at, whole."""

    max_body = DEFAULT_MAX_BODY

    def on_request_body(self, request: Request) -> Respond | None:
        return Respond(403, body=REFUSED) if FORBIDDEN in request.body else None


class Pieces(Filter):
    """The body is looked at in the pieces in which it comes."""

    def on_request_chunk(self, request: Request, chunk: bytes, last: bool) -> Respond | None:
        return Respond(403, body=REFUSED) if FORBIDDEN in chunk else None


class Blank(Filter):
    """Nothing, when a request comes."""

    attributes = ("request.protocol",)

    def on_request(self, request: Request) -> None:
        pass


class BlankToTheEnd(Blank):
    """Nothing, and nothing again at the end."""

    def on_complete(self, exchange: Exchange) -> None:
        pass
