"""Filters that tell what their worker holds, for tests that look for what is left behind."""

import asyncio
import gc
import json
import logging
import os
import threading
from pathlib import Path
from typing import Any

from meshext import Filter, Request, Respond, Response
from meshext.hosts.ext_proc import Session
from meshext.http.exchange import Exchange

log = logging.getLogger("accounting")


def account() -> dict[str, int]:
    """Of this process: all tasks, open sessions, threads, descriptors, resident bytes."""
    gc.collect()
    return {
        "pid": os.getpid(),
        "tasks": len(asyncio.all_tasks()),
        "sessions": sum(type(each) is Session for each in gc.get_objects()),
        "threads": threading.active_count(),
        "descriptors": len(os.listdir("/proc/self/fd")),
        "resident": int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE"),
    }


class Checks(Filter):
    """Answers `/account`, and waits at `x-wait` until its caller is gone."""

    time_limit = 10.0

    async def on_request(self, request: Request[Any]) -> Respond | None:
        if request.path == "/account":
            return Respond(200, body=json.dumps(account()))
        log.info("began %s", request.target)
        if "x-wait" in request.headers:
            log.info("waits %s", request.target)
            await asyncio.sleep(8)
        return None


class ChecksBodies(Checks):
    """The same for requests as a whole."""

    def on_request_body(self, request: Request[Any]) -> None:
        log.info("got %s", request.target)


class Completes(Checks):
    """The same, with an end that is noted."""

    def on_response(self, response: Response[Any]) -> None:
        response.headers["x-seen"] = "yes"

    def on_complete(self, exchange: Exchange[Any]) -> None:
        log.info("ended %s %s.", exchange.request.target, exchange.status)


class CompletesBodies(Completes):
    """The same with whole bodies both ways."""

    def on_request_body(self, request: Request[Any]) -> None:
        log.info("got %s", request.target)

    def on_response_body(self, response: Response[Any]) -> None:
        response.headers["x-size"] = str(len(response.body))


class CompletesChunks(Completes):
    """The same with bodies as they flow."""

    def on_request_chunk(self, request: Request[Any], chunk: bytes, last: bool) -> None:
        return None

    def on_response_chunk(self, response: Response[Any], chunk: bytes, last: bool) -> None:
        return None
