"""What is not legal HTTP raises in the filter, on every runtime, and nothing of it reaches a wire."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from meshext import Filter, Request, Respond, Response
from meshext.testing import Reply
from tests.conformance.case import REFUSED, Arrives, Case, Send, note

WRITES: dict[str, Callable[[Request], Any]] = {
    "name-with-space": lambda request: request.headers.add("x a", "1"),
    "empty-name": lambda request: request.headers.add("", "1"),
    "pseudo-name": lambda request: request.headers.add(":path", "/admin"),
    "line-break-in-name": lambda request: request.headers.add("x-a\r\nx-b", "1"),
    "line-break-in-value": lambda request: request.headers.add("x-a", "1\r\nx-b: 2"),
    "nul-in-value": lambda request: request.headers.add("x-a", "1\0"),
    "host-header": lambda request: request.headers.add("Host", "x"),
    "content-length": lambda request: request.headers.add("content-length", "7"),
    "transfer-encoding": lambda request: request.headers.add("transfer-encoding", "chunked"),
    "bytes-value": lambda request: request.headers.add("x-a", b"1"),  # type: ignore[arg-type]  # what the case is about
    "method-with-space": lambda request: setattr(request, "method", "G T"),
    "get-to-head": lambda request: setattr(request, "method", "HEAD"),
    "get-to-connect": lambda request: setattr(request, "method", "CONNECT"),
    "no-method": lambda request: setattr(request, "method", ""),
    "strange-scheme": lambda request: setattr(request, "scheme", "ftp"),
    "host-with-slash": lambda request: setattr(request, "host", "a/b"),
    "no-host": lambda request: setattr(request, "host", ""),
    "path-without-slash": lambda request: setattr(request, "path", "a"),
    "path-with-query": lambda request: setattr(request, "path", "/a?b"),
    "target-with-fragment": lambda request: setattr(request, "target", "/a#b"),
    "target-with-space": lambda request: setattr(request, "target", "/a b"),
    "no-target": lambda request: setattr(request, "target", ""),
    "response-header": lambda request: request.response_headers.add("x-a", "1\n"),
    "informational-answer": lambda request: Respond(103),
    "no-status": lambda request: Respond(600),
    "answer-with-line-break": lambda request: Respond(200, headers={"x-a": "\n"}),
    "body-before-it-is-here": lambda request: request.body,
    "body-assigned-before-it-is-here": lambda request: setattr(request, "body", b"x"),
    "undeclared-attribute": lambda request: request.attribute("source.port"),
    "undeclared-metadata": lambda request: request.metadata["other"],
    "metadata-of-strange-type": lambda request: request.set_metadata("a", object()),
}


class Illegal(Filter):
    Config = str

    def __init__(self, config: str) -> None:
        self.write = WRITES[config]

    def on_request(self, request: Request) -> None:
        request.headers["x-before"] = "1"
        request.response_headers["x-before"] = "1"
        self.write(request)


class IllegalButOpen(Illegal):
    failure = "open"


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
