"""The supervisor: the process above the worker. It never loads a filter, so no filter can harm it.

It keeps one worker serving and one spare loaded. A worker whose hook is overdue and does not end although
the exception was raised in it `RAISES` times (it swallows it, or sits in C code) is killed; exchanges open
there get Envoy's failure mode, the spare serves the next ones.

How long a hook has been overdue is counted from when the supervisor first saw it so: where the whole
machine or container stood still, the worker first gets its own chance to end the hook.
"""

from __future__ import annotations

import contextlib
import logging
import selectors
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from types import FrameType

from meshext.errors import ListenError
from meshext.hosts.address import Address, check_socket_path, reserve
from meshext.hosts.worker import Orders
from meshext.hosts.worker_process import Worker

log = logging.getLogger("meshext.supervisor")

LOOK = 0.02  # seconds between two looks at the pulse; the same as a worker's own tick
RAISES = 3
PATIENCE = RAISES * LOOK  # seconds a hook may be overdue before its worker is killed
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 5.0  # seconds between starts of workers that die at once
SETTLED = 5.0  # seconds after which a worker counts as one that started well
LOAD_LIMIT = 60.0  # seconds to load the filters, and again to begin to serve


class Supervisor:
    """Keeps a chain served on one address until it is told to stop."""

    def __init__(
        self,
        specs: Sequence[str],
        configs: Sequence[str],
        address: Address,
        *,
        log_level: str = "INFO",
        grace: float = 5.0,
        load_limit: float = LOAD_LIMIT,
        ready: Callable[[Address], None],
    ) -> None:
        self._address, self._kept = reserve(address)
        self._specs, self._configs = tuple(specs), tuple(configs)
        self._log_level = log_level
        self._grace = grace
        self._load_limit = load_limit
        self._ready: Callable[[Address], None] | None = ready
        self._workers: list[Worker] = []
        self._selector = selectors.DefaultSelector()
        self._stopping = False
        self._pause = 0.0
        self._next_start = 0.0

    def run(self) -> int:
        """Serve; 0 after an orderly stop, 2 where the first worker refused filter or configuration."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        try:
            while not self._stopping:
                self._start_missing()
                for key, _ in self._selector.select(LOOK):
                    self._listen(key.data)
                refused = self._bury_dead()
                if refused is not None:
                    return refused
                self._kill_stuck()
                self._promote()
            return self._stop()
        finally:
            for worker in self._workers:
                worker.close()
            if self._kept is not None:
                self._kept.close()
            if self._address.path:
                with contextlib.suppress(ListenError):
                    check_socket_path(self._address.path)  # takes away what a killed worker left

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._stopping = True

    def _start_missing(self) -> None:
        wanted = 2 if self._ready is None else 1  # the spare comes once the first one serves
        if len(self._workers) >= wanted or time.monotonic() < self._next_start:
            return
        try:
            worker = Worker(self._orders)
        except OSError as error:  # no memory, no more processes
            log.error("a worker can not be started: %s", error)
            self._slow_down()
            return
        self._selector.register(worker.control, selectors.EVENT_READ, worker)
        self._workers.append(worker)

    def _orders(self, pulse: int, control: int) -> Orders:
        return Orders(
            specs=self._specs,
            configs=self._configs,
            address=str(self._address),
            log_level=self._log_level,
            pulse=pulse,
            control=control,
            grace=self._grace,
        )

    def _listen(self, worker: Worker) -> None:
        if not worker.listen():
            self._selector.unregister(worker.control)
        elif worker.serving and self._ready is not None:
            self._ready(self._address)
            self._ready = None
        elif worker.loaded and not worker.told and self._ready is None:
            log.debug("a spare worker is loaded and waits")

    def _bury_dead(self) -> int | None:
        """Take dead workers off; the exit code where the very first could not even begin."""
        for worker in [each for each in self._workers if each.process.poll() is not None]:
            self._workers.remove(worker)
            with contextlib.suppress(KeyError):
                self._selector.unregister(worker.control)
            hook = worker.pulse.running() if worker.pulse.due() else ""
            code = worker.close()
            if self._ready is not None:
                return code if code > 0 else 1
            log.error("%s", self._obituary(worker, code, hook))
            self._slow_down(worker, in_hook=bool(hook))
        return None

    def _obituary(self, worker: Worker, code: int, hook: str) -> str:
        if worker.serving:
            where = f" in {hook}" if hook else ""
            return f"the worker ended ({describe(code)}){where}; its open exchanges get Envoy's failure mode"
        if any(each.serving for each in self._workers):
            return f"the spare worker ended ({describe(code)}); the one that serves goes on"
        return f"a worker ended ({describe(code)}) before it served; nobody serves until one does"

    def _slow_down(self, worker: Worker | None = None, *, in_hook: bool = False) -> None:
        """A worker that dies at once, again and again, must not eat the machine.

        One that died in a hook was well: no pause then, or whoever finds the request that kills it could
        keep the service down between two starts.
        """
        served = worker is not None and worker.serving
        settled = worker is not None and time.monotonic() - worker.since > SETTLED
        well = served and (in_hook or settled)
        self._pause = 0.0 if well else min(max(self._pause * 2, FIRST_PAUSE), LONGEST_PAUSE)
        self._next_start = time.monotonic() + self._pause

    def _kill_stuck(self) -> None:
        now = time.monotonic()
        for worker in self._workers:
            if worker.killed:
                continue
            stuck = worker.stuck(now)
            asked = worker.ask_where(now) if stuck > PATIENCE - LOOK else 0.0
            if stuck > PATIENCE and asked > LOOK / 2:  # so that it had the time to answer
                late, hook = 1000 * worker.pulse.overdue(now), worker.pulse.running()
                log.error("%s is %.0f ms overdue and does not end; its worker is killed", hook, late)
                worker.kill()
            elif worker.waits and now - worker.since > self._load_limit:
                what = "serve" if worker.loaded else "load its filters"
                log.error("a worker does not %s for %g s; it is killed", what, self._load_limit)
                worker.kill()

    def _promote(self) -> None:
        if any(worker.told and worker.process.poll() is None for worker in self._workers):
            return
        for worker in self._workers:
            if worker.loaded and worker.process.poll() is None:
                worker.promote()
                return

    def _stop(self) -> int:
        for worker in self._workers:
            if worker.serving:
                worker.stop()
            else:
                worker.kill()
        deadline = time.monotonic() + self._grace + 1.0
        for worker in self._workers:
            try:
                worker.process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                log.error("a worker was told to stop and did not end; does a thread of a filter go on?")
        return 0


def describe(code: int) -> str:
    """An exit code for a person."""
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"killed by {signal.Signals(-code).name}"
    except ValueError:  # most real-time signals have no name
        return f"killed by signal {-code}"
