"""Every way in which an exchange can end is told once, by its name."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from meshext import Filter, Request, Respond, Response
from meshext.engine.watch import NoWatch
from meshext.hosts import ext_proc
from meshext.plan import build_plan
from tests.hosts.forging import (
    body,
    headers,
    response_body,
    response_headers,
    response_trailers,
)
from tests.telemetry.watching import (
    Keeper,
    chain_of,
    check_request,
    play_authz,
    told_of,
)


class Guard(Filter):
    def on_request(self, request: Request) -> Respond | None:
        if request.headers.get("x-do") == "raise":
            raise ValueError("as asked")
        return Respond(403) if request.headers.get("x-do") == "stop" else None


class Lenient(Guard):
    failure = "open"


class Bodies(Filter):
    max_body = 8

    def on_request_body(self, request: Request) -> None:
        pass


class Late(Filter):
    def on_response(self, response: Response) -> Respond | None:
        return None

    def on_response_trailers(self, response: Response) -> Respond | None:
        raise ValueError("too late")


@pytest.mark.parametrize(
    ("filters", "messages", "outcome"),
    [
        ([Guard], [headers(), response_headers(end=True)], ("passed", "", 200)),
        ([Guard], [headers()], ("passed", "", 0)),
        ([Lenient, Guard], [headers(x_do="none")], ("passed", "", 0)),
        ([Lenient], [headers(x_do="raise")], ("passed_open", "lenient", 0)),
        ([Guard], [headers(x_do="stop")], ("answered", "guard", 403)),
        ([Guard], [headers(x_do="raise")], ("failed_closed", "guard", 500)),
        ([Bodies], [headers(end=False), body(b"123456789")], ("oversize", "bodies", 413)),
        ([Bodies], [headers(end=False)], ("abandoned", "", 0)),
        ([Guard], [], ("abandoned", "", 0)),
        ([Guard], [response_headers(end=True)], ("unseen", "", 0)),
        ([Guard], [headers(), headers()], ("refused", "", 0)),
        ([Guard], [b"\xff"], ("refused", "", 0)),
        (
            [Late],
            [headers(), response_headers(), response_body(end=False), response_trailers()],
            ("reset", "late", 200),
        ),
    ],
)
def test_how_a_stream_ended(
    filters: list[type[Filter]], messages: Sequence[bytes], outcome: tuple[str, str, int]
) -> None:
    told = told_of(*filters, messages=messages)
    assert (told.mode, told.outcomes) == ("proc", [outcome])


def test_each_hook_is_told_with_its_failure() -> None:
    told = told_of(Guard, Lenient, messages=[headers()])
    assert told.hooks == [("guard", "on_request", ""), ("lenient", "on_request", "")]
    assert told.request_id == "some-id"
    told = told_of(Lenient, Guard, messages=[headers(x_do="raise")])
    assert told.hooks == [("lenient", "on_request", "raised"), ("guard", "on_request", "raised")]
    assert told.outcomes == [("failed_closed", "guard", 500)]


@pytest.mark.parametrize(
    ("raw", "outcome"),
    [
        (check_request(), ("passed", "", 0)),
        (check_request(x_do="stop"), ("answered", "guard", 403)),
        (check_request(x_do="raise"), ("failed_closed", "guard", 500)),
        (b"", ("refused", "", 0)),
    ],
)
def test_how_a_check_ended(raw: bytes, outcome: tuple[str, str, int]) -> None:
    keeper = Keeper()
    asyncio.run(play_authz(chain_of(Guard), keeper, raw))
    assert [(told.mode, told.outcomes) for told in keeper.told] == [("authz", [outcome])]


class Waiting(Filter):
    entered: asyncio.Event

    async def on_request(self, request: Request) -> None:
        self.entered.set()
        await asyncio.Event().wait()


def test_a_call_that_envoy_takes_back_is_abandoned() -> None:
    async def take_back() -> Keeper:
        keeper, chain = Keeper(), chain_of(Waiting)
        session = ext_proc.Session(chain, build_plan(chain.needs, "proc"), NoWatch(), (), keeper)
        for work in (session.receive(headers()), play_authz(chain, keeper, check_request())):
            Waiting.entered = asyncio.Event()
            task = asyncio.ensure_future(work)
            await Waiting.entered.wait()
            task.cancel()
            await asyncio.wait({task})
        await session.close()
        return keeper

    told = asyncio.run(take_back()).told
    assert [(each.mode, each.outcomes) for each in told] == [
        ("proc", [("abandoned", "", 0)]),
        ("authz", [("abandoned", "", 0)]),
    ]
