"""Cases over HTTP/2: bodies without a length, trailers without a body, cookies on several lines."""

from __future__ import annotations

from dataclasses import replace

from tests.conformance.case import Case
from tests.conformance.cases import bodies, completion, grpc_requests, parts_of_the_target, respond, trailers

FILES = (bodies, completion, grpc_requests, parts_of_the_target, respond, trailers)
AGAIN = (
    "request-body-of-get-is-empty",
    "request-body-shorter",
    "request-body-longer",
    "request-body-emptied",
    "request-body-where-none-was",
    "response-body-shorter",
    "response-body-emptied",
    "response-body-where-none-was",
    "response-body-of-head-replaced",
    "response-body-with-trailers-replaced",
    "response-body-assigned-to-204",
    "answer-bytes",
    "answer-with-large-body",
    "answer-with-repeated-headers",
    "answer-to-head-has-no-body",
    "answer-at-response-body",
    "answer-at-response-body-with-trailers",
    "answer-at-request-trailers",
    "trailers-untouched",
    "request-trailers-changed",
    "request-trailers-without-body",
    "request-body-and-trailers-without-body",
    "body-hooks-run-where-only-trailers-come",
    "request-body-replaced-before-trailers",
    "response-trailers-changed",
    "response-trailers-without-body",
    "response-body-and-trailers",
    "response-trailers-fail",
    "grpc-answered",
    "grpc-passes",
    "complete-with-bodies",
    "cookies",
    "query-read",
)


def again(case: Case) -> Case:
    """The same case over HTTP/2."""
    send = replace(case.send, http2=True, headers=tuple(h for h in case.send.headers if h[0] != "te"))
    return replace(case, name=f"http2-{case.name}", send=send)


def find(name: str) -> Case:
    cases: list[Case] = [case for file in FILES for case in file.CASES]
    return next(case for case in cases if case.name == name)


CASES = tuple(again(find(name)) for name in AGAIN)
