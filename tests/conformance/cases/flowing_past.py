"""Bodies that flow past unseen: too long with `oversize = "pass"`, or let past by a headers hook."""

from __future__ import annotations

from meshext import Exchange, Filter, Request, Respond, Response
from meshext.testing import Reply
from tests.conformance.case import REFUSED, Arrives, Case, Gets, Pairs, Send, note

LIMIT = 1000
LARGE = 3_000_000
TRAILERS: Pairs = (("x-t", "1"),)
ENDS = {"x-t": ("1",)}


class Passes(Filter):
    max_body = LIMIT
    oversize = "pass"

    def on_request(self, request: Request) -> None:
        request.headers["x-saw"] = "headers"

    def on_request_body(self, request: Request) -> Respond | None:
        note("request", request.body[:9])
        request.headers["x-saw"] = "body"
        return Respond(403) if request.body.startswith(b"stop") else None

    def on_request_trailers(self, request: Request) -> None:
        note("trailers")


class PassesResponse(Filter):
    max_body = LIMIT
    oversize = "pass"

    def on_response_body(self, response: Response) -> None:
        note("response", response.body[:9])
        response.headers["x-saw"] = "body"
        response.body = response.body.upper()


class PassesMore(Filter):
    max_body = 3 * LIMIT
    oversize = "pass"

    def on_request_body(self, request: Request) -> None:
        note("more", len(request.body))


class Refuses(Filter):
    max_body = 2 * LIMIT

    def on_request_body(self, request: Request) -> None:
        note("refuses", len(request.body))


class Chunks(Filter):
    def on_request_chunk(self, request: Request, chunk: bytes, last: bool) -> None:
        note("chunk", len(chunk), last)


class Skips(Filter):
    def on_request(self, request: Request) -> None:
        if "x-see" not in request.headers:
            request.skip_body()

    def on_request_body(self, request: Request) -> None:
        note("request", request.body[:9])
        request.headers["x-saw"] = "body"

    def on_request_trailers(self, request: Request) -> None:
        note("trailers", request.trailers["x-t"])


class SkipsChunks(Filter):
    def on_request(self, request: Request) -> None:
        request.skip_body()

    def on_request_chunk(self, request: Request, chunk: bytes, last: bool) -> Respond:
        return Respond(418)

    def on_response(self, response: Response) -> None:
        response.skip_body()

    def on_response_chunk(self, response: Response, chunk: bytes, last: bool) -> Respond:
        return Respond(418)


class SkipsResponse(Filter):
    def on_response(self, response: Response) -> None:
        response.headers["x-saw"] = "headers"
        response.skip_body()

    def on_response_body(self, response: Response) -> Respond:
        return Respond(418)


class SkipsResponseOfJson(Filter):
    def on_response(self, response: Response) -> None:
        if response.headers.get("content-type") == "application/json":
            response.skip_body()

    def on_response_body(self, response: Response) -> None:
        response.body += b"!"


class SkipsAndFails(Filter):
    failure = "open"

    def on_request(self, request: Request) -> None:
        request.skip_body()
        raise RuntimeError("broken")

    def on_request_body(self, request: Request) -> None:
        note("request", request.body)


class SkipsLate(Filter):
    def on_request_body(self, request: Request) -> None:
        request.skip_body()


class SkipsLateInResponse(Filter):
    def on_response(self, response: Response) -> None:
        response.request.skip_body()


class Whole(Filter):
    def on_request_body(self, request: Request) -> None:
        note("whole", request.body[:9])


class CompletesSkipped(Skips):
    def on_complete(self, exchange: Exchange) -> None:
        note(exchange.request_size)


def post(body: bytes, trailers: Pairs = (), headers: Pairs = (), chunked: bool = False) -> Send:
    return Send(method="POST", body=body, trailers=trailers, headers=headers, chunked=chunked)


def sized(size: int) -> bytes:
    return b"x" * size


CASES = (
    Case(
        name="oversize-at-the-limit",
        filters=(Passes,),
        send=post(sized(LIMIT)),
        arrives=Arrives(body=sized(LIMIT), headers={"x-saw": ("body",)}),
        notes=(("request", b"xxxxxxxxx"),),
    ),
    Case(
        name="oversize-at-the-limit-is-decided",
        filters=(Passes,),
        send=post(b"stop".ljust(LIMIT), chunked=True),
        arrives=None,
        gets=Gets(status=403),
    ),
    *(
        Case(
            name=f"oversize-passes-{size}{'-chunked' * chunked}",
            filters=(Passes,),
            send=post(b"stop" + sized(size - 4), chunked=chunked),
            arrives=Arrives(body=b"stop" + sized(size - 4), headers={"x-saw": ("headers",)}),
            notes=(),
        )
        for size in (LIMIT + 1, LARGE)
        for chunked in (False, True)
    ),
    *(
        Case(
            name=f"oversize-passes-{size}-before-trailers",
            filters=(Passes,),
            send=post(sized(size), TRAILERS),
            arrives=Arrives(body=sized(size), headers={"x-saw": ("headers",)}, trailers=ENDS),
            notes=(("trailers",),),
        )
        for size in (LIMIT + 1, LARGE)
    ),
    Case(
        name="oversize-before-trailers-at-the-limit",
        filters=(Passes,),
        send=post(sized(LIMIT), TRAILERS),
        arrives=Arrives(body=sized(LIMIT), headers={"x-saw": ("body",)}, trailers=ENDS),
        notes=(("request", b"xxxxxxxxx"), ("trailers",)),
    ),
    Case(
        name="oversize-without-body",
        filters=(Passes,),
        arrives=Arrives(body=b"", headers={"x-saw": ("body",)}),
        notes=(("request", b""),),
    ),
    Case(
        name="oversize-response-at-the-limit",
        filters=(PassesResponse,),
        reply=Reply(body=sized(LIMIT)),
        gets=Gets(body=sized(LIMIT).upper(), headers={"x-saw": ("body",)}),
    ),
    *(
        Case(
            name=f"oversize-response-passes-{size}{'-before-trailers' * bool(trailers)}",
            filters=(PassesResponse,),
            reply=Reply(body=sized(size), trailers=trailers),
            gets=Gets(body=sized(size), headers={"x-saw": ()}, trailers=ENDS if trailers else {}),
            notes=(),
        )
        for size in (LIMIT + 1, LARGE)
        for trailers in ((), TRAILERS)
    ),
    Case(
        name="oversize-response-of-head",
        filters=(PassesResponse,),
        send=Send(method="HEAD"),
        reply=Reply(body=b"hidden"),
        gets=Gets(body=b"", headers={"x-saw": ("body",), "content-length": ("6",)}),
    ),
    Case(
        name="oversize-is-each-filters-own",
        filters=(Passes, PassesMore),
        send=post(sized(2 * LIMIT)),
        arrives=Arrives(body=sized(2 * LIMIT), headers={"x-saw": ("headers",)}),
        notes=(("more", 2 * LIMIT),),
    ),
    Case(
        name="oversize-passes-one-and-is-refused-by-another",
        filters=(Passes, Refuses),
        send=post(sized(2 * LIMIT + 1)),
        arrives=None,
        gets=Gets(status=413),
        notes=(),
    ),
    Case(
        name="oversize-passes-one-and-is-seen-by-another",
        filters=(Passes, Refuses),
        send=post(sized(LIMIT + 1)),
        arrives=Arrives(headers={"x-saw": ("headers",)}),
        notes=(("refuses", LIMIT + 1),),
    ),
    Case(
        name="oversize-passes-beside-chunks",
        filters=(PassesResponse, Passes, Chunks),
        send=post(sized(LIMIT + 1)),
        arrives=Arrives(body=sized(LIMIT + 1)),
        notes=(("chunk", LIMIT + 1, True), ("response", b"")),
    ),
    Case(
        name="oversize-beyond-what-is-held-for-chunks-is-refused",
        filters=(Passes, Chunks),
        send=post(sized(LARGE)),
        arrives=None,
        gets=Gets(status=413),
        notes=(),
    ),
    *(
        Case(
            name=f"skipped-{size}{'-before-trailers' * bool(trailers)}",
            filters=(Skips,),
            send=post(sized(size), trailers),
            arrives=Arrives(
                body=sized(size),
                headers={"x-saw": (), "content-length": () if trailers else (str(size),)},
                trailers=ENDS if trailers else {},
            ),
            notes=(("trailers", "1"),) if trailers else (),
        )
        for size in (5, LARGE)
        for trailers in ((), TRAILERS)
    ),
    Case(
        name="skipped-by-choice",
        filters=(Skips,),
        send=post(b"seen", headers=(("x-see", "1"),)),
        arrives=Arrives(body=b"seen", headers={"x-saw": ("body",)}),
        notes=(("request", b"seen"),),
    ),
    Case(
        name="skipped-by-choice-and-too-long",
        filters=(Skips,),
        send=post(sized(LARGE), headers=(("x-see", "1"),)),
        arrives=None,
        gets=Gets(status=413),
        notes=(),
    ),
    Case(name="skipped-without-body", filters=(Skips,), arrives=Arrives(headers={"x-saw": ()}), notes=()),
    Case(
        name="skipped-where-only-trailers-come",
        filters=(Skips,),
        send=post(b"", TRAILERS),
        arrives=Arrives(body=b"", trailers=ENDS),
        notes=(("trailers", "1"),),
    ),
    Case(
        name="skipped-chunks",
        filters=(SkipsChunks,),
        send=post(sized(LARGE)),
        reply=Reply(body=sized(LARGE)),
        arrives=Arrives(body=sized(LARGE), headers={"content-length": (str(LARGE),)}),
        gets=Gets(body=sized(LARGE), headers={"content-length": (str(LARGE),)}),
    ),
    Case(
        name="skipped-chunks-before-trailers",
        filters=(SkipsChunks,),
        send=post(b"body", TRAILERS),
        reply=Reply(body=b"body", trailers=TRAILERS),
        arrives=Arrives(body=b"body", trailers=ENDS),
        gets=Gets(body=b"body", trailers=ENDS),
    ),
    *(
        Case(
            name=f"skipped-response-{size}{'-before-trailers' * bool(trailers)}",
            filters=(SkipsResponse,),
            reply=Reply(body=sized(size), trailers=trailers),
            gets=Gets(
                body=sized(size),
                headers={"x-saw": ("headers",), "content-length": () if trailers else (str(size),)},
                trailers=ENDS if trailers else {},
            ),
        )
        for size in (5, LARGE)
        for trailers in ((), TRAILERS)
    ),
    Case(
        name="skipped-response-of-head",
        filters=(SkipsResponse,),
        send=Send(method="HEAD"),
        reply=Reply(body=b"hidden"),
        gets=Gets(body=b"", headers={"content-length": ("6",)}),
    ),
    *(
        Case(
            name=f"skipped-response-of-{kind}",
            filters=(SkipsResponseOfJson,),
            reply=Reply(headers={"content-type": f"application/{kind}"}, body=b"1"),
            gets=Gets(body=body),
        )
        for kind, body in (("json", b"1"), ("text", b"1!"))
    ),
    Case(
        name="skipped-and-failed-open",
        filters=(SkipsAndFails,),
        send=post(b"seen"),
        arrives=Arrives(body=b"seen"),
        notes=(("request", b"seen"),),
        failure="passed untouched",
    ),
    *(
        Case(
            name=f"skipped-too-late-{cls.name}",
            filters=(cls,),
            send=post(b"body"),
            arrives=None if cls is SkipsLate else Arrives(),
            gets=REFUSED,
            failure="request.skip_body() comes too late here; call it in on_request",
        )
        for cls in (SkipsLate, SkipsLateInResponse)
    ),
    Case(
        name="skipped-by-one-and-wanted-by-another",
        filters=(Skips, Whole),
        send=post(b"body", TRAILERS),
        arrives=Arrives(body=b"body", headers={"x-saw": ()}),
        notes=(("whole", b"body"), ("trailers", "1")),
    ),
    Case(
        name="wanted-by-one-and-skipped-by-another",
        filters=(Whole, Skips),
        send=post(b"body"),
        arrives=Arrives(body=b"body", headers={"x-saw": ()}),
        notes=(("whole", b"body"),),
    ),
    Case(
        name="skipped-completed",
        filters=(CompletesSkipped,),
        send=post(sized(LARGE)),
        notes=((LARGE,),),
    ),
)
