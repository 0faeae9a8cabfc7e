"""Trailers, both ways, with and without bodies."""

from __future__ import annotations

from meshext import Filter, Request, Response
from meshext.testing import Reply
from tests.conformance.case import CUT_OFF, REFUSED, Arrives, Case, Gets, Send, note

SENT = Send(method="POST", body=b"body", trailers=(("x-t", "1"), ("x-t", "2"), ("x-u", "u")))
BODILESS = Send(method="POST", trailers=(("x-t", "1"),))
REPLY = Reply(body=b"body", trailers=(("x-t", "1"), ("x-t", "2"), ("x-u", "u")))
REPLY_BODILESS = Reply(trailers=(("x-t", "1"),))


class NoTrailers(Filter):
    def on_request(self, request: Request) -> None:
        request.headers["x-a"] = "1"


class ChangesTrailers(Filter):
    def on_request_trailers(self, request: Request) -> None:
        note(request.trailers.get_all("x-t"), request.method, request.headers["host-is"])
        request.trailers.add("x-t", "3")
        request.trailers["x-new"] = "new"
        del request.trailers["x-u"]


class BodyAndTrailers(Filter):
    def on_request_body(self, request: Request) -> None:
        note("body", request.body)

    def on_request_trailers(self, request: Request) -> None:
        note("trailers", request.body, request.trailers.items())


class BodyOnly(Filter):
    def on_request_body(self, request: Request) -> None:
        note("body", request.body)

    def on_response_body(self, response: Response) -> None:
        note("response body", response.body)


class ChangesByBody(Filter):
    def on_request_body(self, request: Request) -> None:
        request.headers["x-late"] = "1"


class ReplacesBody(Filter):
    def on_request_body(self, request: Request) -> None:
        request.body = b"other body"


class ChangesHeadersAtTrailers(Filter):
    def on_request_trailers(self, request: Request) -> None:
        request.headers["x-late"] = "1"


class ReadsTrailersAtHeaders(Filter):
    def on_request(self, request: Request) -> None:
        note(list(request.trailers))
        request.trailers["x-early"] = "1"


class ChangesResponseTrailers(Filter):
    def on_response_trailers(self, response: Response) -> None:
        note(response.trailers.get_all("x-t"), response.status)
        response.trailers.add("x-t", "3")
        response.trailers["x-new"] = "new"
        del response.trailers["x-u"]


class ResponseBodyAndTrailers(Filter):
    def on_response_body(self, response: Response) -> None:
        note("body", response.body)
        response.body = response.body.upper()

    def on_response_trailers(self, response: Response) -> None:
        note("trailers", response.body)
        response.trailers["x-new"] = "new"


class FailsAtResponseTrailers(Filter):
    def on_response_trailers(self, response: Response) -> None:
        raise RuntimeError("broken")


class FailsAtResponseTrailersButOpen(FailsAtResponseTrailers):
    failure = "open"


CHANGED = {"x-t": ("1", "2", "3"), "x-new": ("new",), "x-u": ()}
WHOLE = {"x-t": ("1", "2"), "x-u": ("u",)}

CASES = (
    Case(
        name="trailers-untouched",
        filters=(NoTrailers,),
        send=SENT,
        reply=REPLY,
        arrives=Arrives(body=b"body", trailers=WHOLE),
        gets=Gets(body=b"body", trailers=WHOLE),
    ),
    Case(
        name="request-trailers-changed",
        filters=(ChangesTrailers,),
        send=Send(method="POST", body=b"body", headers=(("host-is", "h"),), trailers=SENT.trailers),
        arrives=Arrives(body=b"body", trailers=CHANGED),
        notes=((["1", "2"], "POST", "h"),),
    ),
    Case(
        name="request-trailers-without-body",
        filters=(ChangesTrailers,),
        send=Send(method="POST", headers=(("host-is", "h"),), trailers=(("x-t", "1"),)),
        arrives=Arrives(body=b"", trailers={"x-t": ("1", "3"), "x-new": ("new",)}),
        notes=((["1"], "POST", "h"),),
    ),
    Case(
        name="request-body-and-trailers",
        filters=(BodyAndTrailers,),
        send=SENT,
        arrives=Arrives(body=b"body", trailers=WHOLE),
        notes=(("body", b"body"), ("trailers", b"body", [("x-t", "1"), ("x-t", "2"), ("x-u", "u")])),
    ),
    Case(
        name="request-body-and-trailers-without-body",
        filters=(BodyAndTrailers,),
        send=BODILESS,
        arrives=Arrives(body=b"", trailers={"x-t": ("1",)}),
        notes=(("body", b""), ("trailers", b"", [("x-t", "1")])),
    ),
    Case(
        name="body-hooks-run-where-only-trailers-come",
        filters=(BodyOnly,),
        send=BODILESS,
        reply=REPLY_BODILESS,
        arrives=Arrives(body=b"", trailers={"x-t": ("1",)}),
        gets=Gets(body=b"", trailers={"x-t": ("1",)}),
        notes=(("body", b""), ("response body", b"")),
    ),
    Case(
        name="headers-by-body-with-trailers",
        filters=(ChangesByBody,),
        send=SENT,
        arrives=Arrives(body=b"body", trailers=WHOLE, headers={"x-late": ("1",)}),
    ),
    Case(
        name="request-body-replaced-before-trailers",
        filters=(ReplacesBody,),
        send=SENT,
        arrives=Arrives(body=b"other body", trailers=WHOLE),
        authz_failure="can not change a request's body",
    ),
    Case(
        name="headers-can-not-be-changed-at-trailers",
        filters=(ChangesHeadersAtTrailers,),
        send=SENT,
        arrives=None,
        gets=REFUSED,
        failure="the request has left",
    ),
    Case(
        name="trailers-can-not-be-changed-at-headers",
        filters=(ReadsTrailersAtHeaders,),
        send=SENT,
        arrives=None,
        gets=REFUSED,
        failure="trailers can be changed in on_request_trailers only",
    ),
    Case(
        name="response-trailers-changed",
        filters=(ChangesResponseTrailers,),
        reply=REPLY,
        gets=Gets(body=b"body", trailers=CHANGED),
        notes=((["1", "2"], 200),),
    ),
    Case(
        name="response-trailers-without-body",
        filters=(ChangesResponseTrailers,),
        reply=REPLY_BODILESS,
        gets=Gets(body=b"", trailers={"x-t": ("1", "3"), "x-new": ("new",)}),
        notes=((["1"], 200),),
    ),
    Case(
        name="response-body-and-trailers",
        filters=(ResponseBodyAndTrailers,),
        reply=REPLY,
        gets=Gets(body=b"BODY", trailers={**WHOLE, "x-new": ("new",)}),
        notes=(("body", b"body"), ("trailers", b"BODY")),
    ),
    Case(
        name="response-trailers-fail",
        filters=(FailsAtResponseTrailers,),
        reply=REPLY,
        gets=CUT_OFF,
        failure="broken",
    ),
    Case(
        name="response-trailers-fail-open",
        filters=(FailsAtResponseTrailersButOpen,),
        reply=REPLY,
        gets=Gets(body=b"body", trailers=WHOLE),
        failure="passed untouched",
    ),
)
