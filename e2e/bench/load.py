"""Load on one address: a fixed number of requests, closed loop, every answer counted.

`h2load` (Debian: nghttp2-client) measures; the small loop in Python is for trying the pieces where it is not
installed, and its own cost is too high to measure with.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

HEADERS = {
    "x-key": "k-4f2a91",
    "accept": "application/json, text/plain;q=0.9, */*;q=0.8",
    "accept-language": "en-GB,en;q=0.8",
    "cookie": "session=6f1e8d0c5b7a4e39; theme=dark",
}
TARGET = "/orders?page=2"
LIMIT = 300.0  # seconds for one load


class LoadError(Exception):
    """No load, or answers that were not 200."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What to send: `requests` in all, over so many connections; with a body it is a POST.

    `rate` is the requests a second of each connection; 0 sends the next one as soon as one is answered.
    """

    requests: int
    connections: int
    body: bytes = b""
    target: str = TARGET
    rate: int = 0


@dataclass(frozen=True, slots=True)
class Answered:
    """One request: when it was sent, in seconds of the clock, its status, and the seconds it took."""

    sent: float
    status: int
    took: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """Seconds, from the request's first byte to the answer's last."""

    p50: float
    p99: float


def summarise(times: list[float]) -> Latency:
    """The percentiles, nearest rank."""
    times.sort()
    return Latency(p50=times[len(times) // 2], p99=times[min(len(times) - 1, len(times) * 99 // 100)])


def find_h2load() -> str:
    """The program; LoadError says how to get it."""
    program = shutil.which("h2load")
    if program is None:
        raise LoadError("h2load is missing: apt-get install nghttp2-client")
    return program


async def h2load(address: str, load: Load) -> Latency:
    """Send it with h2load over HTTP/1.1; LoadError where an answer is not 200."""
    return read_log(await log_h2load(address, load), load.requests)


async def log_h2load(address: str, load: Load) -> str:
    """h2load's log of that load, for `parse_log`."""
    with tempfile.TemporaryDirectory(prefix="meshext-bench-") as folder:
        log = Path(folder) / "log"
        words = [find_h2load(), "--h1", "-t1", f"-n{load.requests}", f"-c{load.connections}"]
        words.append(f"--log-file={log}")
        words += [f"-H{name}: {value}" for name, value in HEADERS.items()]
        if load.rate:
            words.append(f"--rps={load.rate}")
        if load.body:
            body = Path(folder) / "body"
            body.write_bytes(load.body)
            words.append(f"--data={body}")
        process = await asyncio.create_subprocess_exec(
            *words,
            f"http://{address}{load.target}",
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        try:
            said, _ = await asyncio.wait_for(process.communicate(), LIMIT)
        finally:
            if process.returncode is None:
                process.kill()
        if process.returncode:
            raise LoadError(f"h2load: {said.decode(errors='replace').strip()[-500:]}")
        return log.read_text()


def parse_log(text: str) -> list[Answered]:
    """h2load's log: start (us), status, duration (us), one request a line."""
    lines = [line.split("\t") for line in text.splitlines()]
    return [Answered(int(line[0]) / 1e6, int(line[1]), int(line[2]) / 1e6) for line in lines]


def read_log(text: str, wanted: int) -> Latency:
    """The latency of a load whose every answer was 200."""
    answers = parse_log(text)
    check_statuses([each.status for each in answers], wanted)
    return summarise([each.took for each in answers])


def check_statuses(statuses: list[int], wanted: int) -> None:
    """Every request has to have been answered with 200, or the figures mean nothing."""
    good = statuses.count(200)
    if good != wanted:
        others = sorted(set(statuses) - {200})
        raise LoadError(
            f"{good} of {wanted} requests were answered with 200; others: {others or 'no answer'}"
        )


async def python_load(address: str, load: Load) -> Latency:
    """Send it with a loop of our own."""
    host, _, port = address.rpartition(":")
    raw = build_request(address, HEADERS, load)
    share = -(-load.requests // load.connections)

    async def connection(count: int) -> list[tuple[int, float]]:
        reader, writer = await asyncio.open_connection(host, int(port))
        try:
            return [await exchange(reader, writer, raw) for _ in range(count)]
        finally:
            writer.close()

    counts = [min(share, load.requests - at) for at in range(0, load.requests, share)]
    async with asyncio.timeout(LIMIT):
        found = [each for some in await asyncio.gather(*map(connection, counts)) for each in some]
    check_statuses([status for status, _ in found], load.requests)
    return summarise([took for _, took in found])


def build_request(host: str, headers: Mapping[str, str], load: Load) -> bytes:
    """One request on the wire (RFC 9112)."""
    lines = [f"{'POST' if load.body else 'GET'} {load.target} HTTP/1.1", f"host: {host}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if load.body:
        lines.append(f"content-length: {len(load.body)}")
    return "\r\n".join([*lines, "", ""]).encode() + load.body


async def exchange(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, raw: bytes
) -> tuple[int, float]:
    """Status and seconds of one request; answers here always have a content-length."""
    began = time.perf_counter()
    writer.write(raw)
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    length = head.partition("content-length:")[2].split("\r\n", 1)[0]
    await reader.readexactly(int(length or 0))
    return int(head.split(" ", 2)[1]), time.perf_counter() - began
