"""Upgrades that meet a filter which wants the whole body: refused, since what follows is none."""

from __future__ import annotations

from meshext import Filter, Request, Respond, Response
from tests.conformance.case import Arrives, Case, Gets, Send, note

UPGRADE = Send(
    target="/chat",
    headers=(
        ("connection", "keep-alive, Upgrade"),
        ("upgrade", "websocket"),
        ("sec-websocket-version", "13"),
    ),
)


class Whole(Filter):
    def on_request_body(self, request: Request) -> None:
        note("whole")


class Open(Whole):
    failure = "open"


class HidesTheUpgrade(Whole):
    def on_request(self, request: Request) -> None:
        del request.headers["upgrade"]


class Denies(Whole):
    def on_request(self, request: Request) -> Respond:
        return Respond(403)


class Sees(Filter):
    def on_response(self, response: Response) -> None:
        note(response.status)


class WholeResponse(Filter):
    def on_response_body(self, response: Response) -> None:
        note("whole response")


class SkipsUpgrades(Whole):
    def on_request(self, request: Request) -> None:
        request.skip_body()


class DuplexRequest(Filter):
    duplex = True

    def on_request_chunk(self, request: Request, chunk: bytes, last: bool) -> None:
        note("chunk")


class DuplexResponse(Filter):
    duplex = True

    def on_response_chunk(self, response: Response, chunk: bytes, last: bool) -> None:
        note("chunk")


CASES = (
    Case(
        name="upgrade-meets-a-whole-body",
        filters=(Whole,),
        send=UPGRADE,
        arrives=None,
        gets=Gets(status=501),
        notes=(),
        details="meshext_tunnel_refused:whole",
    ),
    Case(
        name="upgrade-meets-a-whole-body-although-open",
        filters=(Open,),
        send=UPGRADE,
        arrives=None,
        gets=Gets(status=501),
        notes=(),
    ),
    Case(
        name="upgrade-can-not-be-hidden-from-a-whole-body",
        filters=(HidesTheUpgrade,),
        send=UPGRADE,
        arrives=None,
        gets=Gets(status=501),
        notes=(),
    ),
    Case(
        name="upgrade-denied-before-its-body",
        filters=(Denies,),
        send=UPGRADE,
        arrives=None,
        gets=Gets(status=403),
    ),
    Case(
        name="upgrade-refused-in-a-chain",
        filters=(Sees, Whole),
        send=UPGRADE,
        arrives=None,
        gets=Gets(status=501),
        notes=((501,),),
    ),
    Case(
        name="upgrade-meets-a-whole-response-beside-full-duplex",
        filters=(Sees, DuplexRequest, WholeResponse),
        send=UPGRADE,
        arrives=None,
        gets=Gets(status=501),
        notes=((501,),),
        details="meshext_tunnel_refused:whole-response",
    ),
    Case(
        name="upgrade-skips-a-whole-request-beside-full-duplex",
        filters=(SkipsUpgrades, DuplexResponse),
        send=UPGRADE,
        arrives=None,
        gets=Gets(status=501),
        notes=(("chunk",),),  # of the answer
        details="meshext_tunnel_refused:skips-upgrades",
    ),
    Case(
        name="upgrade-denied-beside-full-duplex",
        filters=(Denies, DuplexResponse),
        send=UPGRADE,
        arrives=None,
        gets=Gets(status=403),
    ),
    *(
        Case(
            name=f"upgrade-that-is-none-{name}",
            filters=(Whole,),
            send=Send(headers=headers),
            arrives=Arrives(),
            notes=(("whole",),),
        )
        for name, headers in (
            ("without-connection", (("upgrade", "websocket"),)),
            ("without-name", (("connection", "upgrade"),)),
        )
    ),
)
