"""Whole bodies, both ways: read, replaced, bounded, and none at all."""

from __future__ import annotations

from dataclasses import dataclass

from meshext import Filter, Request, Response
from meshext.testing import Reply
from tests.conformance.case import REFUSED, Arrives, Case, Gets, Send, note

LIMIT = 1000
READ_ONLY = "can not change a request's body"


class ReadsBody(Filter):
    max_body = LIMIT

    def on_request_body(self, request: Request) -> None:
        note(request.body, request.headers.get("content-length"))
        request.headers["x-size"] = str(len(request.body))


class ReadsMore(Filter):
    max_body = 2 * LIMIT

    def on_request_body(self, request: Request) -> None:
        note("more", len(request.body))


class WritesBody(Filter):
    @dataclass(frozen=True)
    class Config:
        body: str

    def __init__(self, config: Config) -> None:
        self.body = config.body.encode()

    def on_request_body(self, request: Request) -> None:
        request.body = self.body
        request.headers["x-was"] = "changed"


class ReadsResponseBody(Filter):
    max_body = LIMIT

    def on_response_body(self, response: Response) -> None:
        note(response.body, response.status)
        response.headers["x-size"] = str(len(response.body))


class WritesResponseBody(Filter):
    @dataclass(frozen=True)
    class Config:
        body: str
        status: int = 200

    def __init__(self, config: Config) -> None:
        self.config = config

    def on_response_body(self, response: Response) -> None:
        response.body = self.config.body.encode()
        response.status = self.config.status
        response.headers["x-was"] = "changed"


class Empties(Filter):
    def on_request_body(self, request: Request) -> None:
        request.body = b""

    def on_response_body(self, response: Response) -> None:
        response.body = b""


class SetsStatus(Filter):
    def on_response(self, response: Response) -> None:
        response.status = 418
        response.headers["x-was"] = "changed"
        response.headers.add("x-up", "2")
        del response.headers["x-gone"]


class Untouched(Filter):
    def on_request_body(self, request: Request) -> None:
        request.body = bytes(request.body)

    def on_response_body(self, response: Response) -> None:
        response.body = bytes(response.body)


def post(body: bytes, **more: object) -> Send:
    return Send(method="POST", body=body, **more)  # type: ignore[arg-type]  # a Send's own fields


def writes(name: str, sent: bytes, body: str, **more: object) -> Case:
    return Case(
        name=name,
        filters=(WritesBody,),
        configs=({"body": body},),
        send=post(sent, **more),
        arrives=Arrives(body=body.encode(), headers={"x-was": ("changed",)}),
        authz_failure=READ_ONLY,
    )


def rewrites(name: str, reply: Reply, body: str, status: int = 200, send: Send = Send()) -> Case:  # noqa: B008  # it is frozen
    return Case(
        name=name,
        filters=(WritesResponseBody,),
        configs=({"body": body, "status": status},),
        send=send,
        reply=reply,
        gets=Gets(
            status=status,
            body=b"" if send.method == "HEAD" else body.encode(),
            headers={"x-was": ("changed",)},
        ),
    )


CASES = (
    Case(
        name="request-body-read",
        filters=(ReadsBody,),
        send=post(b"\x00\xff body"),
        arrives=Arrives(body=b"\x00\xff body", headers={"x-size": ("7",), "content-length": ("7",)}),
        notes=((b"\x00\xff body", "7"),),
    ),
    Case(
        name="request-body-read-chunked",
        filters=(ReadsBody,),
        send=post(b"chunked", chunked=True),
        arrives=Arrives(body=b"chunked", headers={"x-size": ("7",)}),
        notes=((b"chunked", None),),
    ),
    Case(
        name="request-body-of-get-is-empty",
        filters=(ReadsBody,),
        arrives=Arrives(body=b"", headers={"x-size": ("0",)}),
        notes=((b"", None),),
    ),
    Case(
        name="request-body-of-length-0",
        filters=(ReadsBody,),
        send=Send(method="POST", headers=(("content-length", "0"),)),
        arrives=Arrives(body=b"", headers={"x-size": ("0",)}),
        notes=((b"", "0"),),
    ),
    Case(
        name="request-body-chunked-and-empty",
        filters=(ReadsBody,),
        send=post(b"", chunked=True),
        arrives=Arrives(body=b"", headers={"x-size": ("0",)}),
        notes=((b"", None),),
    ),
    Case(
        name="request-body-at-the-limit",
        filters=(ReadsBody,),
        send=post(b"x" * LIMIT),
        arrives=Arrives(body=b"x" * LIMIT, headers={"x-size": (str(LIMIT),)}),
    ),
    Case(
        name="request-body-one-past-the-limit",
        filters=(ReadsBody,),
        send=post(b"x" * (LIMIT + 1)),
        arrives=None,
        gets=Gets(status=413),
        notes=(),
    ),
    Case(
        name="request-body-one-past-the-limit-chunked",
        filters=(ReadsBody,),
        send=post(b"x" * (LIMIT + 1), chunked=True),
        arrives=None,
        gets=Gets(status=413),
        notes=(),
    ),
    Case(
        name="request-body-limit-is-each-filters-own",
        filters=(ReadsMore, ReadsBody),
        send=post(b"x" * (LIMIT + 1)),
        arrives=None,
        gets=Gets(status=413),
        notes=(("more", LIMIT + 1),),
        details="meshext_body_too_large:reads-body",
    ),
    writes("request-body-shorter", b"a long body", "short"),
    writes("request-body-longer", b"short", "a long body " * 1000),
    writes("request-body-emptied", b"short", ""),
    writes("request-body-replaced-chunked", b"short", "other", chunked=True),
    Case(
        name="bodies-emptied-and-nothing-else",
        filters=(Empties,),
        send=post(b"secret", chunked=True),
        reply=Reply(body=b"secret", trailers={"x-t": "1"}),
        arrives=Arrives(body=b""),
        gets=Gets(body=b"", trailers={"x-t": ("1",)}),
        authz_failure=READ_ONLY,
    ),
    Case(
        name="request-body-where-none-was",
        filters=(WritesBody,),
        configs=({"body": "made"},),
        send=Send(method="POST"),
        arrives=Arrives(body=b"made", headers={"x-was": ("changed",), "content-length": ()}),
        authz_failure=READ_ONLY,
    ),
    Case(
        name="request-body-where-get-had-none",
        filters=(WritesBody,),
        configs=({"body": "made"},),
        arrives=Arrives(body=b"made", headers={"x-was": ("changed",)}),
        authz_failure=READ_ONLY,
    ),
    Case(
        name="bodies-written-back",
        filters=(Untouched,),
        send=post(b"same"),
        reply=Reply(body=b"same too"),
        arrives=Arrives(body=b"same", headers={"content-length": ("4",)}),
        gets=Gets(body=b"same too", headers={"content-length": ("8",)}),
    ),
    Case(
        name="response-body-read",
        filters=(ReadsResponseBody,),
        reply=Reply(201, body=b"\x00\xff body"),
        gets=Gets(status=201, body=b"\x00\xff body", headers={"x-size": ("7",), "content-length": ("7",)}),
        notes=((b"\x00\xff body", 201),),
    ),
    *(
        Case(
            name=f"response-body-of-{status}-is-empty",
            filters=(ReadsResponseBody,),
            reply=Reply(status),
            gets=Gets(status=status, body=b"", headers={"x-size": ("0",)}),
            notes=((b"", status),),
        )
        for status in (200, 204, 304)
    ),
    Case(
        name="response-body-of-head-is-empty",
        filters=(ReadsResponseBody,),
        send=Send(method="HEAD"),
        reply=Reply(body=b"hidden"),
        gets=Gets(body=b"", headers={"x-size": ("0",), "content-length": ("6",)}),
        notes=((b"", 200),),
    ),
    Case(
        name="response-body-at-the-limit",
        filters=(ReadsResponseBody,),
        reply=Reply(body=b"x" * LIMIT),
        gets=Gets(body=b"x" * LIMIT, headers={"x-size": (str(LIMIT),)}),
    ),
    Case(
        name="response-body-one-past-the-limit",
        filters=(ReadsResponseBody,),
        reply=Reply(body=b"x" * (LIMIT + 1)),
        gets=REFUSED,
        notes=(),
    ),
    rewrites("response-body-shorter", Reply(body=b"a long body"), "short"),
    rewrites("response-body-longer", Reply(body=b"short"), "a long body " * 1000),
    rewrites("response-body-emptied", Reply(body=b"short"), ""),
    rewrites("response-body-where-none-was", Reply(), "made"),
    rewrites("response-body-and-status", Reply(500, body=b"stack trace"), "sorry", 503),
    rewrites("response-body-of-head-replaced", Reply(body=b"hidden"), "made", send=Send(method="HEAD")),
    rewrites("response-body-with-trailers-replaced", Reply(body=b"short", trailers={"x-t": "1"}), "other"),
    Case(
        name="response-body-assigned-to-204",
        filters=(WritesResponseBody,),
        configs=({"body": "made", "status": 204},),
        reply=Reply(204),
        gets=Gets(status=204, body=b"", headers={"x-was": ("changed",)}),
    ),
    Case(
        name="response-status-and-headers",
        filters=(SetsStatus,),
        reply=Reply(200, headers=(("x-up", "1"), ("x-gone", "1"), ("X-Gone", "2")), body=b"teapot"),
        gets=Gets(
            status=418,
            body=b"teapot",
            headers={"x-was": ("changed",), "x-up": ("1", "2"), "x-gone": ()},
        ),
    ),
)
