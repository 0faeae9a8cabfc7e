"""`request.response_headers`: on whatever response the client gets."""

from __future__ import annotations

from meshext import Filter, Request, Respond
from meshext.testing import Reply
from tests.conformance.case import Arrives, Case, Gets, Send

UPSTREAM = Reply(headers=(("x-a", "1"), ("x-a", "2"), ("set-cookie", "up=1")), body=b"body")


class SetsOnResponse(Filter):
    def on_request(self, request: Request) -> None:
        request.response_headers["X-Added"] = "yes"


class ReplacesOnResponse(Filter):
    def on_request(self, request: Request) -> None:
        request.response_headers["x-a"] = "3"


class AddsOnResponse(Filter):
    def on_request(self, request: Request) -> None:
        request.response_headers.add("x-a", "3")
        request.response_headers.add("set-cookie", "a=1; Path=/")
        request.response_headers.add("set-cookie", "b=2")


class SetsSeveralOnResponse(Filter):
    def on_request(self, request: Request) -> None:
        request.response_headers.set_all("x-a", ["3", "4"])


class RemovesFromResponse(Filter):
    def on_request(self, request: Request) -> None:
        request.response_headers.set_all("x-a", [])


class ChangesItsMind(Filter):
    def on_request(self, request: Request) -> None:
        request.response_headers["x-a"] = "3"
        del request.response_headers["x-a"]
        request.response_headers["x-b"] = "b"


class SetsByBody(Filter):
    def on_request_body(self, request: Request) -> None:
        request.response_headers["x-added"] = request.body.decode() or "empty"


class SetsAndAnswers(Filter):
    def on_request(self, request: Request) -> Respond:
        request.response_headers["x-added"] = "yes"
        request.response_headers.add("x-own", "2")
        return Respond(403, headers={"x-own": "1"})


class First(Filter):
    def on_request(self, request: Request) -> None:
        request.response_headers["x-a"] = "first"
        request.response_headers.add("x-b", "first")


class Second(Filter):
    def on_request(self, request: Request) -> None:
        request.response_headers["x-a"] = "second"
        request.response_headers.add("x-b", "second")


class Adds(Filter):
    def on_request(self, request: Request) -> None:
        request.response_headers.add("x-a", "outer")


class WritesRaw(Filter):
    def on_request(self, request: Request) -> None:
        request.response_headers["x-raw"] = "caf\udce9"


class SetsAtTrailers(Filter):
    def on_request_trailers(self, request: Request) -> None:
        request.response_headers["x-added"] = request.trailers["x-t"]


YES = {"x-added": ("yes",)}

CASES = (
    Case(
        name="response-header-set",
        filters=(SetsOnResponse,),
        reply=UPSTREAM,
        gets=Gets(headers=YES, body=b"body"),
    ),
    Case(
        name="response-header-does-not-go-upstream",
        filters=(SetsOnResponse,),
        arrives=Arrives(headers={"x-added": ()}),
        gets=Gets(headers=YES),
    ),
    Case(
        name="response-header-replaces",
        filters=(ReplacesOnResponse,),
        reply=UPSTREAM,
        gets=Gets(headers={"x-a": ("3",)}),
    ),
    Case(
        name="response-header-added",
        filters=(AddsOnResponse,),
        reply=UPSTREAM,
        gets=Gets(headers={"x-a": ("1", "2", "3"), "set-cookie": ("up=1", "a=1; Path=/", "b=2")}),
    ),
    Case(
        name="response-header-set-all",
        filters=(SetsSeveralOnResponse,),
        reply=UPSTREAM,
        gets=Gets(headers={"x-a": ("3", "4")}),
        authz_failure="nor put several",
    ),
    Case(
        name="response-header-removed-ahead",
        filters=(RemovesFromResponse,),
        reply=UPSTREAM,
        gets=Gets(headers={"x-a": ()}),
        authz_failure="can not remove",
    ),
    Case(
        name="response-header-taken-back",
        filters=(ChangesItsMind,),
        reply=UPSTREAM,
        gets=Gets(headers={"x-a": ("1", "2"), "x-b": ("b",)}),
    ),
    Case(
        name="response-header-on-404",
        filters=(SetsOnResponse,),
        reply=Reply(404),
        gets=Gets(status=404, headers=YES),
    ),
    Case(
        name="response-header-on-envoys-own-503",
        filters=(SetsOnResponse,),
        send=Send(headers=(("x-route", "dead"),)),
        reply=Reply(503),
        arrives=None,
        gets=Gets(status=503, headers=YES),
    ),
    Case(
        name="response-header-by-body",
        filters=(SetsByBody,),
        send=Send(method="POST", body=b"yes"),
        gets=Gets(headers=YES),
    ),
    Case(
        name="response-header-by-empty-body",
        filters=(SetsByBody,),
        gets=Gets(headers={"x-added": ("empty",)}),
    ),
    Case(
        name="response-header-on-answer",
        filters=(SetsAndAnswers,),
        arrives=None,
        gets=Gets(status=403, headers={**YES, "x-own": ("1", "2")}),
    ),
    Case(
        name="response-header-on-head",
        filters=(SetsOnResponse,),
        send=Send(method="HEAD"),
        reply=UPSTREAM,
        gets=Gets(headers=YES, body=b""),
    ),
    Case(
        name="response-headers-of-two-filters",
        filters=(First, Second),
        gets=Gets(headers={"x-a": ("first",), "x-b": ("second", "first")}),
    ),
    Case(
        name="response-header-added-to-one-set-before",
        filters=(Adds, Second),
        reply=UPSTREAM,
        gets=Gets(headers={"x-a": ("second", "outer")}),
        authz_failure="the filters together",
    ),
    Case(
        name="response-header-set-over-one-added-before",
        filters=(First, Adds),
        reply=UPSTREAM,
        gets=Gets(headers={"x-a": ("first",)}),
    ),
    Case(
        name="response-header-raw-bytes",
        filters=(WritesRaw,),
        gets=Gets(headers={"x-raw": ("caf\udce9",)}),
        authz_failure="UTF-8",
    ),
    Case(
        name="response-header-at-request-trailers",
        filters=(SetsAtTrailers,),
        send=Send(method="POST", body=b"x", trailers=(("x-t", "yes"),)),
        gets=Gets(headers=YES),
    ),
)
