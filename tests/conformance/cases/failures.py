"""Failures of a hook: refused, or passed as if the hook had not run; nothing of it reaches a wire."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from meshext import Filter, Request, Response
from meshext.testing import Reply
from tests.conformance.case import REFUSED, Arrives, Case, Gets, Send, note

SENT = Send(method="POST", body=b"body", trailers=(("x-t", "1"),))
REPLY = Reply(headers={"x-up": "1"}, body=b"reply", trailers={"x-t": "1"})


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
    """A filter below writes everything that its hook may, and then fails as it is told."""

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
    def on_request(self, request: Request) -> object:
        spoil_request(request)
        return self.fail()


class AtRequestBody(Fails):
    def on_request_body(self, request: Request) -> object:
        spoil_request(request)
        return self.fail()


class AtRequestTrailers(Fails):
    def on_request_trailers(self, request: Request) -> object:
        request.trailers["x-t"] = "spoilt"
        request.response_headers["x-spoilt"] = "1"
        return self.fail()


class AtResponse(Fails):
    def on_response(self, response: Response) -> object:
        spoil_response(response)
        return self.fail()


class AtResponseBody(Fails):
    def on_response_body(self, response: Response) -> object:
        spoil_response(response)
        response.body = b"spoilt"
        return self.fail()


class AtRequestOpen(AtRequest):
    failure = "open"


class AtRequestBodyOpen(AtRequestBody):
    failure = "open"


class AtRequestTrailersOpen(AtRequestTrailers):
    failure = "open"


class AtResponseOpen(AtResponse):
    failure = "open"


class AtResponseBodyOpen(AtResponseBody):
    failure = "open"


class Exits(Filter):
    def on_request(self, request: Request) -> None:
        spoil_request(request)
        raise SystemExit(3)


class ExitsOpen(Exits):
    failure = "open"


class Sleeps(Filter):
    def on_request(self, request: Request) -> None:
        spoil_request(request)
        time.sleep(0.3)


class SleepsOpen(Sleeps):
    failure = "open"


class AfterMetadata(Filter):
    def on_request(self, request: Request) -> None:
        request.set_metadata("spoilt", True)
        raise RuntimeError("secret")

    def on_response(self, response: Response) -> None:
        response.set_metadata("spoilt", True)
        raise RuntimeError("secret")


class AfterMetadataOpen(AfterMetadata):
    failure = "open"


class FailsAsync(Filter):
    async def on_request(self, request: Request) -> None:
        spoil_request(request)
        await asyncio.sleep(30)


class FailsAsyncOpen(FailsAsync):
    failure = "open"


class Broken:
    def __init__(self) -> None:
        raise RuntimeError("secret")


class BreaksState(Filter):
    State = Broken

    def on_request(self, request: Request[Broken]) -> None:
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


def spoil_response(response: Response) -> None:
    response.headers["x-spoilt"] = "1"
    response.status = 202


CLEAN = {"x-spoilt": ()}
HOOKS: tuple[tuple[str, type[Filter], type[Filter]], ...] = (
    ("on_request", AtRequest, AtRequestOpen),
    ("on_request_body", AtRequestBody, AtRequestBodyOpen),
    ("on_request_trailers", AtRequestTrailers, AtRequestTrailersOpen),
    ("on_response", AtResponse, AtResponseOpen),
    ("on_response_body", AtResponseBody, AtResponseBodyOpen),
)
PASSED = Arrives(target="/", headers=CLEAN, body=b"body", trailers={"x-t": ("1",)})
KINDS = {"raises": "raised", "exits": "raised", "text": "nonsense", "sleeps": "overdue", "loops": "overdue"}


def closed(cls: type[Filter], hook: str, how: str, configs: tuple[object, ...] = ()) -> Case:
    return Case(
        name=f"{hook}-{how}-closed",
        filters=(cls,),
        configs=configs,
        send=SENT,
        reply=REPLY,
        arrives=PASSED if hook.startswith("on_response") else None,
        gets=Gets(status=500, headers={**CLEAN, "x-up": ()}),
        failure=f"{hook} failed ({KINDS[how]}), refused",
        details=f"meshext_filter_failed:{cls.name}:{KINDS[how]}",
        metadata={},
    )


def opened(cls: type[Filter], hook: str, how: str, configs: tuple[object, ...] = ()) -> Case:
    return Case(
        name=f"{hook}-{how}-open",
        filters=(cls,),
        configs=configs,
        send=SENT,
        reply=REPLY,
        arrives=PASSED,
        gets=Gets(headers={**CLEAN, "x-up": ("1",)}, body=b"reply"),
        failure=f"{hook} failed ({KINDS[how]}), passed untouched",
        metadata={},
    )


CASES = (
    *(
        case
        for hook, cls, open_cls in HOOKS
        for how in ("raises", "text", "loops")
        for case in (closed(cls, hook, how, ({"how": how},)), opened(open_cls, hook, how, ({"how": how},)))
    ),
    *(
        case
        for how, cls, open_cls in (("exits", Exits, ExitsOpen), ("sleeps", Sleeps, SleepsOpen))
        for case in (closed(cls, "on_request", how), opened(open_cls, "on_request", how))
    ),
    Case(
        name="failure-takes-metadata-back-closed",
        filters=(AfterMetadata,),
        arrives=None,
        gets=REFUSED,
        failure="on_request failed (raised), refused",
        metadata={},
    ),
    Case(
        name="failure-takes-metadata-back-open",
        filters=(AfterMetadataOpen,),
        failure="on_response failed (raised), passed untouched",
        metadata={},
    ),
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
        filters=(AtRequestOpen, Allowed),
        configs=({}, None),
        arrives=Arrives(headers={**CLEAN, "x-allowed": ("1",)}),
        failure="passed untouched",
    ),
    Case(
        name="closed-filter-in-an-open-chain",
        filters=(AtRequest, AtRequestOpen),
        configs=({}, {}),
        arrives=None,
        gets=REFUSED,
        failure="refused",
    ),
)
