"""Chunk hooks that fail: refused, cut off, or passed as if they had not run."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import Any

from meshext import Filter, Request, Response
from meshext.testing import Reply
from tests.conformance.case import CUT_OFF, REFUSED, Arrives, Case, Gets, Send

SENT = Send(method="POST", body=b"body")
REPLY = Reply(headers={"x-up": "1"}, body=b"reply")
KINDS = {"raises": "(raised)", "text": "(nonsense)", "array": "(nonsense)", "sleeps": "(overdue)"}


@dataclass(frozen=True)
class How:
    hook: str
    how: str = "raises"


class Fails(Filter):
    Config = How

    def __init__(self, config: How) -> None:
        self.config = config

    @classmethod
    def needs(cls, config: How) -> Any:
        hooks = super().needs(config).hooks
        return super().needs(config).without(*(hook for hook in hooks if hook != config.hook))

    def fail(self) -> Any:
        match self.config.how:
            case "raises":
                raise RuntimeError("secret")
            case "text":
                return "nonsense"
            case "array":
                return bytearray(b"nonsense")
            case "sleeps":
                time.sleep(0.3)
        return None

    def on_request_chunk(self, request: Request, chunk: bytes, last: bool) -> Any:
        request.response_headers["x-spoilt"] = "1"
        request.set_metadata("spoilt", True)
        return self.fail()

    def on_response_chunk(self, response: Response, chunk: bytes, last: bool) -> Any:
        response.set_metadata("spoilt", True)
        return self.fail()


class FailsOpen(Fails):
    failure = "open"


class FailsAsync(Filter):
    async def on_request_chunk(self, request: Request, chunk: bytes, last: bool) -> bytes:
        await asyncio.sleep(30)
        return b"late"


class FailsAsyncOpen(FailsAsync):
    failure = "open"


class Upper(Filter):
    def on_request_chunk(self, request: Request, chunk: bytes, last: bool) -> bytes:
        return chunk.upper()


def closed(hook: str, how: str) -> Case:
    begun = hook == "on_response_chunk"
    return Case(
        name=f"{hook}-{how}-closed",
        filters=(Fails,),
        configs=({"hook": hook, "how": how},),
        send=SENT,
        reply=REPLY,
        arrives=Arrives(body=b"body") if begun else None,
        gets=CUT_OFF if begun else Gets(status=500, headers={"x-spoilt": (), "x-up": ()}),
        failure=f"{hook} failed {KINDS[how]}, refused",
    )


def opened(hook: str, how: str) -> Case:
    return Case(
        name=f"{hook}-{how}-open",
        filters=(FailsOpen,),
        configs=({"hook": hook, "how": how},),
        send=SENT,
        reply=REPLY,
        arrives=Arrives(body=b"body"),
        gets=Gets(headers={"x-spoilt": (), "x-up": ("1",)}, body=b"reply"),
        failure=f"{hook} failed {KINDS[how]}, passed untouched",
        metadata={},
    )


CASES = (
    *(
        make(hook, how)
        for hook in ("on_request_chunk", "on_response_chunk")
        for how in KINDS
        for make in (closed, opened)
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
        filters=(FailsOpen, Upper),
        configs=({"hook": "on_request_chunk"}, None),
        send=SENT,
        arrives=Arrives(body=b"BODY"),
        failure="passed untouched",
    ),
    Case(
        name="chunk-failure-closed-where-only-trailers-come",
        filters=(Fails,),
        configs=({"hook": "on_request_chunk"},),
        send=Send(method="POST", trailers=(("x-t", "1"),)),
        arrives=None,
        gets=REFUSED,
        failure="on_request_chunk failed",
    ),
    Case(
        name="chunk-failure-closed-where-no-body-is",
        filters=(Fails,),
        configs=({"hook": "on_response_chunk"},),
        gets=REFUSED,
        failure="on_response_chunk failed",
    ),
)
