"""Failures of a hook: refused, or passed as if the hook had not run; nothing of it reaches a wire."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import Any

from meshext import Filter, Request, Response
from meshext.testing import Reply
from tests.conformance.case import REFUSED, Arrives, Case, Gets, Send, note

SENT = Send(method="POST", body=b"body", trailers=(("x-t", "1"),))
REPLY = Reply(headers={"x-up": "1"}, body=b"reply", trailers={"x-t": "1"})


@dataclass(frozen=True)
class How:
    hook: str
    how: str = "raises"


class Fails(Filter):
    """Has one hook by configuration, which writes everything it may and then fails."""

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
            case "exits":
                raise SystemExit(3)
            case "text":
                return "nonsense"
            case "sleeps":
                time.sleep(0.3)
        return None

    def on_request(self, request: Request) -> Any:
        spoil_request(request)
        return self.fail()

    def on_request_body(self, request: Request) -> Any:
        spoil_request(request)
        return self.fail()

    def on_request_trailers(self, request: Request) -> Any:
        request.trailers["x-t"] = "spoilt"
        request.response_headers["x-spoilt"] = "1"
        return self.fail()

    def on_response(self, response: Response) -> Any:
        spoil_response(response)
        return self.fail()

    def on_response_body(self, response: Response) -> Any:
        spoil_response(response)
        response.body = b"spoilt"
        return self.fail()


class FailsOpen(Fails):
    failure = "open"


class FailsAsync(Filter):
    async def on_request(self, request: Request) -> None:
        spoil_request(request)
        await asyncio.sleep(30)


class FailsAsyncOpen(FailsAsync):
    failure = "open"


class BreaksState(Filter):
    class State:
        def __init__(self) -> None:
            raise RuntimeError("secret")

    def on_request(self, request: Request[Any]) -> None:
        pass


class CatchesOwnErrors(Filter):
    def on_request(self, request: Request) -> None:
        try:
            request.headers.add("x-a", "\n")
        except ValueError as error:
            note(type(error).__name__)
        request.headers["x-fine"] = "1"


class Allowed(Filter):
    def on_request(self, request: Request) -> None:
        request.headers["x-allowed"] = "1"


def spoil_request(request: Request) -> None:
    request.headers["x-spoilt"] = "1"
    request.path = "/spoilt"
    request.response_headers["x-spoilt"] = "1"
    request.set_metadata("spoilt", True)


def spoil_response(response: Response) -> None:
    response.headers["x-spoilt"] = "1"
    response.status = 202
    response.set_metadata("spoilt", True)


CLEAN = {"x-spoilt": ()}
REQUEST_HOOKS = ("on_request", "on_request_body", "on_request_trailers")
RESPONSE_HOOKS = ("on_response", "on_response_body")
PASSED = Arrives(target="/", headers=CLEAN, body=b"body", trailers={"x-t": ("1",)})
KINDS = {"raises": "(raised)", "exits": "(raised)", "text": "(nonsense)", "sleeps": "(overdue)"}


def closed(hook: str, how: str) -> Case:
    begun = hook in RESPONSE_HOOKS
    return Case(
        name=f"{hook}-{how}-closed",
        filters=(Fails,),
        configs=({"hook": hook, "how": how},),
        send=SENT,
        reply=REPLY,
        arrives=PASSED if begun else None,
        gets=Gets(status=500, headers={**CLEAN, "x-up": ()}),
        failure=f"{hook} failed {KINDS[how]}, refused",
        details=f"meshext_filter_failed:fails:{KINDS[how].strip('()')}",
        metadata={},
    )


def opened(hook: str, how: str) -> Case:
    return Case(
        name=f"{hook}-{how}-open",
        filters=(FailsOpen,),
        configs=({"hook": hook, "how": how},),
        send=SENT,
        reply=REPLY,
        arrives=PASSED,
        gets=Gets(headers={**CLEAN, "x-up": ("1",)}, body=b"reply"),
        failure=f"{hook} failed {KINDS[how]}, passed untouched",
        metadata={},
    )


CASES = (
    *(
        make(hook, how)
        for hook in REQUEST_HOOKS + RESPONSE_HOOKS
        for how in ("raises", "text")
        for make in (closed, opened)
    ),
    *(make("on_request", how) for how in ("exits", "sleeps") for make in (closed, opened)),
    Case(
        name="async-hook-overdue-closed",
        filters=(FailsAsync,),
        arrives=None,
        gets=REFUSED,
        failure="(overdue), refused",
    ),
    Case(
        name="async-hook-overdue-open",
        filters=(FailsAsyncOpen,),
        arrives=Arrives(headers=CLEAN),
        gets=Gets(headers=CLEAN),
        failure="(overdue), passed untouched",
    ),
    Case(
        name="state-fails",
        filters=(BreaksState,),
        arrives=None,
        gets=REFUSED,
        failure="on_request failed (raised)",
    ),
    Case(
        name="own-errors-caught",
        filters=(CatchesOwnErrors,),
        arrives=Arrives(headers={"x-a": (), "x-fine": ("1",)}),
        notes=(("HeaderError",),),
    ),
    Case(
        name="open-filter-in-a-closed-chain",
        filters=(FailsOpen, Allowed),
        configs=({"hook": "on_request"}, None),
        arrives=Arrives(headers={**CLEAN, "x-allowed": ("1",)}),
        failure="passed untouched",
    ),
    Case(
        name="closed-filter-in-an-open-chain",
        filters=(Fails, FailsOpen),
        configs=({"hook": "on_request"}, {"hook": "on_request"}),
        arrives=None,
        gets=REFUSED,
        failure="refused",
    ),
)
