"""gRPC requests: an answer reaches their client as a gRPC status."""

from __future__ import annotations

from dataclasses import replace

from meshext import Filter, Request, Respond, Response
from meshext.testing import Reply
from tests.conformance.case import Arrives, Case, Gets, Send, note

CALL = Send(
    method="POST",
    target="/shop.Cart/Get",
    headers=(("content-type", "application/grpc"), ("te", "trailers")),
    body=b"\0\0\0\0\x02hi",
)


class Denies(Filter):
    def on_request(self, request: Request) -> Respond:
        return Respond(403, headers={"x-why": "1"}, body="no key given: 100%")


class DeniesQuietly(Filter):
    def on_request(self, request: Request) -> Respond:
        return Respond(401)


class Breaks(Filter):
    def on_request(self, request: Request) -> None:
        raise RuntimeError("broken")


class Passes(Filter):
    def on_request_body(self, request: Request) -> None:
        note(request.body)

    def on_response_trailers(self, response: Response) -> None:
        note(response.trailers["grpc-status"])


class InChunks(Filter):
    def on_request_chunk(self, request: Request, chunk: bytes, last: bool) -> Respond | None:
        return Respond(403, body="no") if b"no" in chunk else None

    def on_response_chunk(self, response: Response, chunk: bytes, last: bool) -> None:
        note("end") if last else None


class HeldBack(Filter):
    State = list[bytes]
    duplex = True

    def on_response_chunk(self, response: Response[list[bytes]], chunk: bytes, last: bool) -> bytes:
        response.state.append(chunk)
        return b"".join(response.state) if last else b""


ANSWER = Reply(
    headers={"content-type": "application/grpc"}, body=b"\0\0\0\0\x02ok", trailers={"grpc-status": "0"}
)

CASES = (
    Case(
        name="grpc-in-chunks",
        filters=(InChunks,),
        send=CALL,
        reply=ANSWER,
        arrives=Arrives(body=CALL.body),
        gets=Gets(body=ANSWER.body, trailers={"grpc-status": ("0",)}),
        notes=(("end",),),
    ),
    Case(
        name="grpc-answered-in-chunks",
        filters=(InChunks,),
        send=replace(CALL, body=b"\0\0\0\0\x02no"),
        arrives=None,
        gets=Gets(status=200, headers={"grpc-status": ("7",), "grpc-message": ("no",)}, body=b""),
    ),
    Case(
        name="grpc-held-back",
        filters=(HeldBack,),
        send=CALL,
        reply=ANSWER,
        arrives=Arrives(body=CALL.body),
        gets=Gets(body=ANSWER.body, trailers={"grpc-status": ("0",)}),
    ),
    Case(
        name="grpc-answered",
        filters=(Denies,),
        send=CALL,
        arrives=None,
        gets=Gets(
            status=200,
            headers={
                "content-type": ("application/grpc",),
                "grpc-status": ("7",),
                "grpc-message": ("no key given: 100%25",),
                "x-why": ("1",),
            },
            body=b"",
        ),
    ),
    Case(
        name="grpc-answered-without-body",
        filters=(DeniesQuietly,),
        send=CALL,
        arrives=None,
        gets=Gets(status=200, headers={"grpc-status": ("16",), "grpc-message": ()}, body=b""),
    ),
    Case(
        name="grpc-failure",
        filters=(Breaks,),
        send=CALL,
        arrives=None,
        gets=Gets(status=200, headers={"grpc-status": ("2",)}, body=b""),
        failure="on_request failed (raised), refused",
    ),
    Case(
        name="grpc-passes",
        filters=(Passes,),
        send=CALL,
        reply=Reply(
            headers={"content-type": "application/grpc"},
            body=b"\0\0\0\0\x02ok",
            trailers={"grpc-status": "0"},
        ),
        arrives=Arrives(body=CALL.body),
        gets=Gets(body=b"\0\0\0\0\x02ok", trailers={"grpc-status": ("0",)}),
        notes=((CALL.body,), ("0",)),
    ),
)
