"""What is not legal HTTP raises in the filter, on every runtime, and nothing of it reaches a wire."""

from __future__ import annotations

from meshext import Filter, Headers, Request, Respond, Response
from meshext.testing import Reply
from tests.conformance.case import REFUSED, Arrives, Case, Send, note

WRITES = (
    "name-with-space",
    "empty-name",
    "pseudo-name",
    "line-break-in-name",
    "line-break-in-value",
    "nul-in-value",
    "host-header",
    "content-length",
    "transfer-encoding",
    "response-header",
    "method-with-space",
    "get-to-head",
    "get-to-connect",
    "no-method",
    "strange-scheme",
    "host-with-slash",
    "no-host",
    "path-without-slash",
    "path-with-query",
    "target-with-fragment",
    "target-with-space",
    "no-target",
    "informational-answer",
    "no-status",
    "answer-with-line-break",
    "body-before-it-is-here",
    "body-assigned-before-it-is-here",
    "undeclared-attribute",
)
"""What `Illegal` may be configured to do; a name that no function below knows does nothing."""


class Illegal(Filter):
    Config = str

    def __init__(self, config: str) -> None:
        self.what = config

    def on_request(self, request: Request) -> None:
        request.headers["x-before"] = "1"
        request.response_headers["x-before"] = "1"
        write_header(request.headers, self.what)
        write_line(request, self.what)
        do_else(request, self.what)


class IllegalButOpen(Illegal):
    failure = "open"


class IllegalBytes(Filter):
    def on_request(self, request: Request) -> None:
        request.headers.add("x-a", b"1")  # type: ignore[arg-type]  # what the case is about


class IllegalMetadata(Filter):
    def on_request(self, request: Request) -> None:
        request.set_metadata("a", object())


class UndeclaredMetadata(Filter):
    def on_request(self, request: Request) -> None:
        note(request.metadata["other"])


def write_header(headers: Headers, what: str) -> None:
    match what:
        case "name-with-space":
            headers.add("x a", "1")
        case "empty-name":
            headers.add("", "1")
        case "pseudo-name":
            headers.add(":path", "/admin")
        case "line-break-in-name":
            headers.add("x-a\r\nx-b", "1")
        case "line-break-in-value":
            headers.add("x-a", "1\r\nx-b: 2")
        case "nul-in-value":
            headers.add("x-a", "1\0")
        case "host-header":
            headers.add("Host", "x")
        case "content-length":
            headers.add("content-length", "7")
        case "transfer-encoding":
            headers.add("transfer-encoding", "chunked")


def write_line(request: Request, what: str) -> None:
    match what:
        case "method-with-space":
            request.method = "G T"
        case "get-to-head":
            request.method = "HEAD"
        case "get-to-connect":
            request.method = "CONNECT"
        case "no-method":
            request.method = ""
        case "strange-scheme":
            request.scheme = "ftp"
        case "host-with-slash":
            request.host = "a/b"
        case "no-host":
            request.host = ""
        case "path-without-slash":
            request.path = "a"
        case "path-with-query":
            request.path = "/a?b"
        case "target-with-fragment":
            request.target = "/a#b"
        case "target-with-space":
            request.target = "/a b"
        case "no-target":
            request.target = ""


def do_else(request: Request, what: str) -> None:
    match what:
        case "response-header":
            request.response_headers.add("x-a", "1\n")
        case "informational-answer":
            Respond(103)
        case "no-status":
            Respond(600)
        case "answer-with-line-break":
            Respond(200, headers={"x-a": "\n"})
        case "body-before-it-is-here":
            note(request.body)
        case "body-assigned-before-it-is-here":
            request.body = b"x"
        case "undeclared-attribute":
            request.attribute("source.port")


class IllegalStatus(Filter):
    def on_response(self, response: Response) -> None:
        response.headers["x-before"] = "1"
        response.status = 101


class ChangesRequestAtResponse(Filter):
    def on_response(self, response: Response) -> None:
        response.request.headers["x-late"] = "1"


class ReadsBodyAtResponse(Filter):
    def on_response(self, response: Response) -> None:
        note(len(response.body))


class BodilessStatus(Filter):
    def on_response(self, response: Response) -> None:
        response.status = 204


NOTHING = {"x-before": ()}

CASES = (
    *(
        Case(
            name=f"illegal-{name}",
            filters=(Illegal,),
            configs=(name,),
            arrives=None,
            gets=REFUSED,
            failure="on_request failed (raised), refused",
        )
        for name in WRITES
    ),
    *(
        Case(
            name=f"illegal-{name}",
            filters=(cls,),
            arrives=None,
            gets=REFUSED,
            failure="on_request failed (raised), refused",
        )
        for name, cls in (
            ("bytes-value", IllegalBytes),
            ("metadata-of-strange-type", IllegalMetadata),
            ("undeclared-metadata", UndeclaredMetadata),
        )
    ),
    Case(
        name="illegal-but-open",
        filters=(IllegalButOpen,),
        configs=("line-break-in-value",),
        send=Send(headers=(("x-a", "0"),)),
        arrives=Arrives(headers={"x-a": ("0",), "x-b": (), **NOTHING}),
        failure="passed untouched",
    ),
    Case(
        name="illegal-status",
        filters=(IllegalStatus,),
        reply=Reply(headers={"x-up": "1"}),
        gets=REFUSED,
        failure="101 is not a final status",
    ),
    Case(
        name="illegal-change-of-the-request-at-the-response",
        filters=(ChangesRequestAtResponse,),
        reply=Reply(headers={"x-up": "1"}, body=b"body"),
        gets=REFUSED,
        failure="the request has left",
    ),
    Case(
        name="illegal-look-at-a-response-body-before-it-is-here",
        filters=(ReadsBodyAtResponse,),
        reply=Reply(headers={"x-up": "1"}, body=b"body"),
        gets=REFUSED,
        failure="on_response_body",
    ),
    Case(
        name="illegal-status-for-a-body",
        filters=(BodilessStatus,),
        reply=Reply(headers={"x-up": "1"}, body=b"body"),
        gets=REFUSED,
        failure="return Respond(204)",
    ),
)
