"""Filters that tell what their worker holds, for tests that look for what is left behind."""

import asyncio
import ctypes
import gc
import json
import logging
import os
import sys
import threading
from pathlib import Path
from typing import Any

from meshext import Filter, Request, Respond, Response
from meshext.hosts.ext_proc import Session
from meshext.http.exchange import Exchange

log = logging.getLogger("accounting")


class Mallinfo(ctypes.Structure):
    """glibc's `struct mallinfo2`, over all its arenas."""

    _fields_ = [
        (name, ctypes.c_size_t)
        for name in "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost".split()
    ]


def account() -> dict[str, int]:
    """Of this process: all tasks, open sessions, threads, descriptors; and memory.

    `blocks` are Python's objects and buffers, `native` bytes in use by C code, `spare` what glibc kept of
    bytes that nobody uses any more; `resident` is all pages, `trimmed` all pages once glibc gave those back.
    """
    gc.collect()
    libc = ctypes.CDLL(None)
    libc.mallinfo2.restype = Mallinfo
    heap, resident = libc.mallinfo2(), pages()
    libc.malloc_trim(0)
    return {
        "pid": os.getpid(),
        "tasks": len(asyncio.all_tasks()),
        "sessions": sum(type(each) is Session for each in gc.get_objects()),
        "threads": threading.active_count(),
        "descriptors": len(os.listdir("/proc/self/fd")),
        "blocks": sys.getallocatedblocks(),
        "native": heap.uordblks + heap.hblkhd,
        "spare": heap.fordblks,
        "resident": resident,
        "trimmed": pages(),
    }


def pages() -> int:
    """Resident bytes."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


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
