"""The services under load, each a process (with children) of its own that says where it serves."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from meshext.envoy.upstreams import TcpAddress
from meshext.lifeline import guarded

ROOT = Path(__file__).parents[2]
FILTERS = ROOT / "e2e" / "bench" / "filters.py"
LIMIT = 60.0  # seconds to start


class Service:
    """A running service. `start_up` is what it took from exec to serving, in seconds."""

    def __init__(self, process: asyncio.subprocess.Process, address: TcpAddress, start_up: float) -> None:
        self._process = process
        self.address = address
        self.start_up = start_up

    @property
    def pid(self) -> int:
        """The process at the top."""
        return self._process.pid

    @classmethod
    async def start(cls, words: Sequence[str], **variables: str) -> Service:
        """Start a command that prints `serving HOST:PORT`, with these environment variables."""
        began = time.perf_counter()
        process = await asyncio.create_subprocess_exec(
            *guarded([sys.executable, *words]),
            stdout=asyncio.subprocess.PIPE,
            cwd=ROOT,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **variables},
        )
        assert process.stdout is not None
        try:
            line = (await asyncio.wait_for(process.stdout.readline(), LIMIT)).decode().strip()
            host, _, port = line.removeprefix("serving ").rpartition(":")
            return cls(process, TcpAddress(host, int(port)), time.perf_counter() - began)
        except BaseException:
            process.kill()
            raise

    async def stop(self) -> None:
        """End it."""
        with contextlib.suppress(ProcessLookupError):
            self._process.terminate()
        try:
            await asyncio.wait_for(self._process.wait(), 10.0)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()


def ours(decision: str, *options: str) -> tuple[str, ...]:
    """`meshext serve` for a filter of `filters.py`."""
    return serve(f"{FILTERS}:{decision}", *options)


def serve(spec: str, *options: str) -> tuple[str, ...]:
    """`meshext serve`."""
    return ("-m", "meshext", "serve", spec, "--listen=127.0.0.1:0", "--log-level=warning", *options)


def bare(mode: str, decision: str, *options: str) -> tuple[str, ...]:
    """The same decision by hand."""
    return ("-m", "e2e.bench.bare", mode, decision, *options)


COLLECTOR = ("-m", "e2e.bench.collector")
