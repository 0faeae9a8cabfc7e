"""Bodies in chunks, both ways: left, replaced, swallowed, answered; none at all, and before trailers."""

from __future__ import annotations

from dataclasses import dataclass

from meshext import Exchange, Filter, Request, Respond, Response
from meshext.testing import Reply
from tests.conformance.case import CUT_OFF, REFUSED, Arrives, Case, Gets, Pairs, Send, note

LARGE = 2_000_000
TRAILERS: Pairs = (("x-t", "1"),)
NO_LENGTH = {"content-length": ()}


@dataclass
class Seen:
    request: bytes = b""
    response: bytes = b""
    calls: int = 0


class Collects(Filter):
    State = Seen

    def on_request_chunk(self, request: Request[Seen], chunk: bytes, last: bool) -> None:
        request.state.request += chunk
        if last:
            note("request", short(request.state.request), request.method)

    def on_response_chunk(self, response: Response[Seen], chunk: bytes, last: bool) -> None:
        response.state.response += chunk
        if last:
            note("response", short(response.state.response), response.status)


class CollectsAsync(Collects):
    async def on_request_chunk(self, request: Request[Seen], chunk: bytes, last: bool) -> None:  # type: ignore[override]  # either will do
        await self.store.add("calls", 1)
        super().on_request_chunk(request, chunk, last)


class Counts(Filter):
    State = Seen

    def on_request_chunk(self, request: Request[Seen], chunk: bytes, last: bool) -> None:
        note("request", chunk, last)

    def on_response_chunk(self, response: Response[Seen], chunk: bytes, last: bool) -> None:
        note("response", chunk, last)


class NotesRequest(Filter):
    def on_request_chunk(self, request: Request, chunk: bytes, last: bool) -> None:
        note(chunk, last)


class Upper(Filter):
    def on_request_chunk(self, request: Request, chunk: bytes, last: bool) -> bytes:
        return chunk.upper()

    def on_response_chunk(self, response: Response, chunk: bytes, last: bool) -> bytes:
        return chunk.upper()


class Swallows(Filter):
    """Swallows what it does not know, and says how much that was."""

    State = Seen

    def on_request_chunk(self, request: Request[Seen], chunk: bytes, last: bool) -> bytes:
        request.state.calls += len(chunk)
        return str(request.state.calls).encode() if last else b""

    def on_response_chunk(self, response: Response[Seen], chunk: bytes, last: bool) -> bytes:
        response.state.calls += len(chunk)
        return str(response.state.calls).encode() if last else b""


class SwallowsAll(Filter):
    def on_request_chunk(self, request: Request, chunk: bytes, last: bool) -> bytes:
        return b""


class Makes(Filter):
    def on_request_chunk(self, request: Request, chunk: bytes, last: bool) -> bytes | None:
        return chunk + b"made" if last else None

    def on_response_chunk(self, response: Response, chunk: bytes, last: bool) -> bytes | None:
        return chunk + b"made" if last else None


class MakesButOpen(Makes):
    failure = "open"


class Stops(Filter):
    def on_request_chunk(self, request: Request, chunk: bytes, last: bool) -> Respond | None:
        return Respond(403, headers={"x-why": "1"}, body=b"no") if b"!" in chunk else None

    def on_response_chunk(self, response: Response, chunk: bytes, last: bool) -> Respond | None:
        return Respond(502) if b"!" in chunk or response.request.method == "PUT" else None


class Writes(Filter):
    def on_request_chunk(self, request: Request, chunk: bytes, last: bool) -> None:
        request.response_headers["x-size"] = str(len(chunk))
        request.set_metadata("last", last)

    def on_response_chunk(self, response: Response, chunk: bytes, last: bool) -> None:
        response.set_metadata("response", True)


class WritesHeaders(Filter):
    def on_request_chunk(self, request: Request, chunk: bytes, last: bool) -> None:
        request.headers["x-late"] = "1"


class ReadsBody(Filter):
    def on_request_chunk(self, request: Request, chunk: bytes, last: bool) -> None:
        note(request.body)


class WithTrailers(Collects):
    def on_request_trailers(self, request: Request[Seen]) -> None:
        note("request trailers", request.trailers.items())
        request.trailers["x-new"] = "1"

    def on_response_trailers(self, response: Response[Seen]) -> None:
        note("response trailers", response.trailers.items())
        response.trailers["x-new"] = "1"


class Appends(Filter):
    def on_request_chunk(self, request: Request, chunk: bytes, last: bool) -> bytes:
        return chunk and chunk + b"."

    def on_response_chunk(self, response: Response, chunk: bytes, last: bool) -> bytes:
        return chunk and chunk + b"."


class Whole(Filter):
    def on_request_body(self, request: Request) -> None:
        note("whole request", request.body)

    def on_response_body(self, response: Response) -> None:
        note("whole response", response.body)


class Completes(Upper):
    def on_complete(self, exchange: Exchange) -> None:
        note(exchange.status, exchange.request_size, exchange.response_size)


def short(body: bytes) -> bytes | int:
    return len(body) if len(body) > 100 else body


def post(body: bytes, trailers: Pairs = ()) -> Send:
    return Send(method="POST", body=body, trailers=trailers)


def seen(
    request: bytes | int, response: bytes | int, method: str = "POST", status: int = 200
) -> tuple[tuple[object, ...], ...]:
    return (("request", request, method), ("response", response, status))


X, Y = b"x" * LARGE, b"y" * LARGE

CASES = (
    Case(
        name="chunks-left",
        filters=(Collects,),
        send=post(b"request"),
        reply=Reply(201, body=b"response"),
        arrives=Arrives(body=b"request", headers=NO_LENGTH),
        gets=Gets(status=201, body=b"response", headers=NO_LENGTH),
        notes=seen(b"request", b"response", status=201),
    ),
    Case(
        name="chunks-left-async",
        filters=(CollectsAsync,),
        send=post(b"request"),
        reply=Reply(body=b"response"),
        arrives=Arrives(body=b"request"),
        gets=Gets(body=b"response"),
        notes=seen(b"request", b"response"),
    ),
    Case(
        name="chunks-left-large",
        filters=(Collects,),
        send=post(X),
        reply=Reply(body=Y),
        arrives=Arrives(body=X),
        gets=Gets(body=Y),
        notes=seen(LARGE, LARGE),
    ),
    Case(
        name="chunks-left-large-before-trailers",
        filters=(Collects,),
        send=post(X, TRAILERS),
        reply=Reply(body=Y, trailers=TRAILERS),
        arrives=Arrives(body=X, trailers={"x-t": ("1",)}),
        gets=Gets(body=Y, trailers={"x-t": ("1",)}),
        notes=seen(LARGE, LARGE),
    ),
    Case(
        name="chunks-replaced",
        filters=(Upper,),
        send=post(b"request"),
        reply=Reply(body=b"response"),
        arrives=Arrives(body=b"REQUEST"),
        gets=Gets(body=b"RESPONSE"),
    ),
    Case(
        name="chunks-swallowed",
        filters=(Swallows,),
        send=post(b"request"),
        reply=Reply(body=b"response"),
        arrives=Arrives(body=b"7"),
        gets=Gets(body=b"15"),
    ),
    Case(
        name="chunks-all-swallowed",
        filters=(SwallowsAll,),
        send=post(b"request"),
        arrives=Arrives(body=b""),
    ),
    Case(
        name="chunks-of-no-body",
        filters=(Counts,),
        notes=(("request", b"", True), ("response", b"", True)),
    ),
    Case(
        name="chunks-of-length-0",
        filters=(Counts,),
        send=Send(method="POST", headers=(("content-length", "0"),)),
        arrives=Arrives(body=b"", headers={"content-length": ("0",)}),
        notes=(("request", b"", True), ("response", b"", True)),
    ),
    Case(
        name="chunks-of-an-empty-chunked-body",
        filters=(Collects,),
        send=Send(method="POST", chunked=True),
        arrives=Arrives(body=b""),
        notes=seen(b"", b""),
    ),
    *(
        Case(
            name=f"chunks-of-{status}",
            filters=(Collects,),
            reply=Reply(status),
            gets=Gets(status=status, body=b""),
            notes=seen(b"", b"", "GET", status),
        )
        for status in (204, 304)
    ),
    Case(
        name="chunks-of-head",
        filters=(Collects,),
        send=Send(method="HEAD"),
        reply=Reply(body=b"hidden"),
        gets=Gets(body=b"", headers={"content-length": ("6",)}),
        notes=seen(b"", b"", "HEAD"),
    ),
    Case(
        name="chunks-where-no-body-was",
        filters=(Makes,),
        send=Send(method="POST"),
        arrives=Arrives(body=b"made"),
        gets=Gets(body=b"made"),
    ),
    Case(
        name="chunks-answered",
        filters=(Stops,),
        send=post(b"stop!"),
        arrives=None,
        gets=Gets(status=403, headers={"x-why": ("1",)}, body=b"no"),
    ),
    Case(
        name="chunks-answered-at-the-response",
        filters=(Stops,),
        send=post(b"request"),
        reply=Reply(body=Y + b"!"),
        arrives=Arrives(body=b"request"),
        gets=CUT_OFF,
    ),
    Case(
        name="chunks-answered-at-the-response-without-body",
        filters=(Stops,),
        send=Send(method="PUT"),
        gets=Gets(status=502),
    ),
    Case(
        name="chunks-write-beside",
        filters=(Writes,),
        send=post(b"12345"),
        reply=Reply(body=b"1"),
        metadata={"meshext.writes": {"last": True, "response": True}},
    ),
    Case(
        name="chunks-put-on-the-response",
        filters=(Writes,),
        gets=Gets(headers={"x-size": ("0",)}),
    ),
    Case(
        name="chunks-come-after-the-headers",
        filters=(WritesHeaders,),
        send=post(b"12345"),
        arrives=None,
        gets=REFUSED,
        failure="the request has left",
    ),
    Case(
        name="chunks-are-no-body",
        filters=(ReadsBody,),
        send=post(b"12345"),
        arrives=None,
        gets=REFUSED,
        failure="the request's body is not here",
    ),
    Case(
        name="chunks-and-trailers",
        filters=(WithTrailers,),
        send=post(b"request", TRAILERS),
        reply=Reply(body=b"response", trailers=TRAILERS),
        arrives=Arrives(body=b"request", trailers={"x-t": ("1",), "x-new": ("1",)}),
        gets=Gets(body=b"response", trailers={"x-t": ("1",), "x-new": ("1",)}),
        notes=(
            ("request", b"request", "POST"),
            ("request trailers", [("x-t", "1")]),
            ("response", b"response", 200),
            ("response trailers", [("x-t", "1")]),
        ),
    ),
    Case(
        name="chunks-where-only-trailers-come",
        filters=(Counts,),
        send=post(b"", TRAILERS),
        reply=Reply(trailers=TRAILERS),
        arrives=Arrives(body=b"", trailers={"x-t": ("1",)}),
        gets=Gets(body=b"", trailers={"x-t": ("1",)}),
        notes=(("request", b"", True), ("response", b"", True)),
    ),
    Case(
        name="chunks-added-before-trailers",
        filters=(Makes,),
        send=post(b"request", TRAILERS),
        arrives=None,
        gets=REFUSED,
        failure="use duplex = True",
    ),
    Case(
        name="chunks-added-before-trailers-but-open",
        filters=(MakesButOpen,),
        send=post(b"request", TRAILERS),
        reply=Reply(body=b"response", trailers=TRAILERS),
        arrives=Arrives(body=b"request", trailers={"x-t": ("1",)}),
        gets=Gets(body=b"response", trailers={"x-t": ("1",)}),
        failure="passed untouched",
    ),
    Case(
        name="chunks-added-where-only-trailers-come",
        filters=(Makes,),
        send=post(b"", TRAILERS),
        arrives=None,
        gets=REFUSED,
        failure="a body that is not there",
    ),
    Case(
        name="chunks-added-before-response-trailers",
        filters=(Makes,),
        send=post(b"request"),
        reply=Reply(body=b"response", trailers=TRAILERS),
        gets=CUT_OFF,
        failure="use duplex = True",
    ),
    Case(
        name="chunks-of-a-chain",
        filters=(Upper, Appends),
        send=post(b"a"),
        reply=Reply(body=b"b"),
        arrives=Arrives(body=b"A."),
        gets=Gets(body=b"B."),
    ),
    Case(
        name="chunks-swallowed-before-another",
        filters=(SwallowsAll, NotesRequest),
        send=post(b"a"),
        arrives=Arrives(body=b""),
        notes=((b"", True),),
    ),
    Case(
        name="chunks-beside-a-whole-body-are-one",
        filters=(Counts, Whole),
        send=post(b"request"),
        reply=Reply(body=b"response"),
        arrives=Arrives(body=b"request", headers={"content-length": ("7",)}),
        gets=Gets(body=b"response"),
        notes=(
            ("request", b"request", True),
            ("whole request", b"request"),
            ("whole response", b"response"),
            ("response", b"response", True),
        ),
    ),
    Case(
        name="chunks-beside-a-whole-body-replaced",
        filters=(Makes, Whole),
        send=post(b"request"),
        reply=Reply(body=b"response"),
        arrives=Arrives(body=b"requestmade", headers={"content-length": ("11",)}),
        gets=Gets(body=b"responsemade", headers={"content-length": ("12",)}),
        notes=(("whole request", b"requestmade"), ("whole response", b"response")),
    ),
    Case(
        name="chunks-beside-a-whole-body-and-trailers",
        filters=(Makes, Whole),
        send=post(b"request", TRAILERS),
        reply=Reply(body=b"response"),
        arrives=Arrives(body=b"requestmade", trailers={"x-t": ("1",)}),
        gets=Gets(body=b"responsemade"),
        notes=(("whole request", b"requestmade"), ("whole response", b"response")),
    ),
    Case(
        name="chunks-completed",
        filters=(Completes,),
        send=post(b"12345"),
        reply=Reply(body=b"123"),
        notes=((200, 5, 3),),
    ),
)
