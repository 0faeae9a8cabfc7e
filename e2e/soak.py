"""Many requests, and many clients that go away in mid-body: what the worker holds stays as it was.

`python -m e2e.soak [REQUESTS [DISCONNECTS [KIND...]]]` (100,000 and 10,000) prints what the worker held along
the way, for each kind of filter, and ends with 1 where something grew. It needs glibc, which counts C code's
memory.

Pages alone say little: after a burst glibc keeps some 10 to 20 MB that nobody uses, and gives them back
later. So objects, bytes in use and the pages that are left after a trim are judged each by itself.
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
from meshext.hosts.initial_metadata import ORIGINS
from meshext.plan import Mode
from meshext.sandbox import Sandbox, Setup

FILTER = Path(__file__).parent / "filters" / "accounting.py"
KINDS: dict[str, tuple[Mode, str]] = {
    "chunks": ("proc", "CompletesChunks"),
    "authz": ("authz", "ChecksBodies"),
    "proc": ("proc", "CompletesBodies"),
}
FLAT = ("pid", "tasks", "sessions", "threads", "descriptors")
BYTES = ("native", "spare", "resident", "trimmed")
MEMORY = ("blocks", "native", "trimmed")
SLACK = {"descriptors": 1}
"""Envoy may close a connection and open another while we look."""

BLOCKS = 2_000
"""Python's blocks that may come on top, of all exchanges together: one kept of each would be 100,000."""
NATIVE = 1 << 20
"""Bytes of C code that may come on top: connections' buffers and tables."""
CHUNK = 32
"""The least that malloc keeps, in bytes: half of it for each exchange is something kept of half of them."""
OPS = 3 * 96
"""Bytes that grpcio may lose of a stream that Envoy resets: the operations of a read, a write and the last
status, 80 bytes each and malloc's own (https://github.com/grpc/grpc/issues/43360)."""
PAGES = 6 << 20
"""Bytes by which pages may grow beyond what is in use: holes between what lives on."""
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
            for _ in range(ORIGINS // CLIENTS + 1):
                await requests(
                    port, CLIENTS
                )  # on connections of their own, of which the worker remembers some
            await disconnects(port, WARM_UP // 10)
            first = await account(port)
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
    before = await account(port)
    for part in range(1, SAMPLES + 1):
        began = time.monotonic()
        statuses = await step(port, count // SAMPLES)
        now = await account(port)
        took = time.monotonic() - began
        say(f"{kind}: {step.__name__} {part * count // SAMPLES} {show(now)} ({took:.0f} s)")
        if set(statuses) - {200}:
            problems.append(f"{kind}: statuses {dict(statuses)}")
        problems += [
            f"{kind}: {name} {first[name]} became {now[name]}"
            for name in FLAT
            if now[name] - first[name] > SLACK.get(name, 0)
        ]
    say(f"{kind}: {step.__name__} left {growth(before, now, count)} each")
    return problems + [f"{kind}: {step.__name__}: {problem}" for problem in grown(before, now, step, count)]


def grown(before: Account, now: Account, step: Step, count: int) -> list[str]:
    """What so many exchanges left behind."""
    each = OPS if step is disconnects else CHUNK // 2
    native = now["native"] - before["native"]
    limits = {
        "blocks": BLOCKS,
        "native": NATIVE + each * count,
        "trimmed": PAGES + max(native, 0),
    }
    return [
        f"{name} {before[name]} became {now[name]}, at most {limit} more was allowed"
        for name, limit in limits.items()
        if now[name] - before[name] > limit
    ]


def growth(before: Account, now: Account, count: int) -> str:
    """Of one exchange: Python's blocks, C code's bytes, bytes of pages."""
    return ", ".join(f"{name} {(now[name] - before[name]) / count:+.3f}" for name in MEMORY)


def show(account: Account) -> str:
    """One line of what a worker holds, bytes in KiB."""
    counts = [f"{name} {account[name]}" for name in (*FLAT[1:], "blocks")]
    return ", ".join(counts + [f"{name} {account[name] >> 10}" for name in BYTES])


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
        for kind in arguments[2:] or KINDS
        for problem in asyncio.run(soak(kind, {requests: count, disconnects: breaks}, say))
    ]
    for problem in problems:
        say(f"PROBLEM {problem}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
