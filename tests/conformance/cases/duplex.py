"""Full duplex: chunks held back, merged and split, bytes added before trailers; and what fails there."""

from __future__ import annotations

from dataclasses import dataclass

from meshext import Filter, Request, Respond, Response
from meshext.testing import Reply
from tests.conformance.case import CUT_OFF, REFUSED, Arrives, Case, Gets, Pairs, Send, note

LARGE = 2_000_000
TRAILERS: Pairs = (("x-t", "1"),)


@dataclass
class Held:
    request: bytes = b""
    response: bytes = b""


class Holds(Filter):
    """Gives nothing away before it has seen everything."""

    State = Held
    duplex = True

    def on_request_chunk(self, request: Request[Held], chunk: bytes, last: bool) -> bytes | Respond:
        request.state.request += chunk
        if not last:
            return b""
        if b"stop" in request.state.request:
            return Respond(403, body="no")
        return request.state.request.upper()

    def on_response_chunk(self, response: Response[Held], chunk: bytes, last: bool) -> bytes:
        response.state.response += chunk
        return response.state.response.upper() if last else b""


class HoldsRequest(Filter):
    State = Held
    duplex = True

    def on_request(self, request: Request[Held]) -> None:
        request.response_headers["x-put"] = "1"

    def on_request_chunk(self, request: Request[Held], chunk: bytes, last: bool) -> bytes:
        request.state.request += chunk
        return request.state.request + b"!" if last else b""


class Leaves(Filter):
    duplex = True

    def on_request_chunk(self, request: Request, chunk: bytes, last: bool) -> None:
        note("request", last) if last else None

    def on_response_chunk(self, response: Response, chunk: bytes, last: bool) -> None:
        note("response", last) if last else None

    def on_response_trailers(self, response: Response) -> None:
        response.trailers["x-new"] = "1"


class Fails(Filter):
    duplex = True

    def on_request_chunk(self, request: Request, chunk: bytes, last: bool) -> bytes:
        if b"!" in chunk:
            raise RuntimeError("broken")
        return b""

    def on_response_chunk(self, response: Response, chunk: bytes, last: bool) -> bytes:
        if b"!" in chunk:
            raise RuntimeError("broken")
        return chunk


class Skips(Holds):
    def on_request(self, request: Request[Held]) -> None:
        request.skip_body()

    def on_response(self, response: Response[Held]) -> None:
        response.skip_body()


class Whole(Filter):
    def on_request_body(self, request: Request) -> None:
        note("whole", request.body)


class Streams(Filter):
    def on_request_chunk(self, request: Request, chunk: bytes, last: bool) -> bytes:
        return chunk.lower()


def post(body: bytes, trailers: Pairs = ()) -> Send:
    return Send(method="POST", body=body, trailers=trailers)


def holds(name: str, size: int, trailers: Pairs) -> Case:
    ends = {"x-t": tuple(value for _, value in trailers)}
    return Case(
        name=f"duplex-{name}",
        filters=(Holds,),
        send=post(b"x" * size, trailers),
        reply=Reply(body=b"y" * size, trailers=trailers),
        arrives=Arrives(body=b"X" * size, trailers=ends),
        gets=Gets(body=b"Y" * size, trailers=ends),
    )


CASES = (
    holds("held-back", 7, ()),
    holds("held-back-before-trailers", 7, TRAILERS),
    holds("held-back-large", LARGE, ()),
    holds("held-back-large-before-trailers", LARGE, TRAILERS),
    Case(
        name="duplex-left",
        filters=(Leaves,),
        send=post(b"x" * LARGE, TRAILERS),
        reply=Reply(body=b"y" * LARGE, trailers=TRAILERS),
        arrives=Arrives(body=b"x" * LARGE, trailers={"x-t": ("1",)}),
        gets=Gets(body=b"y" * LARGE, trailers={"x-t": ("1",), "x-new": ("1",)}),
        notes=(("request", True), ("response", True)),
    ),
    Case(name="duplex-without-body", filters=(Leaves,), notes=(("request", True), ("response", True))),
    Case(
        name="duplex-of-head",
        filters=(Leaves,),
        send=Send(method="HEAD"),
        reply=Reply(body=b"hidden"),
        gets=Gets(body=b""),
        notes=(("request", True), ("response", True)),
    ),
    Case(
        name="duplex-of-an-empty-chunked-body",
        filters=(Leaves,),
        send=Send(method="POST", chunked=True),
        arrives=Arrives(body=b""),
        notes=(("request", True), ("response", True)),
    ),
    Case(
        name="duplex-where-only-trailers-come",
        filters=(Leaves,),
        send=post(b"", TRAILERS),
        reply=Reply(trailers=TRAILERS),
        arrives=Arrives(body=b"", trailers={"x-t": ("1",)}),
        gets=Gets(body=b"", trailers={"x-t": ("1",), "x-new": ("1",)}),
        notes=(("request", True), ("response", True)),
    ),
    Case(
        name="duplex-where-no-body-was",
        filters=(HoldsRequest,),
        send=Send(method="POST"),
        arrives=Arrives(body=b"!"),
        gets=Gets(headers={"x-put": ("1",)}),
    ),
    Case(
        name="duplex-one-way",
        filters=(HoldsRequest,),
        send=post(b"abc", TRAILERS),
        reply=Reply(body=b"reply"),
        arrives=Arrives(body=b"abc!", trailers={"x-t": ("1",)}),
        gets=Gets(body=b"reply", headers={"x-put": ("1",), "content-length": ("5",)}),
    ),
    Case(
        name="duplex-answered",
        filters=(Holds,),
        send=post(b"x" * LARGE + b"stop"),
        arrives=None,
        gets=Gets(status=403, body=b"no"),
    ),
    Case(
        name="duplex-fails-after-chunks-were-held-back",
        filters=(Fails,),
        send=post(b"x" * LARGE + b"!"),
        arrives=None,
        gets=REFUSED,
        failure="on_request_chunk failed (raised), refused",
    ),
    Case(
        name="duplex-response-fails",
        filters=(Fails,),
        reply=Reply(body=b"!"),
        gets=CUT_OFF,
        failure="on_response_chunk failed (raised), refused",
    ),
    Case(
        name="duplex-bytes-where-only-trailers-come",
        filters=(HoldsRequest,),
        send=post(b"", TRAILERS),
        arrives=None,
        gets=REFUSED,
        failure="a body that is not there",
    ),
    Case(
        name="duplex-skipped",
        filters=(Skips,),
        send=post(b"request", TRAILERS),
        reply=Reply(body=b"response"),
        arrives=Arrives(body=b"request", trailers={"x-t": ("1",)}),
        gets=Gets(body=b"response"),
    ),
    Case(
        name="duplex-beside-a-whole-body",
        filters=(HoldsRequest, Whole),
        send=post(b"abc", TRAILERS),
        arrives=Arrives(body=b"abc!", trailers={"x-t": ("1",)}),
        notes=(("whole", b"abc!"),),
    ),
    Case(
        name="duplex-beside-chunks",
        filters=(Holds, Streams),
        send=post(b"abc"),
        reply=Reply(body=b"reply"),
        arrives=Arrives(body=b"abc"),
        gets=Gets(body=b"REPLY"),
    ),
)
