"""Cases over HTTP/2: bodies without a length, trailers without a body, cookies on several lines."""

from __future__ import annotations

from dataclasses import replace

from tests.conformance.case import Case
from tests.conformance.cases import (
    bodies,
    chunk_failures,
    chunks,
    completion,
    duplex,
    flowing_past,
    grpc_requests,
    parts_of_the_target,
    respond,
    trailers,
)

FILES = (
    bodies,
    chunk_failures,
    chunks,
    completion,
    duplex,
    flowing_past,
    grpc_requests,
    parts_of_the_target,
    respond,
    trailers,
)
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
    "chunks-left-large",
    "chunks-left-large-before-trailers",
    "chunks-swallowed",
    "chunks-of-no-body",
    "chunks-of-head",
    "chunks-where-no-body-was",
    "chunks-answered",
    "chunks-answered-at-the-response",
    "chunks-where-only-trailers-come",
    "chunks-beside-a-whole-body-and-trailers",
    "on_response_chunk-raises-closed",
    "on_response_chunk-raises-open",
    "duplex-held-back",
    "duplex-held-back-large",
    "duplex-held-back-large-before-trailers",
    "duplex-where-only-trailers-come",
    "duplex-response-fails",
    "oversize-passes-1001",
    "oversize-passes-3000000",
    "oversize-passes-3000000-before-trailers",
    "oversize-response-passes-3000000",
    "oversize-response-passes-3000000-before-trailers",
    "oversize-before-trailers-at-the-limit",
    "skipped-3000000-before-trailers",
    "skipped-response-3000000",
    "grpc-in-chunks",
    "grpc-held-back",
)


def again(case: Case) -> Case:
    """The same case over HTTP/2."""
    send = replace(case.send, http2=True, headers=tuple(h for h in case.send.headers if h[0] != "te"))
    return replace(case, name=f"http2-{case.name}", send=send)


def find(name: str) -> Case:
    cases: list[Case] = [case for file in FILES for case in file.CASES]
    return next(case for case in cases if case.name == name)


CASES = tuple(again(find(name)) for name in AGAIN)
