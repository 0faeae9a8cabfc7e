"""on_complete looks back on the whole exchange, however it ended."""

from __future__ import annotations

from dataclasses import dataclass

from meshext import Exchange, Filter, Request, Respond, Response
from meshext.testing import Reply
from tests.conformance.case import Arrives, Case, Gets, Send, note


@dataclass
class Kept:
    began: str = ""


class Completes(Filter):
    State = Kept

    def on_request(self, request: Request[Kept]) -> Respond | None:
        request.state.began = "yes"
        if "stop" in request.path:
            return Respond(403, body="stop")
        if "raise" in request.path:
            raise RuntimeError("broken")
        return None

    def on_complete(self, exchange: Exchange[Kept]) -> None:
        note(exchange.status, exchange.request_size, exchange.response_size, exchange.state.began)
        note(exchange.duration >= 0, exchange.request.path)


class CompletesWithBodies(Completes):
    def on_request_body(self, request: Request[Kept]) -> None:
        request.headers["x-size"] = str(len(request.body))

    def on_response_body(self, response: Response[Kept]) -> None:
        response.body += b"!"


class OnlyCompletes(Filter):
    def on_complete(self, exchange: Exchange) -> None:
        note(exchange.status, exchange.response is not None and exchange.response.headers["x-up"])


class FailsAtTheEnd(Filter):
    def on_request(self, request: Request) -> None:
        request.headers["x-fine"] = "1"

    def on_complete(self, exchange: Exchange) -> None:
        note("ended")
        raise RuntimeError("broken")


CASES = (
    Case(
        name="complete",
        filters=(Completes,),
        send=Send(method="POST", target="/a", body=b"12345"),
        reply=Reply(201, body=b"123"),
        gets=Gets(status=201, body=b"123"),
        notes=((201, 5, 3, "yes"), (True, "/a")),
    ),
    Case(
        name="complete-after-an-answer",
        filters=(Completes,),
        send=Send(target="/stop"),
        arrives=None,
        gets=Gets(status=403),
        notes=((403, 0, 4, "yes"), (True, "/stop")),
    ),
    Case(
        name="complete-with-bodies",
        filters=(CompletesWithBodies,),
        send=Send(method="POST", target="/b", body=b"12345", chunked=True),
        reply=Reply(body=b"123"),
        arrives=Arrives(headers={"x-size": ("5",)}),
        gets=Gets(body=b"123!"),
        notes=((200, 5, 4, "yes"), (True, "/b")),
    ),
    Case(
        name="complete-alone",
        filters=(OnlyCompletes,),
        reply=Reply(204, headers={"x-up": "1"}),
        gets=Gets(status=204),
        notes=((204, "1"),),
    ),
    Case(
        name="complete-fails",
        filters=(FailsAtTheEnd,),
        arrives=Arrives(headers={"x-fine": ("1",)}),
        notes=(("ended",),),
        failure="on_complete failed (raised)",
    ),
)
