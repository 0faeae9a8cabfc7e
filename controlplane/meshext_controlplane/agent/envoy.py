"""Envoy's life: started, watched, started again when it dies, drained before it ends."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

from meshext.envoy.logs import LogForwarder
from meshext.envoy.process import EnvoyProcess
from meshext.errors import EnvoyError, ListenError
from meshext_controlplane.agent.backoff import Backoff
from meshext_controlplane.agent.metrics import Counts
from meshext_controlplane.agent.options import EnvoyOptions

_FOR_EVER = 10.0 * 365 * 86_400  # seconds
_REMIND = 10.0  # seconds between two words about waiting
_FORGIVEN = 60.0  # seconds that an Envoy has to live for its end to count as the first one
_POLL = 0.1  # seconds between two looks at what is still open
_LAST = 1.0  # seconds for requests that are open when the port has been closed
_CONNECTIONS = r"^(http|tcp)\.inbound.*\.downstream_cx_active$"
_OPEN = r"^http\.inbound.*\.downstream_rq_active$|^tcp\.inbound.*\.downstream_cx_active$"

log = logging.getLogger("meshext.sidecar")


class EnvoyKeeper:
    """Keeps one Envoy running. `on_change` is called whenever `ready` became another.

    An Envoy in the place of one that has died is started after `before_again`.
    """

    def __init__(
        self,
        bootstrap: str,
        directory: Path,
        options: EnvoyOptions,
        *,
        on_change: Callable[[], None],
        drain_time: float = 30.0,
        counts: Counts | None = None,
        before_again: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._bootstrap = bootstrap
        self._directory = directory
        self._options = options
        self._on_change = on_change
        self._drain_time = drain_time
        self._counts = counts or Counts()
        self._before_again = before_again
        self._process: EnvoyProcess | None = None
        self._stopping = asyncio.Event()
        self.started = asyncio.Event()
        """Set once an Envoy was ready for the first time."""

    @property
    def ready(self) -> bool:
        """Whether Envoy runs, with configuration."""
        return self._process is not None and self._process.returncode is None

    @property
    def process(self) -> EnvoyProcess | None:
        """The Envoy that is ready; None between two."""
        return self._process

    async def run(self) -> None:
        """Keep Envoy running until `stop`, or until cancelled; EnvoyError where it does not start the first
        time. It does not outlive this."""
        try:
            await self._keep()
        finally:
            if self._process is not None:  # it may have become ready when `stop` had found none
                await self._process.stop()

    async def _keep(self) -> None:
        backoff = Backoff(first=0.1, longest=10.0)
        while not self._stopping.is_set():
            try:
                self._process = await self._start()
                if self._stopping.is_set():
                    return
                self.started.set()
                self._on_change()
                began = asyncio.get_running_loop().time()
                await self._process.wait()
                error: Exception = self._process.failure()
                if asyncio.get_running_loop().time() - began > _FORGIVEN:
                    backoff.reset()
            except (EnvoyError, ListenError) as failed:
                if not self.started.is_set():
                    raise
                error = failed
            self._process = None
            self._on_change()
            if not self._stopping.is_set():
                self._counts.envoy_ended()
                wait = backoff.next()
                log.error("%s; started again in %.1f s", error, wait)
                await asyncio.sleep(wait)
                if self._before_again is not None:
                    await self._before_again()

    async def drain(self, *, time_limit: float, told: bool) -> None:
        """Send peers away, and wait until open requests have ended, at most that long.

        Peers that were not `told` go on to come: then the port is closed at once, since who finds it closed
        tries another endpoint, which an answer that breaks off does not make him do; and it lasts until no
        connection is left, as that no request is open says nothing of one on its way. Envoy tells each
        connection with an answer to be used no more. The application's own calls go on.
        """
        process = self._process
        if process is None:
            return
        try:
            await process.admin.post("/drain_listeners?graceful&inboundonly&skip_exit")
            if told:
                await _settle(process, _OPEN, time_limit)
            await process.admin.post("/drain_listeners?inboundonly")
            if not told and await _settle(process, _CONNECTIONS, time_limit):
                return
            if not await _settle(process, _OPEN, _LAST):
                log.warning("requests are still open after %.1f s; they end now", time_limit + _LAST)
        except EnvoyError as error:
            log.warning("could not drain Envoy: %s", error)

    async def stop(self) -> None:
        """End Envoy."""
        self._stopping.set()
        if self._process is not None:
            await self._process.stop()

    async def _start(self) -> EnvoyProcess:
        options = self._options
        forward = LogForwarder(_write, level=options.log_level)
        starting = asyncio.ensure_future(
            EnvoyProcess.start(
                self._bootstrap,
                self._directory,
                on_log=forward,
                envoy=options.binary,
                concurrency=options.concurrency,
                log_level=options.log_level,
                drain_time=self._drain_time,
                ready_limit=_FOR_EVER,
                within=True,
            )
        )
        try:
            while not (await asyncio.wait({starting}, timeout=_REMIND))[0]:
                log.warning("Envoy waits for its configuration from the control plane")
        except asyncio.CancelledError:
            if not starting.cancel() and starting.exception() is None:
                await starting.result().stop()
            await asyncio.wait({starting})
            raise
        return starting.result()


async def _settle(process: EnvoyProcess, gauges: str, time_limit: float) -> bool:
    """Wait until all of these are 0; whether it came to that in time."""
    try:
        async with asyncio.timeout(time_limit):
            # Envoy tells nobody when a request has ended.
            while sum((await process.admin.stats(gauges)).values()):  # noqa: ASYNC110
                await asyncio.sleep(_POLL)
    except TimeoutError:
        return False
    return True


def _write(line: str) -> None:
    """Envoy's own lines stand beside ours, as they are."""
    sys.stderr.write(f"{line}\n")
