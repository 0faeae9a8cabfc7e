"""Chunk hooks that fail: refused, cut off, or passed as if they had not run."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from meshext import Filter, Request, Response
from meshext.testing import Reply
from tests.conformance.case import CUT_OFF, REFUSED, Arrives, Case, Gets, Send

SENT = Send(method="POST", body=b"body")
REPLY = Reply(headers={"x-up": "1"}, body=b"reply")
KINDS = {
    "raises": "(raised)",
    "text": "(nonsense)",
    "array": "(nonsense)",
    "sleeps": "(overdue)",
    "loops": "(overdue)",
}


@dataclass(frozen=True)
class How:
    how: str = "raises"


def loop() -> None:
    """Longer than a hook has, by the clock and in steps; not for ever, as not every runtime can break in."""
    end = time.monotonic() + 3.0
    while time.monotonic() < end:
        for _ in range(1_000_000):
            pass


class Fails(Filter):
    Config = How

    def __init__(self, config: How) -> None:
        self.how = config.how

    def fail(self) -> object:
        match self.how:
            case "raises":
                raise RuntimeError("secret")
            case "text":
                return "nonsense"
            case "loops":
                loop()
        return None


class AtRequest(Fails):
    def on_request_chunk(self, request: Request, chunk: bytes, last: bool) -> object:
        request.response_headers["x-spoilt"] = "1"
        return self.fail()


class AtResponse(Fails):
    def on_response_chunk(self, response: Response, chunk: bytes, last: bool) -> object:
        return self.fail()


class AtRequestOpen(AtRequest):
    failure = "open"


class AtResponseOpen(AtResponse):
    failure = "open"


class SleepsAtRequest(AtRequest):
    """Sleeps, or returns what only CPython has."""

    def fail(self) -> object:
        if self.how == "array":
            return bytearray(b"nonsense")
        time.sleep(0.3)
        return None


class SleepsAtResponse(AtResponse):
    def fail(self) -> object:
        if self.how == "array":
            return bytearray(b"nonsense")
        time.sleep(0.3)
        return None


class SleepsAtRequestOpen(SleepsAtRequest):
    failure = "open"


class SleepsAtResponseOpen(SleepsAtResponse):
    failure = "open"


class AfterMetadata(Filter):
    failure = "open"

    def on_request_chunk(self, request: Request, chunk: bytes, last: bool) -> None:
        request.set_metadata("spoilt", True)
        raise RuntimeError("secret")

    def on_response_chunk(self, response: Response, chunk: bytes, last: bool) -> None:
        response.set_metadata("spoilt", True)
        raise RuntimeError("secret")


class FailsAsync(Filter):
    async def on_request_chunk(self, request: Request, chunk: bytes, last: bool) -> bytes:
        await asyncio.sleep(30)
        return b"late"


class FailsAsyncOpen(FailsAsync):
    failure = "open"


class Upper(Filter):
    def on_request_chunk(self, request: Request, chunk: bytes, last: bool) -> bytes:
        return chunk.upper()


def closed(cls: type[Filter], hook: str, how: str) -> Case:
    begun = hook == "on_response_chunk"
    return Case(
        name=f"{hook}-{how}-closed",
        filters=(cls,),
        configs=({"how": how},),
        send=SENT,
        reply=REPLY,
        arrives=Arrives(body=b"body") if begun else None,
        gets=CUT_OFF if begun else Gets(status=500, headers={"x-spoilt": (), "x-up": ()}),
        failure=f"{hook} failed {KINDS[how]}, refused",
    )


def opened(cls: type[Filter], hook: str, how: str) -> Case:
    return Case(
        name=f"{hook}-{how}-open",
        filters=(cls,),
        configs=({"how": how},),
        send=SENT,
        reply=REPLY,
        arrives=Arrives(body=b"body"),
        gets=Gets(headers={"x-spoilt": (), "x-up": ("1",)}, body=b"reply"),
        failure=f"{hook} failed {KINDS[how]}, passed untouched",
        metadata={},
    )


HOOKS: tuple[tuple[str, type[Filter], type[Filter], tuple[str, ...]], ...] = (
    ("on_request_chunk", AtRequest, AtRequestOpen, ("raises", "text", "loops")),
    ("on_response_chunk", AtResponse, AtResponseOpen, ("raises", "text", "loops")),
    ("on_request_chunk", SleepsAtRequest, SleepsAtRequestOpen, ("array", "sleeps")),
    ("on_response_chunk", SleepsAtResponse, SleepsAtResponseOpen, ("array", "sleeps")),
)

CASES = (
    *(
        case
        for hook, cls, open_cls, hows in HOOKS
        for how in hows
        for case in (closed(cls, hook, how), opened(open_cls, hook, how))
    ),
    Case(
        name="chunk-failure-takes-metadata-back",
        filters=(AfterMetadata,),
        send=SENT,
        reply=REPLY,
        arrives=Arrives(body=b"body"),
        gets=Gets(body=b"reply"),
        failure="on_response_chunk failed (raised), passed untouched",
        metadata={},
    ),
    Case(
        name="async-chunk-hook-overdue-closed",
        filters=(FailsAsync,),
        send=SENT,
        arrives=None,
        gets=REFUSED,
        failure="(overdue), refused",
    ),
    Case(
        name="async-chunk-hook-overdue-open",
        filters=(FailsAsyncOpen,),
        send=SENT,
        arrives=Arrives(body=b"body"),
        failure="(overdue), passed untouched",
    ),
    Case(
        name="chunk-failure-open-in-a-closed-chain",
        filters=(AtRequestOpen, Upper),
        configs=({}, None),
        send=SENT,
        arrives=Arrives(body=b"BODY"),
        failure="passed untouched",
    ),
    Case(
        name="chunk-failure-closed-where-only-trailers-come",
        filters=(AtRequest,),
        configs=({},),
        send=Send(method="POST", trailers=(("x-t", "1"),)),
        arrives=None,
        gets=REFUSED,
        failure="on_request_chunk failed",
    ),
    Case(
        name="chunk-failure-closed-where-no-body-is",
        filters=(AtResponse,),
        configs=({},),
        gets=REFUSED,
        failure="on_response_chunk failed",
    ),
)
