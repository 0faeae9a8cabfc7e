"""The filter service as a child process of the sandbox."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
import time
from collections import deque
from collections.abc import Callable
from secrets import token_hex
from typing import Any

from meshext.child_pipes import ChildInput, ChildOutput
from meshext.envoy.logs import LineSplitter
from meshext.errors import ConfigError, MeshextError, SpecError
from meshext.hosts.address import Address, parse_address
from meshext.hosts.options import ServiceOptions
from meshext.hosts.report import from_plain
from meshext.lifeline import guarded
from meshext.needs import Needs
from meshext.printable import format_log, printable

KEPT = 20  # lines of its log that may tell why it did not start
GRACE = 8.0  # seconds; above the service's own
PIPE_GRACE = 1.0  # seconds for the rest of its log, which a child of the filter's may hold open
PIECE = 65_536
REFUSAL = "meshext: "


class ServiceProcess:
    """`python -m meshext.hosts` on Unix sockets; made by `start`, ended by `stop`."""

    def __init__(
        self,
        process: asyncio.subprocess.Process,
        outputs: tuple[ChildOutput, ChildOutput],
        options: ServiceOptions,
        on_line: Callable[[str], None],
        on_needs: Callable[[], None],
    ) -> None:
        self._process = process
        self._outputs = outputs
        self.retired = False  # whether its end is what somebody wanted
        self.needs: tuple[Needs, ...] = ()  # of the filters that it serves
        self._on_needs = on_needs
        self.addresses: tuple[Address, ...] = ()
        self._workers = options.workers  # each on a socket of its own
        self._mark = f"{token_hex(8)} "
        self._on_line = on_line
        self._last: deque[str] = deque(maxlen=KEPT)
        self._serving: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._ended = asyncio.create_task(process.wait())
        # Both pipes are read to the end: one that is full would hold the service up.
        self._reading = [
            asyncio.create_task(read_lines(output, note))
            for output, note in zip(outputs, (self._note_printed, self._note_logged), strict=True)
        ]

    @classmethod
    async def start(
        cls,
        options: ServiceOptions,
        *,
        on_line: Callable[[str], None],
        on_needs: Callable[[], None] = lambda: None,
        limit: float = 60.0,
    ) -> ServiceProcess:
        """Start it and return when it serves; what it refused is raised with its own words.

        `on_needs` is told where with `watch` a new version needs something else of Envoy: it is not served.
        """
        command = [sys.executable, "-m", "meshext.hosts"]
        told, out, err = ChildInput(), ChildOutput(), ChildOutput()
        with told.handed_over() as stdin, out.handed_over() as stdout, err.handed_over() as stderr:
            process = await asyncio.create_subprocess_exec(
                *guarded(command, death_signal=signal.SIGTERM),
                stdin=stdin,
                stdout=stdout,
                stderr=stderr,
                process_group=0,  # Ctrl-C reaches us alone; we stop it in our order
                env={**os.environ, "PYTHONUNBUFFERED": "1"},  # what a hook prints is seen at once
            )
        service = cls(process, (out, err), options, on_line, on_needs)
        try:
            await told.send(f"{options.to_json()}\n{service._mark}".encode())
            await service._wait_serving(limit)
        except BaseException:
            await service.stop()
            raise
        return service

    async def wait(self) -> int:
        """Wait for its end; its exit code."""
        return await asyncio.shield(self._ended)

    async def stop(self) -> None:
        """Let open exchanges finish, then end it; at once if cancelled."""
        try:
            if self._process.returncode is None:
                self.send(signal.SIGTERM)
                await asyncio.wait({self._ended}, timeout=GRACE)
        finally:
            if self._process.returncode is None:
                self.send(signal.SIGKILL)
            await self._process.wait()
            await asyncio.wait(self._reading, timeout=PIPE_GRACE)
            for reading, output in zip(self._reading, self._outputs, strict=True):
                reading.cancel()
                output.close()
            await asyncio.wait(self._reading)

    def send(self, number: signal.Signals) -> None:
        """Send it a signal; nothing where it has ended."""
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(number)

    async def _wait_serving(self, limit: float) -> None:
        ends: set[asyncio.Future[Any]] = {self._serving, self._ended}
        await asyncio.wait(ends, timeout=limit, return_when=asyncio.FIRST_COMPLETED)
        if self._ended.done():
            await asyncio.wait(self._reading, timeout=PIPE_GRACE)
        if self._serving.done():
            return
        if not self._ended.done():
            raise SpecError(f"the filter was not loaded in {limit:g} s; does its module wait for something?")
        raise self._refusal(self._ended.result())

    def _refusal(self, code: int) -> MeshextError:
        said = [line.removeprefix(REFUSAL) for line in self._last if line.startswith(REFUSAL)]
        if len(said) > 1:
            source = said[0].partition(": ")[0]
            return ConfigError([line.removeprefix(f"{source}: ") for line in said], source=source)
        return SpecError(*said or [f"the filter's service ended with {code} before it served"])

    def _note_printed(self, line: str) -> None:
        if not line.startswith(self._mark):
            self._on_line(format_log(time.time(), "info", "print", line))
            return
        word, _, rest = line.removeprefix(self._mark).partition(" ")
        if word == "serving":
            self.addresses += (parse_address(rest),)
            if len(self.addresses) == self._workers and not self._serving.done():
                self._serving.set_result(None)
        elif self._serving.done():
            self._on_needs()
        else:
            self.needs = tuple(map(from_plain, json.loads(rest)))

    def _note_logged(self, line: str) -> None:
        self._last.append(line)
        if self._serving.done() or not line.startswith(REFUSAL):
            self._on_line(printable(line))


async def read_lines(output: ChildOutput, note: Callable[[str], None]) -> None:
    """Hand over every line until the pipe ends, however long the lines are."""
    splitter, pipe = LineSplitter(), await output.connect()
    while data := await pipe.read(PIECE):
        for line in splitter.feed(data):
            note(line.decode("utf-8", "backslashreplace"))
    for line in splitter.finish():
        note(line.decode("utf-8", "backslashreplace"))
