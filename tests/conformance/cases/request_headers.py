"""Header lines of the request, as the filter sees them and as the upstream gets them."""

from __future__ import annotations

from meshext import Filter, Request
from tests.conformance.case import Arrives, Case, Send, note

TWO = (("x-a", "1"), ("x-b", "b"), ("X-A", "2"))
RAW = "caf\udce9"  # the bytes 63 61 66 e9, which are no UTF-8


class SetsHeader(Filter):
    def on_request(self, request: Request) -> None:
        request.headers["X-New"] = "new"


class ReplacesHeader(Filter):
    def on_request(self, request: Request) -> None:
        request.headers["x-a"] = "3"


class AddsHeader(Filter):
    def on_request(self, request: Request) -> None:
        request.headers.add("x-a", "3")


class AddsNewHeader(Filter):
    def on_request(self, request: Request) -> None:
        request.headers.add("x-new", "new")


class SetsSeveral(Filter):
    def on_request(self, request: Request) -> None:
        request.headers.set_all("x-a", ["4", "5"])


class RemovesHeader(Filter):
    def on_request(self, request: Request) -> None:
        del request.headers["x-a"]
        del request.headers["x-absent"]


class RemovesByEmptyList(Filter):
    def on_request(self, request: Request) -> None:
        request.headers.set_all("x-a", [])


class SetsEmptyValue(Filter):
    def on_request(self, request: Request) -> None:
        request.headers["x-empty"] = ""
        note(request.headers.get("x-none"), request.headers["x-sent-empty"])


class ReadsHeaders(Filter):
    def on_request(self, request: Request) -> None:
        headers = request.headers
        note(headers["x-a"], headers.get_all("X-a"), headers.joined("x-a"), headers.get("x-c", "none"))
        note(
            [line for line in headers.items() if line[0] in ("x-a", "x-b")],
            ":path" in headers,
            "host" in headers,
        )


class CopiesRawValue(Filter):
    def on_request(self, request: Request) -> None:
        note(request.headers["x-raw"])
        request.headers["x-copy"] = request.headers["x-raw"]


class PassesRawValue(Filter):
    def on_request(self, request: Request) -> None:
        note(request.headers["x-raw"])
        request.headers["x-new"] = "n\u00e9w"


class SetsEnvoyHeader(Filter):
    def on_request(self, request: Request) -> None:
        request.headers["x-envoy-custom"] = "yes"
        request.headers["x-forwarded-proto"] = "https"


class TakesBack(Filter):
    def on_request(self, request: Request) -> None:
        request.headers["x-new"] = "1"
        del request.headers["x-new"]
        request.headers["x-b"] = "other"
        request.headers["x-b"] = "b"


JOINED = "repeated"

CASES = (
    Case(name="header-set", filters=(SetsHeader,), arrives=Arrives(headers={"x-new": ("new",)})),
    Case(
        name="header-set-replaces-every-line",
        filters=(ReplacesHeader,),
        send=Send(headers=TWO),
        arrives=Arrives(headers={"x-a": ("3",), "x-b": ("b",)}),
    ),
    Case(
        name="header-add-appends",
        filters=(AddsHeader,),
        send=Send(headers=TWO),
        arrives=Arrives(headers={"x-a": ("1", "2", "3"), "x-b": ("b",)}),
        authz_failure=JOINED,
    ),
    Case(
        name="header-add-where-none-was",
        filters=(AddsNewHeader,),
        arrives=Arrives(headers={"x-new": ("new",)}),
    ),
    Case(
        name="header-set-all",
        filters=(SetsSeveral,),
        send=Send(headers=TWO),
        arrives=Arrives(headers={"x-a": ("4", "5")}),
        authz_failure=JOINED,
    ),
    Case(
        name="header-removed",
        filters=(RemovesHeader,),
        send=Send(headers=TWO),
        arrives=Arrives(headers={"x-a": (), "x-b": ("b",)}),
    ),
    Case(
        name="header-removed-by-empty-list",
        filters=(RemovesByEmptyList,),
        send=Send(headers=TWO),
        arrives=Arrives(headers={"x-a": (), "x-b": ("b",)}),
    ),
    Case(
        name="header-with-empty-value",
        filters=(SetsEmptyValue,),
        send=Send(headers=(("x-sent-empty", ""),)),
        arrives=Arrives(headers={"x-empty": ("",), "x-sent-empty": ("",)}),
        notes=((None, ""),),
    ),
    Case(
        name="headers-read",
        filters=(ReadsHeaders,),
        send=Send(headers=TWO),
        arrives=Arrives(headers={"x-a": ("1", "2")}),
        notes=(
            ("1", ["1", "2"], "1, 2", "none"),
            ([("x-a", "1"), ("x-b", "b"), ("x-a", "2")], False, False),
        ),
    ),
    Case(
        name="raw-bytes-copied",
        filters=(CopiesRawValue,),
        send=Send(headers=(("x-raw", RAW),)),
        arrives=Arrives(headers={"x-raw": (RAW,), "x-copy": (RAW,)}),
        notes=((RAW,),),
        authz_failure="UTF-8",
    ),
    Case(
        name="raw-bytes-untouched",
        filters=(PassesRawValue,),
        send=Send(headers=(("x-raw", RAW),)),
        arrives=Arrives(headers={"x-raw": (RAW,), "x-new": ("n\u00e9w",)}),
        notes=((RAW,),),
    ),
    Case(
        name="envoy-headers-may-be-set",
        filters=(SetsEnvoyHeader,),
        arrives=Arrives(headers={"x-envoy-custom": ("yes",), "x-forwarded-proto": ("https",)}),
    ),
    Case(
        name="header-taken-back",
        filters=(TakesBack,),
        send=Send(headers=TWO),
        arrives=Arrives(headers={"x-new": (), "x-a": ("1", "2"), "x-b": ("b",)}),
    ),
)
