"""Filters whose exchanges are taped."""

from __future__ import annotations

from meshext import Filter, Request, Respond, Response


class Patient(Filter):
    """Nobody's hook is late on a busy machine."""

    time_limit = 10.0


class Changing(Patient):
    """Changes both headers, and puts something on the response."""

    attributes = ("source.port", "request.path")

    def on_request(self, request: Request) -> None:
        request.headers["x-version"] = "v2"
        del request.headers["x-drop"]
        request.response_headers["x-added"] = "1"
        request.set_metadata("seen", {"a": [1, None]})

    def on_response(self, response: Response) -> None:
        response.headers.add("set-cookie", "secret=1")


class Guarding(Patient):
    """Answers where a header says so, and fails where another does."""

    def on_request(self, request: Request) -> Respond | None:
        if "x-raise" in request.headers:
            raise ValueError(request.headers["x-raise"])
        if request.headers.get("authorization") == "no":
            return Respond(403, headers={"x-why": "no"}, body=b"no\xff", details="not_you")
        return None


class Open(Guarding):
    """The same, and failures pass."""

    name = "open"
    failure = "open"


class Whole(Patient):
    """Looks at whole bodies and changes them."""

    def on_request_body(self, request: Request) -> None:
        request.body = request.body.upper()

    def on_response_body(self, response: Response) -> Respond | None:
        return Respond(502) if b"bad" in response.body else None


class Chunked(Patient):
    """Changes chunks."""

    def on_request_chunk(self, _: Request, chunk: bytes, last: bool) -> bytes | None:
        return chunk.upper() if chunk == b"b" else None

    def on_response_chunk(self, _: Response, chunk: bytes, last: bool) -> bytes | None:
        return None


class Skipping(Patient):
    """Lets some bodies flow past."""

    def on_request(self, request: Request) -> None:
        if "x-skip" in request.headers:
            request.skip_body()

    def on_request_body(self, request: Request) -> Respond | None:
        return Respond(400) if request.body == b"bad" else None
