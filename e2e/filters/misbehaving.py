"""A filter that does whatever a header tells it to, in whatever hook another header names."""

import asyncio
import ctypes
import logging
import os
import re
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from itertools import repeat
from typing import Any

from meshext import Filter, Request, Respond, Response
from meshext.http.headers import Headers

SECRET = "s3cr3t-in-the-text"
AnyMessage = Request[Any] | Response[Any]
NEXT_STATE: list[str] = []
"""What the next State does when it is made."""


class Unprintable(Exception):
    def __str__(self) -> str:
        raise KeyboardInterrupt(SECRET)

    __repr__ = __str__


class Odd:
    def __repr__(self) -> str:
        raise SystemExit(SECRET)


def raising(error: BaseException) -> Callable[[object], object]:
    def hook(_: object) -> object:
        raise error

    return hook


def recurse(message: object) -> object:
    return [recurse(message)]


def loop(_: object) -> None:
    while True:
        pass


def lock(_: object) -> None:
    held = threading.Lock()
    held.acquire()
    held.acquire()


def loop_except_exception(_: object) -> None:
    while True:
        with suppress(Exception):
            time.sleep(0.001)


def swallow_once(_: object) -> None:
    try:
        time.sleep(10)
    except BaseException:
        return


def swallow_and_raise(_: object) -> None:
    try:
        time.sleep(10)
    except BaseException:
        raise ValueError(SECRET) from None


def inescapable(_: object) -> None:
    while True:
        try:
            while True:
                try:
                    while True:
                        try:
                            while True:
                                pass
                        except BaseException:
                            pass
                except BaseException:
                    pass
        except BaseException:
            pass


def stop(_: object) -> None:
    os.kill(os.getpid(), signal.SIGSTOP)


def thread(message: AnyMessage) -> None:
    daemon = isinstance(message, Request) and "x-for-ever" not in message.headers
    threading.Thread(target=threading.Event().wait, args=(3600,), daemon=daemon).start()


def prints(_: object) -> None:
    sys.stdout.write("x" * 300_000)


async def pause() -> None:
    await asyncio.sleep(0)


def replaces_headers(message: AnyMessage) -> None:
    message.headers = {"x-replaced": "1"}  # type: ignore[misc, assignment]  # nonsense on purpose


def smuggles_headers(message: AnyMessage) -> None:
    message.headers = Headers([("x-smuggled", "a\r\nx-evil: b")])  # type: ignore[misc]  # nonsense on purpose


def puts_state_in_place(message: AnyMessage) -> None:
    message.sealed = "nonsense"  # type: ignore[misc, assignment]  # nonsense on purpose
    raise ValueError(SECRET)


def written(name: str, value: str) -> Callable[[AnyMessage], None]:
    def hook(message: AnyMessage) -> None:
        message.headers[name] = value

    return hook


def on_response(name: str, value: str) -> Callable[[AnyMessage], None]:
    def hook(message: AnyMessage) -> None:
        request = message if isinstance(message, Request) else message.request
        request.response_headers[name] = value

    return hook


RAISES: dict[str, Callable[..., object]] = {
    "Exception": raising(ValueError(SECRET)),
    "BaseException": raising(BaseException(SECRET)),
    "SystemExit": raising(SystemExit(SECRET)),
    "KeyboardInterrupt": raising(KeyboardInterrupt(SECRET)),
    "GeneratorExit": raising(GeneratorExit(SECRET)),
    "StopIteration": raising(StopIteration(SECRET)),
    "StopAsyncIteration": raising(StopAsyncIteration(SECRET)),
    "CancelledError": raising(asyncio.CancelledError(SECRET)),
    "TimeoutError": raising(TimeoutError(SECRET)),
    "MemoryError": raising(MemoryError(SECRET)),
    "RecursionError": recurse,
    "group": raising(BaseExceptionGroup(SECRET, [ValueError(SECRET), SystemExit(SECRET)])),
    "unprintable": raising(Unprintable(SECRET)),
    "line breaks": raising(ValueError("one\n12:00:00.000 error   forged [id] line\r\x1b[31m")),
}
HANGS: dict[str, Callable[..., object]] = {
    "loop": loop,
    "sleep": lambda _: time.sleep(3600),
    "lock": lock,
    "event": lambda _: threading.Event().wait(),
    "regex": lambda _: re.match(r"(a+)+$", "a" * 64 + "b"),
    "except Exception": loop_except_exception,
    "power": lambda _: 3**10**9,
    "swallows once": swallow_once,
    "swallows and raises": swallow_and_raise,
}
KILLS: dict[str, Callable[..., object]] = {
    "inescapable": inescapable,
    "sum": lambda _: sum(range(10**12)),
    "endless": lambda _: deque(repeat(0), maxlen=0),
    "stopped": stop,
    "_exit": lambda _: os._exit(0),
    "killed": lambda _: os.kill(os.getpid(), signal.SIGKILL),
    "unnamed signal": lambda _: os.kill(os.getpid(), 40),
    "abort": lambda _: os.abort(),
    "crash": lambda _: ctypes.string_at(0),
}
NONSENSE: dict[str, Callable[..., object]] = {
    "str": lambda _: SECRET,
    "true": lambda _: True,
    "zero": lambda _: 0,
    "tuple": lambda _: (403, SECRET),
    "message": lambda message: message,
    "class": lambda _: Respond,
    "coroutine": lambda _: pause(),
    "generator": lambda _: (each for each in (SECRET,)),
    "odd": lambda _: Odd(),
    "replaces headers": replaces_headers,
    "smuggles headers": smuggles_headers,
    "replaces received": puts_state_in_place,
}
ILLEGAL: dict[str, Callable[..., object]] = {
    "CR LF": written("x-evil", "a\r\nx-more: b"),
    "LF": written("x-evil", "a\nb"),
    "NUL": written("x-evil", "a\0b"),
    "empty name": written("", "a"),
    "name with space": written("x evil", "a"),
    "name with colon": written("x:evil", "a"),
    "name with line": written("x-evil: a\r\nx-more", "a"),
    "pseudo": written(":path", "/other"),
    "host": written("host", "other"),
    "length": written("content-length", "3"),
    "chunked": written("transfer-encoding", "chunked"),
    "response CR LF": on_response("x-evil", "a\r\nset-cookie: b"),
    "bad respond": lambda _: Respond(200, headers={"x-evil": "a\r\nb: c"}),
    "bad status": lambda _: Respond(99),
    "bad body": lambda _: Respond(200, body=3),  # type: ignore[arg-type]  # nonsense on purpose
}
ENDS: dict[str, Callable[..., object]] = RAISES | HANGS | NONSENSE | ILLEGAL
HARMLESS: dict[str, Callable[..., object]] = {"thread": thread, "prints": prints}
ALL = ENDS | KILLS | HARMLESS


def misbehave(hook: str, message: AnyMessage) -> object:
    request = message if isinstance(message, Request) else message.request
    if request.headers.get("x-in", "on_request") != hook:
        return None
    what = request.headers.get("x-do")
    if what is None:
        return None
    if what in HARMLESS:
        return HARMLESS[what](message)
    if hook != "on_response_trailers":
        message.headers["x-written"] = SECRET
    request.response_headers["x-added"] = SECRET
    if isinstance(message, Request):
        message.set_metadata("written", SECRET)
    return ALL[what](message)


@dataclass
class ExchangeState:
    def __post_init__(self) -> None:
        while NEXT_STATE:
            ALL[NEXT_STATE.pop()](None)


class Requests(Filter):
    """Misbehaves on the request's way."""

    name = "misbehaving"
    State = ExchangeState

    def on_request(self, request: Request[ExchangeState]) -> object:
        logging.info("saw %s", request.target)
        if request.path == "/pid":
            return Respond(200, body=f"{os.getpid()} {os.getppid()} {threading.active_count()}")
        if request.path == "/next-state":
            NEXT_STATE.append(request.query["do"])
        request.response_headers["x-early"] = "kept"
        request.headers["x-pid"] = str(os.getpid())
        return misbehave("on_request", request)

    def on_request_body(self, request: Request[ExchangeState]) -> object:
        return misbehave("on_request_body", request)


class Everywhere(Requests):
    """Misbehaves in every hook."""

    name = "misbehaving"

    def on_request_trailers(self, request: Request[ExchangeState]) -> object:
        return misbehave("on_request_trailers", request)

    def on_response(self, response: Response[ExchangeState]) -> object:
        return misbehave("on_response", response)

    def on_response_body(self, response: Response[ExchangeState]) -> object:
        return misbehave("on_response_body", response)

    def on_response_trailers(self, response: Response[ExchangeState]) -> object:
        return misbehave("on_response_trailers", response)

    def on_complete(self, exchange: object) -> object:
        return None


async def never(_: object) -> None:
    await asyncio.Event().wait()


async def stubborn(_: object) -> None:
    while True:
        with suppress(BaseException):
            await asyncio.sleep(0.05)


async def late_writer(request: Request) -> None:
    """Lives on after its time and writes to everything it can reach, as long as anybody may look."""
    objects = (request.headers, request.response_headers)
    while True:
        with suppress(BaseException):
            for headers in (*objects, request.headers, request.response_headers):
                headers["x-late"] = SECRET
            request.set_metadata("late", SECRET)
            request.target = "/late"
            await asyncio.sleep(0.001)


async def blocking(_: object) -> None:
    await asyncio.sleep(0)
    time.sleep(3600)  # noqa: ASYNC251  # what it must not do


async def cancels_itself(_: object) -> None:
    task = asyncio.current_task()
    assert task is not None
    task.cancel()
    await asyncio.sleep(1)


def awaiting(step: Callable[..., object]) -> Callable[[object], Awaitable[object]]:
    async def hook(message: object) -> object:
        await asyncio.sleep(0)
        return step(message)

    return hook


ASYNC_RAISES = {name: awaiting(step) for name, step in RAISES.items()} | {"cancels itself": cancels_itself}
ASYNC_HANGS: dict[str, Callable[..., Awaitable[object]]] = {
    "never": never,
    "stubborn": stubborn,
    "late writer": late_writer,
    "blocking": blocking,
    "swallows once": awaiting(swallow_once),
}
ASYNC_NONSENSE = {"str": awaiting(lambda _: SECRET), "odd": awaiting(lambda _: Odd())}
ASYNC_KILLS: dict[str, Callable[..., Awaitable[object]]] = {
    "inescapable": awaiting(inescapable),
    "sum": awaiting(KILLS["sum"]),
    "stops the loop": awaiting(lambda _: asyncio.get_running_loop().stop()),
    "cancels all": awaiting(lambda _: [task.cancel() for task in asyncio.all_tasks()]),
    "_exit": awaiting(KILLS["_exit"]),
}
ASYNC_ALL = ASYNC_RAISES | ASYNC_HANGS | ASYNC_NONSENSE | ASYNC_KILLS


class OnlyTrailers(Filter):
    """Sees nothing of a response but its trailers, so that it has begun by then."""

    def on_response_trailers(self, response: Response) -> None:
        raise ValueError(SECRET)


class OpenOnlyTrailers(OnlyTrailers):
    failure = "open"


class AsyncRequests(Filter):
    """Misbehaves in an async hook; stands behind one of the others."""

    name = "async-misbehaving"

    async def on_request(self, request: Request) -> object:
        what = request.headers.get("x-do-async")
        if what is None:
            return None
        request.headers["x-written"] = SECRET
        request.response_headers["x-added"] = SECRET
        request.set_metadata("written", SECRET)
        return await ASYNC_ALL[what](request)

    async def on_request_body(self, request: Request) -> None:
        if "x-wait" in request.headers:
            await asyncio.sleep(0.05)


class OpenAsyncRequests(AsyncRequests):
    name = "async-misbehaving"
    failure = "open"


class OpenRequests(Requests):
    name = "misbehaving"
    failure = "open"


class OpenEverywhere(Everywhere):
    name = "misbehaving"
    failure = "open"
