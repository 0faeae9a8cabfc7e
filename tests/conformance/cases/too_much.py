"""More than Envoy has room for is the filter's failure, not a refusal of Envoy's that blames the client."""

from __future__ import annotations

from meshext import Filter, Request, Respond, Response
from meshext.testing import Reply
from tests.conformance.case import REFUSED, Arrives, Case, Gets, Send

MEBIBYTE = 1 << 20
SHORT = Reply(body=b"1")


class WritesLongHeaders(Filter):
    def on_request(self, request: Request) -> None:
        for number in range(70):
            request.headers[f"x-{number}"] = "x" * 1000


class WritesManyHeaders(Filter):
    def on_request(self, request: Request) -> None:
        for number in range(100):
            request.headers[f"x-{number}"] = "1"


class WritesLongHeadersButOpen(WritesLongHeaders):
    failure = "open"


class AnswersLongHeaders(Filter):
    def on_request(self, request: Request) -> Respond:
        return Respond(403, headers={"x-long": "x" * 70_000})


class GrowsRequest(Filter):
    def on_request_body(self, request: Request) -> None:
        request.body = b"x" * (MEBIBYTE + 1)


class GrowsResponse(Filter):
    def on_response_body(self, response: Response) -> None:
        response.body = b"x" * (MEBIBYTE + 1)


class GrowsResponseButOpen(GrowsResponse):
    failure = "open"


class FillsResponse(Filter):
    def on_response_body(self, response: Response) -> None:
        response.body = b"x" * MEBIBYTE


class GrowsResponseWithRoom(GrowsResponse):
    max_body = 2 * MEBIBYTE


CASES = (
    *(
        Case(name=name, filters=(cls,), arrives=None, gets=REFUSED, failure=failure)
        for name, cls, failure in (
            ("too-much-header", WritesLongHeaders, "it wrote headers of"),
            ("too-many-headers", WritesManyHeaders, "header lines; Envoy takes 96"),
            ("too-much-header-in-an-answer", AnswersLongHeaders, "it wrote headers of"),
        )
    ),
    Case(
        name="too-much-header-but-open",
        filters=(WritesLongHeadersButOpen,),
        arrives=Arrives(headers={"x-1": ()}),
        failure="passed untouched",
    ),
    Case(
        name="too-much-request-body",
        filters=(GrowsRequest,),
        send=Send(method="POST", body=b"1"),
        arrives=None,
        gets=REFUSED,
        failure="raise max_body",
        authz_failure="can not change a request's body",
    ),
    Case(
        name="too-much-response-body",
        filters=(GrowsResponse,),
        reply=SHORT,
        gets=REFUSED,
        failure="raise max_body",
    ),
    Case(
        name="too-much-response-body-but-open",
        filters=(GrowsResponseButOpen,),
        reply=SHORT,
        gets=Gets(status=200),
        failure="passed untouched",
    ),
    Case(
        name="as-much-response-body-as-there-is-room",
        filters=(FillsResponse,),
        reply=SHORT,
        gets=Gets(body=b"x" * MEBIBYTE),
    ),
    Case(
        name="more-response-body-with-more-room",
        filters=(GrowsResponseWithRoom,),
        reply=SHORT,
        gets=Gets(body=b"x" * (MEBIBYTE + 1)),
    ),
)
