"""A child process: bound to our life, its output in a file, stopped in our order."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Self

from meshext.child_pipes import ChildOutput
from meshext.envoy.logs import LineSplitter
from meshext.lifeline import guarded
from meshext_controlplane.up.log_file import LogFile

_PIECE = 65_536  # bytes read at once
_PIPE_GRACE = 1.0  # seconds for the rest of its output, which a child of its own may hold open


class Process:
    """Made by `start`, ended by `stop`. SIGTERM is what it gets when we die, so that it ends in its order."""

    def __init__(self, process: asyncio.subprocess.Process, output: ChildOutput, log: LogFile) -> None:
        self._process = process
        self._output = output
        self.log = log
        self.stopped = False  # whether its end is what we asked for
        self._reading = asyncio.create_task(self._read(output))
        self._ended = asyncio.create_task(self._wait())

    @classmethod
    async def start(
        cls, command: Sequence[str], log: LogFile, *, environment: Mapping[str, str], folder: Path
    ) -> Self:
        """Run it in that folder, with these variables beside ours.

        One that can not be run ends with 126 or 127 and a line of its own.
        """
        output = ChildOutput()
        with output.handed_over() as stdout:
            process = await asyncio.create_subprocess_exec(
                *guarded(list(command), death_signal=signal.SIGTERM),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=stdout,
                stderr=asyncio.subprocess.STDOUT,
                process_group=0,  # Ctrl-C reaches us alone
                env={**os.environ, "PYTHONUNBUFFERED": "1", **environment},
                cwd=folder,
            )
        return cls(process, output, log)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def code(self) -> int | None:
        """How it ended, the negative number of a signal included; None while it runs."""
        return self._ended.result() if self._ended.done() else None

    async def wait(self) -> int:
        """Its end, with all of its output read."""
        return await asyncio.shield(self._ended)

    async def stop(self, grace: float) -> None:
        """SIGTERM, and SIGKILL for it and its process group after `grace` seconds."""
        self.stopped = True
        self.signal(signal.SIGTERM)
        with suppress(TimeoutError):
            async with asyncio.timeout(grace):
                await self.wait()
        self.kill()
        await self.wait()

    def kill(self) -> None:
        """SIGKILL for it and its process group, which may hold children of its own."""
        self.stopped = True
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal; nothing where it has ended."""
        if self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.send_signal(number)

    async def _wait(self) -> int:
        code = await self._process.wait()
        await asyncio.wait({self._reading}, timeout=_PIPE_GRACE)
        self._reading.cancel()
        self._output.close()
        return code

    async def _read(self, output: ChildOutput) -> None:
        splitter, pipe = LineSplitter(), await output.connect()
        while data := await pipe.read(_PIECE):
            for line in splitter.feed(data):
                self.log.write(line)
        for line in splitter.finish():
            self.log.write(line)


def tell_end(code: int) -> str:
    """`ended with 2`, `was ended by SIGKILL`."""
    return f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with {code}"
