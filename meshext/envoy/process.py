"""One running Envoy: started from a bootstrap, waited for until traffic flows, stopped without a trace.

The bootstrap goes to Envoy in a file that only we may read, never on the command line, which every user of
the machine sees. Envoy dies with us (`meshext.lifeline`) and stands in a process group of its own, so that
Ctrl-C reaches us alone and we stop it in our order.
"""

from __future__ import annotations

import asyncio
import logging
import os
import re
import signal
import tempfile
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from meshext.child_pipes import ChildOutput
from meshext.envoy.admin import Admin
from meshext.envoy.binary import find_envoy
from meshext.envoy.logs import LOG_FORMAT, LineSplitter, LogLine, find_reason, parse_level, parse_line
from meshext.envoy.preflight import check_free, listen_error, prepare_bootstrap
from meshext.errors import EnvoyError, ListenError
from meshext.lifeline import guarded

LogHandler = Callable[[LogLine], None]
"""Gets each line of Envoy's log, in the event loop's thread; `meshext.envoy.logs.LogForwarder` is one."""

_CONFIG = "envoy.json"
_POLL = 0.02  # seconds between two questions to the admin interface
_PIECE = 65_536  # bytes read at once
_KEPT = 50  # lines kept to tell why Envoy ended
_PIPE_GRACE = 1.0  # seconds for the rest of the log after the end of the process
_VALIDATE_LIMIT = 60.0  # seconds
_BIND = re.compile(r"cannot bind '([^']*)': (.*)")


def discard(line: LogLine) -> None:
    """The handler that forwards nothing."""


class EnvoyProcess:
    """A running Envoy; made by `start`. An async context manager that stops it.

    The process is bound to the thread that started it (see `meshext.lifeline`).
    """

    def __init__(
        self,
        process: asyncio.subprocess.Process,
        outputs: tuple[ChildOutput, ChildOutput],
        admin: Admin,
        directory: Path,
        on_log: LogHandler,
    ) -> None:
        self.admin = admin
        self._process = process
        self._stdout, self._stderr = outputs
        self._directory = directory
        self._on_log = on_log
        self._held: list[LogLine] | None = []  # errors while starting; they become one EnvoyError
        self._last: deque[LogLine] = deque(maxlen=_KEPT)
        self._ports: dict[str, tuple[str, int]] = {}
        self._ended = asyncio.create_task(self._run(), name="envoy")

    @classmethod
    async def start(
        cls,
        bootstrap: str,
        directory: Path,
        *,
        on_log: LogHandler = discard,
        envoy: Path | None = None,
        listeners: Iterable[str] | None = None,
        concurrency: int | None = None,
        log_level: str = "warning",
        component_log_level: str = "",
        ready_limit: float = 30.0,
        drain_time: float | None = None,
        within: bool = False,
    ) -> Self:
        """Start Envoy and return once it is LIVE and the listeners are bound.

        `bootstrap` is `envoy.config.bootstrap.v3.Bootstrap` as JSON; its `admin` must be a socket file, and
        is added if absent. `directory` gets the configuration and the admin socket; it is made (mode 0700)
        if absent, and stays the caller's. `listeners` are those to wait for, by default the static ones;
        `concurrency` is the number of workers, by default one a core. In seconds: `ready_limit`, and
        `drain_time` for connections whose listener is replaced. `within`: relative names of sockets are in
        `directory`, which is absolute. Raises EnvoyError with Envoy's reason, ListenError, MissingExtraError.
        """
        parse_level(log_level)
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        prepared = prepare_bootstrap(bootstrap, directory / "admin.sock")
        for address in prepared.addresses:
            check_free(address)
        config = _write_private(directory / _CONFIG, prepared.text)
        options = _options(config, concurrency, log_level, component_log_level, drain_time)
        child = await _spawn_read([str(envoy or find_envoy()), *options], directory if within else None)
        self = cls(*child, Admin(prepared.admin_socket), directory, on_log)
        wanted = prepared.listeners if listeners is None else frozenset(listeners)
        try:
            await self._wait_ready(wanted, ready_limit)
            return self
        except BaseException:
            await self.stop(grace=0)
            raise

    @property
    def pid(self) -> int:
        """The process id of Envoy itself."""
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        """What Envoy ended with, negative for a signal; None while it runs."""
        return self._process.returncode

    def address(self, listener: str) -> tuple[str, int]:
        """The host and port that the listener of that name was bound to when Envoy became ready."""
        try:
            return self._ports[listener]
        except KeyError:
            names = ", ".join(sorted(self._ports)) or "none"
            raise EnvoyError(f"Envoy has no listener {listener!r}; it has {names}") from None

    def port(self, listener: str) -> int:
        """The TCP port of that listener."""
        return self.address(listener)[1]

    async def wait(self) -> int:
        """Wait until Envoy ends and its log was read to the end; the code it ended with."""
        return await asyncio.shield(self._ended)

    def failure(self) -> EnvoyError | ListenError:
        """Why Envoy ended although nobody stopped it, in one line; ListenError if it could not bind."""
        reason = find_reason(self._last)
        if bind := _BIND.search(reason):
            return listen_error(bind[1], bind[2])
        if any("initializing config" in line.message for line in self._last):
            return EnvoyError(f"Envoy refused its configuration: {reason}")
        return EnvoyError(f"Envoy {_ending(self.returncode)}" + (f": {reason}" if reason else ""))

    async def stop(self, *, grace: float = 5.0) -> None:
        """End Envoy: SIGTERM, and SIGKILL after `grace` seconds or if cancelled. May be called again."""
        try:
            if self.returncode is None and grace > 0:
                self._send(signal.SIGTERM)
                await asyncio.wait({self._ended}, timeout=grace)
        finally:
            if self.returncode is None:
                self._send(signal.SIGKILL)
            await asyncio.shield(self._ended)
            for name in (self.admin.socket_path, self._directory / _CONFIG):
                name.unlink(missing_ok=True)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    def _send(self, number: int) -> None:
        with suppress(ProcessLookupError):
            self._process.send_signal(number)

    async def _wait_ready(self, wanted: frozenset[str], limit: float) -> None:
        try:
            async with asyncio.timeout(limit):
                while not await self._is_ready(wanted):
                    await asyncio.wait({self._ended}, timeout=_POLL)
        except TimeoutError:
            missing = ", ".join(sorted(wanted - self._ports.keys()))
            waited = f"listeners not bound: {missing}" if missing else "it is still initializing"
            raise EnvoyError(
                f"Envoy was not ready in {limit:g} s ({waited}) {self._reason()}".strip()
            ) from None
        held, self._held = self._held or [], None
        for line in held:
            self._forward(line)

    async def _is_ready(self, wanted: frozenset[str]) -> bool:
        if self._ended.done():
            raise self.failure()
        if not self.admin.socket_path.exists() or not await self.admin.is_ready():
            return False
        self._ports = await self.admin.listeners()
        return wanted <= self._ports.keys()

    def _reason(self) -> str:
        return find_reason(self._last)

    async def _run(self) -> int:
        """Read both pipes until Envoy has ended; the code it ended with."""
        readers = [
            asyncio.create_task(self._read(self._stderr, output=False)),
            asyncio.create_task(self._read(self._stdout, output=True)),
        ]
        code = await self._process.wait()
        _, late = await asyncio.wait(readers, timeout=_PIPE_GRACE)
        for reader in late:
            reader.cancel()
        self._stdout.close()
        self._stderr.close()
        return code

    async def _read(self, source: ChildOutput, *, output: bool) -> None:
        splitter, pipe = LineSplitter(), await source.connect()
        while data := await pipe.read(_PIECE):
            for line in splitter.feed(data):
                self._note(parse_line(line, output=output))
        for line in splitter.finish():
            self._note(parse_line(line, output=output))

    def _note(self, line: LogLine) -> None:
        if line.level in ("error", "critical"):
            self._last.append(line)
            if self._held is not None:
                self._held.append(line)
                return
        self._forward(line)

    def _forward(self, line: LogLine) -> None:
        # An unread pipe fills up and then Envoy hangs: a handler that fails must not end the reading.
        try:
            self._on_log(line)
        except Exception:
            logging.getLogger(__name__).exception("the log handler failed on a line of Envoy's log")


async def validate(bootstrap: str, *, envoy: Path | None = None) -> None:
    """Ask Envoy whether it would take this bootstrap (`envoy --mode validate`: no port is opened).

    Raises EnvoyError with Envoy's own reason in one line.
    """
    binary = find_envoy() if envoy is None else envoy
    with tempfile.TemporaryDirectory(prefix="meshext-") as directory:
        config = _write_private(Path(directory) / _CONFIG, bootstrap)
        command = [str(binary), "--mode", "validate", *_options(config, 1, "error", "")]
        process = await _spawn(command, asyncio.subprocess.PIPE, asyncio.subprocess.PIPE)
        try:
            async with asyncio.timeout(_VALIDATE_LIMIT):
                _, errors = await process.communicate()
        except TimeoutError:
            raise EnvoyError(f"Envoy gave no verdict on its configuration in {_VALIDATE_LIMIT:g} s") from None
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
    if process.returncode != 0:
        reason = find_reason([parse_line(line) for line in errors.split(b"\n")])
        raise EnvoyError(f"Envoy refused its configuration: {reason or _ending(process.returncode)}")


async def _spawn_read(
    command: list[str], cwd: Path | None
) -> tuple[asyncio.subprocess.Process, tuple[ChildOutput, ChildOutput]]:
    """With its standard output and its standard error."""
    out, err = ChildOutput(), ChildOutput()
    with out.handed_over() as stdout, err.handed_over() as stderr:
        return await _spawn(command, stdout, stderr, cwd=cwd), (out, err)


async def _spawn(
    command: list[str], stdout: int, stderr: int, *, cwd: Path | None = None
) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *guarded(command),
        cwd=cwd,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=stdout,
        stderr=stderr,
        process_group=0,
    )


def _options(
    config: Path,
    concurrency: int | None,
    level: str,
    component_levels: str,
    drain_time: float | None = None,
) -> list[str]:
    # Hot restart shares memory by a number that two Envoys on one machine would have to agree on.
    options = ["-c", str(config), "--disable-hot-restart", "--log-level", level]
    options += ["--log-format", LOG_FORMAT, "--log-format-escaped"]
    # Access logs too are for a person who waits; Envoy keeps them back for 10 s unless told.
    options += ["--file-flush-interval-msec", "100"]
    if component_levels:
        options += ["--component-log-level", component_levels]
    if drain_time is not None:
        options += ["--drain-time-s", str(max(1, round(drain_time))), "--drain-strategy", "immediate"]
    if concurrency is not None:
        options += ["--concurrency", str(concurrency)]
    return options


def _write_private(path: Path, text: str) -> Path:
    path.unlink(missing_ok=True)  # its mode would stay
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    return path


def _ending(code: int | None) -> str:
    if code is not None and code < 0:
        return f"was ended by {signal.Signals(-code).name}"
    return f"ended with {code}"
