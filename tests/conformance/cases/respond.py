"""Respond: in every phase in which Envoy still can."""

from __future__ import annotations

from dataclasses import dataclass, field

from meshext import Filter, Request, Respond, Response
from meshext.testing import Reply
from tests.conformance.case import CUT_OFF, Arrives, Case, Gets, Send

TEXT = Reply(headers=(("content-type", "text/html"), ("x-up", "1"), ("etag", '"1"')), body=b"from upstream")


class Answers(Filter):
    @dataclass(frozen=True)
    class Config:
        status: int = 403
        body: str = ""
        headers: list[tuple[str, str]] = field(default_factory=list)
        details: str = ""

    def __init__(self, config: Config) -> None:
        self.config = config

    def answer(self) -> Respond:
        config = self.config
        return Respond(config.status, headers=config.headers, body=config.body, details=config.details)

    def on_request(self, request: Request) -> Respond:
        return self.answer()


class AnswersByBody(Filter):
    def on_request_body(self, request: Request) -> Respond | None:
        return Respond(422, body=b"bad: " + request.body) if b"bad" in request.body else None


class AnswersAtTrailers(Filter):
    def on_request_trailers(self, request: Request) -> Respond:
        return Respond(409, body=request.trailers["x-t"])


class AnswersAtResponse(Filter):
    def on_response(self, response: Response) -> Respond | None:
        return Respond(451, headers={"x-new": "1"}, body="no") if "x-up" in response.headers else None


class TurnsInto304(Filter):
    def on_response(self, response: Response) -> Respond:
        return Respond(304, headers={"etag": response.headers["etag"]})


class AnswersAtResponseBody(Filter):
    def on_response_body(self, response: Response) -> Respond:
        return Respond(502, headers={"x-new": "1"}, body=f"saw {len(response.body)}")


class AnswersAtResponseTrailers(Filter):
    def on_response_trailers(self, response: Response) -> Respond:
        return Respond(502)


class AnswersBytes(Filter):
    def on_request(self, request: Request) -> Respond:
        return Respond(200, headers={"content-type": "application/octet-stream"}, body=b"\xff\x00\xfe")


class AnswersRawHeader(Filter):
    def on_request(self, request: Request) -> Respond:
        return Respond(200, headers={"x-raw": "caf\udce9"})


def answers(name: str, config: dict[str, object], gets: Gets, **more: object) -> Case:
    return Case(name=name, filters=(Answers,), configs=(config,), arrives=None, gets=gets, **more)  # type: ignore[arg-type]  # a Case's own fields


CASES = (
    *(
        answers(
            f"answer-{status}",
            {"status": status, "headers": [["x-a", "1"]]},
            Gets(status=status, headers={"x-a": ("1",)}, body=b""),
        )
        for status in (200, 201, 204, 299, 302, 304, 400, 401, 403, 404, 418, 429, 499, 500, 503, 599)
    ),
    answers(
        "answer-body-is-text-plain",
        {"body": "h\u00e9llo"},
        Gets(
            status=403,
            headers={"content-type": ("text/plain",), "content-length": ("6",)},
            body="h\u00e9llo".encode(),
        ),
    ),
    answers(
        "answer-keeps-its-content-type",
        {"body": "{}", "headers": [["content-type", "application/json"]]},
        Gets(status=403, headers={"content-type": ("application/json",)}, body=b"{}"),
    ),
    answers(
        "answer-with-repeated-headers",
        {"headers": [["set-cookie", "a=1"], ["set-cookie", "b=2"], ["x-a", "1"], ["X-A", "2"]]},
        Gets(status=403, headers={"set-cookie": ("a=1", "b=2"), "x-a": ("1", "2")}),
    ),
    answers(
        "answer-redirects",
        {"status": 307, "headers": [["location", "https://example.test/?a=1"]]},
        Gets(status=307, headers={"location": ("https://example.test/?a=1",)}),
    ),
    answers(
        "answer-to-head-has-no-body",
        {"body": "hidden", "status": 403},
        Gets(status=403, headers={"content-length": ("6",)}, body=b""),
        send=Send(method="HEAD"),
    ),
    answers("answer-with-large-body", {"body": "x" * 200_000}, Gets(status=403, body=b"x" * 200_000)),
    answers(
        "answer-details-go-to-the-access-log",
        {"details": "no_key"},
        Gets(status=403, body=b""),
        details="no_key",
    ),
    answers(
        "answer-details-may-have-spaces",
        {"details": "no key given"},
        Gets(status=403, body=b""),
        details="no_key_given",
    ),
    Case(
        name="answer-bytes",
        filters=(AnswersBytes,),
        arrives=None,
        gets=Gets(body=b"\xff\x00\xfe"),
        authz_failure="UTF-8",
    ),
    Case(
        name="answer-raw-header",
        filters=(AnswersRawHeader,),
        arrives=None,
        gets=Gets(headers={"x-raw": ("caf\udce9",)}),
        authz_failure="UTF-8",
    ),
    Case(
        name="answer-by-body",
        filters=(AnswersByBody,),
        send=Send(method="POST", body=b"bad one"),
        arrives=None,
        gets=Gets(status=422, body=b"bad: bad one"),
    ),
    Case(
        name="no-answer-by-body",
        filters=(AnswersByBody,),
        send=Send(method="POST", body=b"good one"),
        arrives=Arrives(body=b"good one"),
    ),
    Case(
        name="answer-at-request-trailers",
        filters=(AnswersAtTrailers,),
        send=Send(method="POST", body=b"x", trailers=(("x-t", "late"),)),
        arrives=None,
        gets=Gets(status=409, body=b"late"),
    ),
    Case(
        name="answer-at-response",
        filters=(AnswersAtResponse,),
        reply=TEXT,
        gets=Gets(
            status=451,
            headers={"x-up": (), "etag": (), "x-new": ("1",), "content-type": ("text/plain",)},
            body=b"no",
        ),
    ),
    Case(
        name="answer-at-response-without-body",
        filters=(AnswersAtResponse,),
        reply=Reply(204, headers={"x-up": "1"}),
        gets=Gets(status=451, headers={"x-up": (), "x-new": ("1",)}, body=b"no"),
    ),
    Case(
        name="answer-at-response-to-head",
        filters=(AnswersAtResponse,),
        send=Send(method="HEAD"),
        reply=TEXT,
        gets=Gets(status=451, headers={"x-up": (), "x-new": ("1",)}, body=b""),
    ),
    Case(
        name="answer-304-in-place-of-a-body",
        filters=(TurnsInto304,),
        reply=TEXT,
        gets=Gets(status=304, headers={"etag": ('"1"',), "x-up": ()}, body=b""),
    ),
    Case(
        name="answer-at-response-body",
        filters=(AnswersAtResponseBody,),
        reply=TEXT,
        gets=Gets(
            status=502,
            headers={"x-up": (), "etag": (), "x-new": ("1",), "content-type": ("text/plain",)},
            body=b"saw 13",
        ),
    ),
    Case(
        name="answer-at-empty-response-body",
        filters=(AnswersAtResponseBody,),
        reply=Reply(headers={"x-up": "1"}),
        gets=Gets(status=502, headers={"x-up": (), "x-new": ("1",)}, body=b"saw 0"),
    ),
    Case(
        name="answer-at-response-body-with-trailers",
        filters=(AnswersAtResponseBody,),
        reply=Reply(body=b"abc", trailers={"x-t": "1"}),
        gets=Gets(status=502, headers={"x-new": ("1",)}, body=b"saw 3"),
    ),
    Case(
        name="answer-at-response-trailers-is-too-late",
        filters=(AnswersAtResponseTrailers,),
        reply=Reply(body=b"abc", trailers={"x-t": "1"}),
        gets=CUT_OFF,
        failure="the response has already begun",
    ),
)
