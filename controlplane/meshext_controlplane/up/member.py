"""One process of the mesh, and another one after it where it ends by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from meshext_controlplane.up.errors import UpError
from meshext_controlplane.up.events import Event
from meshext_controlplane.up.log_file import LogFile
from meshext_controlplane.up.process import Process, tell_end

FIRST_WAIT, LONGEST_WAIT = 0.5, 15.0  # seconds before it is started again; doubled each time
STEADY = 30.0  # seconds after which an end is a new matter

OnEvent = Callable[[Event], None]


class Member:
    """A named process that is started again when it ends with an error; one that ends with 0 is done."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        log: Path,
        *,
        environment: Mapping[str, str],
        folder: Path,
    ) -> None:
        self.name = name
        self._command = tuple(command)
        self._environment = environment
        self._folder = folder
        self._log = LogFile(log)
        self._process: Process | None = None

    @property
    def pid(self) -> int:
        """The process id, 0 before the start."""
        return self._process.pid if self._process else 0

    @property
    def log(self) -> Path:
        """Where it writes to."""
        return self._log.path

    async def start(self, **more: str) -> None:
        """Start it; `more` are variables for this one start."""
        environment = {**self._environment, **more}
        self._process = await Process.start(
            self._command, self._log, environment=environment, folder=self._folder
        )

    def check(self) -> None:
        """UpError with its last lines where it has ended."""
        if self._process is not None and self._process.code is not None:
            raise self.failure()

    def failure(self) -> UpError:
        """Why the mesh can not start without it."""
        assert self._process is not None
        code = self._process.code
        how = "is not ready" if code is None else tell_end(code)
        return UpError("\n".join([f"{self.name} {how}; the end of {self.log}:", *self.last_lines()]))

    def last_lines(self) -> list[str]:
        """What it has written last, indented."""
        return [f"    {line}" for line in self._log.last] or ["    (it has written nothing)"]

    async def keep(self, on_event: OnEvent) -> None:
        """Start it again whenever it ends with an error; return when it is done or was stopped."""
        assert self._process is not None
        loop = asyncio.get_running_loop()
        wait, begun = FIRST_WAIT, loop.time()
        while True:
            code = await self._process.wait()
            if self._process.stopped or code == 0:
                if not self._process.stopped:
                    on_event(self._event("ended", "is done"))
                return
            wait = FIRST_WAIT if loop.time() - begun > STEADY else wait
            on_event(self._event("ended", f"{tell_end(code)}; it starts again in {wait:g} s"))
            await asyncio.sleep(wait)
            wait, begun = min(wait * 2, LONGEST_WAIT), loop.time()
            await self.start()
            on_event(self._event("restarted", "runs again"))

    async def stop(self, grace: float) -> None:
        """End it, whether it runs or not, and write no more."""
        if self._process is not None:
            await self._process.stop(grace)
        self._log.close()

    def kill(self) -> None:
        """End it and its children at once."""
        if self._process is not None:
            self._process.kill()

    def _event(self, kind: str, what: str) -> Event:
        lines = tuple(self._log.last[-5:]) if kind == "ended" else ()
        facts = {"name": self.name, "log": str(self.log), "pid": self.pid}
        return Event(kind=kind, text=f"{self.name} {what}", lines=lines, facts=facts)
