"""Many requests, and many clients that go away in mid-body: what the worker holds stays as it was.

`python -m e2e.soak [REQUESTS [DISCONNECTS]]` (100,000 and 10,000) prints what the worker held along the way,
for each kind of filter, and ends with 1 where something grew.
"""

from __future__ import annotations

import asyncio
import json
import random
import re
import sys
import time
import warnings
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

from e2e.holding import LAST_CHUNK, holding
from meshext.envoy.upstreams import parse_upstream
from meshext.plan import Mode
from meshext.sandbox import Sandbox, Setup

FILTER = Path(__file__).parent / "filters" / "accounting.py"
KINDS: dict[str, tuple[Mode, str]] = {
    "chunks": ("proc", "CompletesChunks"),
    "authz": ("authz", "ChecksBodies"),
    "proc": ("proc", "CompletesBodies"),
}
FLAT = ("pid", "tasks", "sessions", "threads", "descriptors")
SLACK = {"descriptors": 1}
"""Envoy may close a connection and open another while we look."""

GROWTH = 8 << 20
"""Bytes that the resident memory may grow by after the warm-up; allocators keep pages."""
STREAM = 160
"""Bytes that grpcio keeps of each stream that Envoy ends: a bare aio servicer, without any of our code,
grew by 133 for each (grpcio 1.85.1)."""
CLIENTS = 32
WARM_UP = 5_000
SAMPLES = 5
BODY = b"x" * 2_000
GET = b"GET /soak HTTP/1.1\r\nhost: soak\r\n\r\n"
POST = b"POST /soak HTTP/1.1\r\nhost: soak\r\ncontent-length: %d\r\n\r\n"
Account = dict[str, int]


async def read_answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """Status and body."""
    head = await reader.readuntil(b"\r\n\r\n")
    status = int(head.split(b" ", 2)[1])
    length = re.search(rb"content-length: (\d+)", head)
    if length is None:
        return status, await reader.readuntil(LAST_CHUNK)
    return status, await reader.readexactly(int(length[1]))


async def account(port: int) -> Account:
    """What the worker holds when nothing else is under way; waits until its tasks are done."""
    for _ in range(100):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /account HTTP/1.1\r\nhost: soak\r\n\r\n")
        found: Account = json.loads((await read_answer(reader))[1])
        writer.close()
        if found["sessions"] <= 1:  # its own
            break
        await asyncio.sleep(0.05)
    return found


async def requests(port: int, count: int) -> Counter[int]:
    """So many requests, with and without a body, on connections that are kept; their statuses."""
    statuses: Counter[int] = Counter()

    async def client(share: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for number in range(share):
            writer.write(POST % len(BODY) + BODY if number % 2 else GET)
            statuses[(await read_answer(reader))[0]] += 1
        writer.close()

    await asyncio.gather(*(client(count // CLIENTS) for _ in range(CLIENTS)))
    return statuses


async def disconnects(port: int, count: int) -> Counter[int]:
    """So many requests that break off in their body, some at once and some a little later."""

    async def client(share: int) -> None:
        for _ in range(share):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(POST % (50 * len(BODY)) + BODY)
            with suppress(ConnectionError):
                await writer.drain()
            await asyncio.sleep(random.uniform(0.0, 0.03))
            writer.transport.abort()

    await asyncio.gather(*(client(count // CLIENTS) for _ in range(CLIENTS)))
    return Counter()


Step = Callable[[int, int], Awaitable[Counter[int]]]


async def soak(kind: str, counts: dict[Step, int], say: Callable[[str], None]) -> list[str]:
    """What grew, or failed, in one kind of filter; nothing where all is well."""
    mode, cls = KINDS[kind]
    async with holding(0.0) as upstream:
        upstreams = (parse_upstream(f"soak={upstream}"),)
        setup = Setup(specs=(f"{FILTER}:{cls}",), mode=mode, upstreams=upstreams, log_level="warning")
        async with Sandbox(setup, on_line=lambda _: None) as sandbox:
            port = int(sandbox.url.rpartition(":")[2])
            await requests(port, WARM_UP)
            await disconnects(port, WARM_UP // 10)
            first = await account(port)
            if mode == "proc":
                first["resident"] += STREAM * sum(counts.values())
            say(f"{kind}: after the warm-up {show(first)}")
            return [
                problem
                for step, count in counts.items()
                for problem in await walk(kind, port, step, count, first, say)
            ]


async def walk(
    kind: str, port: int, step: Step, count: int, first: Account, say: Callable[[str], None]
) -> list[str]:
    """One step in `SAMPLES` parts, with a look at the worker after each."""
    problems = []
    for part in range(1, SAMPLES + 1):
        began = time.monotonic()
        statuses = await step(port, count // SAMPLES)
        now = await account(port)
        took = time.monotonic() - began
        say(f"{kind}: {step.__name__} {part * count // SAMPLES} {show(now)} ({took:.0f} s)")
        problems += [
            f"{kind}: {name} {first[name]} became {now[name]}"
            for name in FLAT
            if now[name] - first[name] > SLACK.get(name, 0)
        ]
        if now["resident"] > first["resident"] + GROWTH:
            problems.append(f"{kind}: resident memory {first['resident']} became {now['resident']}")
        if set(statuses) - {200}:
            problems.append(f"{kind}: statuses {dict(statuses)}")
    return problems


def show(account: Account) -> str:
    """One line of what a worker holds."""
    return ", ".join(f"{name} {account[name]}" for name in FLAT[1:]) + f", {account['resident'] >> 10} KiB"


def main(arguments: list[str]) -> int:
    """All kinds, one after the other."""
    warnings.simplefilter("ignore")  # envoy-data-plane is made for an older pydantic
    count, breaks = (
        int(arguments[0]) if arguments else 100_000,
        int(arguments[1]) if arguments[1:] else 10_000,
    )

    def say(line: str) -> None:
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()

    problems = [
        problem
        for kind in KINDS
        for problem in asyncio.run(soak(kind, {requests: count, disconnects: breaks}, say))
    ]
    for problem in problems:
        say(f"PROBLEM {problem}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
