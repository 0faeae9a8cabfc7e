"""Many requests at once, over plain sockets: who gets an answer, and after how long.

`python -m e2e.burst` measures what a filter adds when 1,000 exchanges arrive within one second and are all
open at once, in both modes, rounds with and without a filter interleaved.
"""

from __future__ import annotations

import asyncio
import re
import statistics
import sys
import time
import warnings
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import h2.config
import h2.connection
import h2.events

from e2e.holding import holding
from meshext.envoy.bootstrap import LISTENER, Gateway, build_bootstrap
from meshext.envoy.emit import to_json
from meshext.envoy.process import EnvoyProcess
from meshext.envoy.upstreams import parse_upstream
from meshext.plan import Mode

DEADLINE = 30.0  # seconds for a burst
REQUEST = b"GET /burst HTTP/1.1\r\nhost: burst\r\n\r\n"
FIELDS = [(":method", "GET"), (":scheme", "http"), (":authority", "burst"), (":path", "/burst")]
SPECS: dict[Mode, str] = {"authz": "passing.py:Decides", "proc": "passing.py:Watches"}
FILTERS = Path(__file__).parent / "filters"


class Shot:
    """One request: its status (0 where it was not answered) and how long that took, in seconds."""

    def __init__(self) -> None:
        self.sent = time.perf_counter()
        self.took = DEADLINE
        self.status = 0

    def end(self, status: int) -> None:
        self.status, self.took = status, time.perf_counter() - self.sent


class Http1(asyncio.Protocol):
    """A connection with one request; `ended` when it is answered or lost."""

    def __init__(self, shot: Shot) -> None:
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._shot = shot
        self._got = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.write(REQUEST)

    def data_received(self, data: bytes) -> None:
        self._got += data
        head, _, body = self._got.partition(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", head)
        if length and len(body) >= int(length[1]):
            self._shot.end(int(head.split(b" ", 2)[1]))
            self.connection_lost(None)

    def connection_lost(self, error: Exception | None) -> None:
        if not self.ended.done():
            self.ended.set_result(None)


class Http2(asyncio.Protocol):
    """A connection with a request on each of many streams; `ended` when all are answered or it is lost."""

    def __init__(self, shots: list[Shot]) -> None:
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._left = list(reversed(shots))
        self._open: dict[int, Shot] = {}
        self._http = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding=None))
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._http.initiate_connection()
        self._flush()

    def shoot(self) -> None:
        """Send the next request."""
        stream = self._http.get_next_available_stream_id()
        shot = self._open[stream] = self._left.pop()
        shot.sent = time.perf_counter()
        self._http.send_headers(stream, FIELDS, end_stream=True)
        self._flush()

    def data_received(self, data: bytes) -> None:
        for event in self._http.receive_data(data):
            if isinstance(event, h2.events.ResponseReceived):
                self._open[event.stream_id].status = int(dict(event.headers)[b":status"])
            elif isinstance(event, h2.events.StreamEnded):
                shot = self._open.pop(event.stream_id)
                shot.end(shot.status)
            elif isinstance(event, h2.events.StreamReset):
                self._open.pop(event.stream_id)
        self._flush()
        if not self._open and not self._left:
            self.connection_lost(None)

    def connection_lost(self, error: Exception | None) -> None:
        if not self.ended.done():
            self.ended.set_result(None)

    def _flush(self) -> None:
        assert self._transport is not None
        self._transport.write(self._http.data_to_send())


async def burst_http1(port: int, count: int, within: float = 0.0) -> list[Shot]:
    """So many connections with a request each, spread evenly over `within` seconds."""
    loop = asyncio.get_running_loop()
    began = loop.time()

    async def shoot(number: int) -> Shot:
        await asyncio.sleep(began + within * number / count - loop.time())
        shot = Shot()
        transport, client = await loop.create_connection(partial(Http1, shot), "127.0.0.1", port)
        await client.ended
        transport.close()
        return shot

    async with asyncio.timeout(DEADLINE):
        return await asyncio.gather(*map(shoot, range(count)))


async def burst_http2(port: int, count: int, within: float = 0.0) -> list[Shot]:
    """One connection with so many streams, spread evenly over `within` seconds."""
    loop = asyncio.get_running_loop()
    shots = [Shot() for _ in range(count)]
    transport, client = await loop.create_connection(partial(Http2, shots), "127.0.0.1", port)
    began = loop.time()
    async with asyncio.timeout(DEADLINE):
        for number in range(count):
            if (early := began + within * number / count - loop.time()) > 0:
                await asyncio.sleep(early)
            client.shoot()
        await client.ended
    transport.close()
    return shots


BURSTS = {"HTTP/1.1": burst_http1, "HTTP/2": burst_http2}


@asynccontextmanager
async def bare_envoy(upstream: str) -> AsyncIterator[int]:
    """The port of the same Envoy without a filter."""
    with TemporaryDirectory() as folder:
        gateway = Gateway(upstreams=(parse_upstream(f"held={upstream}"),), admin=Path(folder) / "admin.sock")
        async with await EnvoyProcess.start(
            to_json(build_bootstrap(gateway)), Path(folder), concurrency=2
        ) as envoy:
            yield envoy.port(LISTENER)


@asynccontextmanager
async def filtered(mode: Mode, upstream: str) -> AsyncIterator[int]:
    """The port of `meshext run` with a filter in that mode, in processes of its own."""
    command = ["-m", "meshext", "run", f"{FILTERS / SPECS[mode]}", "--mode", mode, "--log-level", "warning"]
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *command,
        f"--upstream=held={upstream}",
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert process.stdout is not None
    try:
        ready = await process.stdout.readline()
        yield int(ready.decode().rpartition(":")[2])
    finally:
        process.terminate()
        await process.wait()


async def measure(rounds: int) -> None:
    """Print, for each protocol, median and 99th percentile beyond the second that the upstream takes."""
    async with AsyncExitStack() as stack:
        upstream = await stack.enter_async_context(holding(1.0))
        ports = {"none": await stack.enter_async_context(bare_envoy(upstream))}
        for mode in SPECS:
            ports[mode] = await stack.enter_async_context(filtered(mode, upstream))
        for protocol, burst in BURSTS.items():
            for within in (1.0, 0.0):
                shots: dict[str, list[Shot]] = {name: [] for name in ports}
                for _ in range(rounds):
                    for name, port in ports.items():
                        shots[name] += await burst(port, 1000, within)
                for name, seen in shots.items():
                    tell(f"{protocol}, within {within:g} s, filter {name}", seen)


def tell(what: str, shots: list[Shot]) -> None:
    """One line of figures."""
    beyond = statistics.quantiles([1000 * (shot.took - 1.0) for shot in shots], n=100)
    lost = sum(shot.status != 200 for shot in shots)
    sys.stdout.write(
        f"{what}: p50 {beyond[49]:.1f} ms, p99 {beyond[98]:.1f} ms, lost {lost} of {len(shots)}\n"
    )
    sys.stdout.flush()


if __name__ == "__main__":
    warnings.simplefilter("ignore")  # envoy-data-plane is made for an older pydantic
    asyncio.run(measure(int(sys.argv[1]) if len(sys.argv) > 1 else 3))
