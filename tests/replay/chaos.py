"""A filter that does what headers tell it to, in every hook."""

from __future__ import annotations

from typing import Any

from meshext import Filter, Request, Respond, Response


class Patient(Filter):
    """Nobody's hook is late on a busy machine."""

    time_limit = 10.0


class Chaos(Patient):
    """Reads and writes; whole bodies."""

    attributes = ("request.path", "request.query", "source.port", "response.code")
    metadata_namespaces = ("n",)

    def _act(self, request: Request, message: Any, hook: str) -> Respond | None:
        todo = request.headers.get("x-do", "") if hook in request.headers.get("x-in", "") else ""
        if "write" in todo:
            for name, value in message.headers.items():
                message.headers.add(f"x-{len(name)}", value)
            del message.headers["a"]
        if "target" in todo:
            request.target = "/new?a=b"
        if "raise" in todo:
            raise ValueError(todo)
        if "response" in todo:
            request.response_headers["x-added"] = (
                str(request.attribute("request.path")).encode("ascii", "replace").decode()
            )
        if "metadata" in todo:
            message.set_metadata("a", {"b": [1, 2.5, None, True, hook]})
        if "stop" in todo:
            return Respond(400, headers={"x-a": hook}, body=b"no\xff", details="d")
        return None

    def on_request(self, request: Request) -> Respond | None:
        return self._act(request, request, "1")

    def on_response(self, response: Response) -> Respond | None:
        return self._act(response.request, response, "2")

    def on_request_trailers(self, request: Request) -> Respond | None:
        return self._act(request, request, "3")


class Bodies(Chaos):
    """Whole bodies too."""

    max_body = 20

    def on_request_body(self, request: Request) -> Respond | None:
        request.body = request.body + b"!" if "body" in request.headers.get("x-do", "") else request.body
        return self._act(request, request, "4")

    def on_response_body(self, response: Response) -> Respond | None:
        response.body = response.body[1:]
        return self._act(response.request, response, "5")


class Passing(Bodies):
    """Bodies that are too long flow past, and so do some others."""

    oversize = "pass"
    failure = "open"

    def on_request(self, request: Request) -> Respond | None:
        if "skip" in request.headers.get("x-do", ""):
            request.skip_body()
        return super().on_request(request)


class Chunks(Chaos):
    """Chunks."""

    def on_request_chunk(self, request: Request, chunk: bytes, last: bool) -> bytes | Respond | None:
        return chunk.swapcase() if "body" in request.headers.get("x-do", "") else self._stop(request, "4")

    def on_response_chunk(self, response: Response, chunk: bytes, last: bool) -> bytes | Respond | None:
        return self._stop(response.request, "5") or chunk[1:]

    def _stop(self, request: Request, hook: str) -> Respond | None:
        headers = request.headers
        return Respond(403) if "stop" in headers.get("x-do", "") and hook in headers.get("x-in", "") else None


class Duplex(Chunks):
    """Chunks that are held back."""

    duplex = True

    def on_request_chunk(self, request: Request, chunk: bytes, last: bool) -> bytes | Respond | None:
        return chunk + b"end" if last else b""


class Headers(Patient):
    """What ext_authz can carry."""

    attributes = ("request.path", "source.port")

    def on_request(self, request: Request) -> Respond | None:
        todo = request.headers.get("x-do", "")
        if "write" in todo:
            request.headers["x-path"] = str(request.attribute("source.port"))
            del request.headers["a"]
        if "response" in todo:
            request.response_headers.add("x-added", "1")
        if "raise" in todo:
            raise ValueError(todo)
        return Respond(418, body=b"tea") if "stop" in todo else None


class WholeHeaders(Headers):
    """With a body."""

    name = "headers"
    oversize = "pass"
    max_body = 20

    def on_request_body(self, request: Request) -> Respond | None:
        return Respond(400) if request.body == b"bad" else None
