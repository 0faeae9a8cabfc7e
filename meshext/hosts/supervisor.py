"""The supervisor: the process above the workers. It never loads a filter, so no filter can harm it.

It keeps as many workers serving as were asked for and one spare loaded. A worker whose hook is overdue and
does not end although the exception was raised in it `RAISES` times (it swallows it, or sits in C code) is
killed, and so is one that shows no sign of life; exchanges open there get Envoy's failure mode, and the
spare serves the next ones.

How long a hook has been overdue is counted from when the supervisor first saw it so: where the whole
machine or container stood still, the worker first gets its own chance to end the hook.
"""

from __future__ import annotations

import contextlib
import logging
import selectors
import signal
import sys
import time
from collections.abc import Callable, Iterator
from types import FrameType

from meshext.hosts.address import Address
from meshext.hosts.generation import Generation
from meshext.hosts.log_lines import give_up_unwritten
from meshext.hosts.options import ServiceOptions
from meshext.hosts.parent import Parent
from meshext.hosts.places import Places
from meshext.hosts.report import Report
from meshext.hosts.succession import Replan, Succession
from meshext.hosts.worker_process import Worker

log = logging.getLogger("meshext.supervisor")

LOOK = 0.02  # seconds between two looks at the pulse; the same as a worker's own tick
RAISES = 3
PATIENCE = RAISES * LOOK  # seconds a hook may be overdue before its worker is killed
ROUND = 0.1  # seconds between two looks at everything else, where nothing happens
NEWS = 1.0  # seconds after something happened in which it may lead to more
SILENCE = 3.0  # seconds without a sign of life, such as after SIGSTOP
LEAVING = 1.0  # seconds for a worker's process to end once it has drained

Ready = Callable[[tuple[Address, ...], Report], None]
"""Is told once where everybody can call, and what was loaded."""


class Supervisor:
    """Keeps a chain served until it is told to stop."""

    def __init__(self, options: ServiceOptions, *, ready: Ready, replan: Replan = lambda _: False) -> None:
        self._options = options
        self._places = Places(options.address, options.workers)
        self._ready: Ready | None = ready
        self._parent = Parent(options)
        self._selector = selectors.DefaultSelector()
        self._line = Succession(
            options, self._places.addresses, self._start, parent=self._parent, replan=replan
        )
        self._signals = 0
        self._heard = self._looked = time.monotonic()

    def run(self) -> int:
        """Serve; 0 after an orderly stop, 2 where the first workers refused filter or configuration."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        try:
            self._parent.start()
            if self._options.watch:
                self._parent.watch(self._line.changed.set)
            while not self._signals:
                self._look()
                if self._line.changed.is_set() or self._round_is_due():
                    self._count_living()
                    refused = self._bury_dead()
                    if refused is not None:
                        return refused
                    self._line.turn()
                    self._tell()
            return self._stop()
        finally:
            for worker in self._workers():
                worker.close()
            self._parent.stop()
            self._places.close()
            give_up_unwritten()

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._signals += 1

    def _workers(self) -> Iterator[Worker]:
        for generation in self._line.generations():
            yield from generation.workers

    def _start(self, generation: Generation) -> Worker:
        worker = Worker(self._options, generation=generation.number, parts=self._parent.adopt)
        self._selector.register(worker.words.channel, selectors.EVENT_READ, worker)
        return worker

    def _look(self) -> None:
        """Hear what workers say, and end those that hang.

        While all is well this is all that is done fifty times a second: a round costs as much as several
        requests.
        """
        for key, _ in self._selector.select(LOOK):
            self._heard = time.monotonic()  # the end of a worker is heard as well: it closes its socket
            worker, loaded = key.data, key.data.loaded
            if not worker.listen():
                self._selector.unregister(key.fileobj)
            elif worker.loaded and not loaded and self._ready is None:
                log.debug("a spare worker is loaded and waits")
        now = time.monotonic()
        for worker in self._workers():
            if not worker.killed:
                self._kill_stuck(worker, now)

    def _round_is_due(self) -> bool:
        now = time.monotonic()
        return now - self._heard < NEWS or now - self._looked >= ROUND

    def _count_living(self) -> None:
        """End those that show no sign of life, and tell how many serve."""
        now = time.monotonic()
        passed, self._looked = now - self._looked, now
        for worker in self._workers():
            if not worker.killed:
                self._kill_silent(worker, min(passed, 2 * ROUND))
        if self._parent.counts is not None:
            self._parent.counts.workers(sum(worker.serving for worker in self._workers()))

    def _tell(self) -> None:
        """Say once that everybody can call."""
        current = self._line.current
        if self._ready is not None and current is not None and current.whole:
            assert current.report is not None
            self._ready(self._places.told(), current.report)
            self._ready = None

    def _bury_dead(self) -> int | None:
        """Take dead workers off; the exit code where the very first could not even begin."""
        for generation in self._line.generations():
            for worker in [each for each in generation.workers if not each.alive]:
                generation.workers.remove(worker)
                with contextlib.suppress(KeyError, ValueError):
                    self._selector.unregister(worker.words.channel)
                hook = worker.pulse.running() if worker.pulse.due() else ""
                code = worker.close()
                if self._ready is not None and not self._signals and not worker.dismissed:
                    return self._refuse(worker, code)
                self._line.mourn(worker, code, hook)
        return None

    def _refuse(self, worker: Worker, code: int) -> int:
        for line in worker.refused:
            print(f"meshext: {line}", file=sys.stderr)  # noqa: T201  # the starter's to show
        return code if code > 0 else 1

    def _kill_stuck(self, worker: Worker, now: float) -> None:
        stuck = worker.stuck(now)
        asked = worker.ask_where(now) if stuck > PATIENCE - LOOK else 0.0
        if stuck > PATIENCE and asked > LOOK / 2:  # so that it had the time to answer
            late, hook = 1000 * worker.pulse.overdue(now), worker.pulse.running()
            log.error("%s is %.0f ms overdue and does not end; its worker is killed", hook, late)
            worker.kill()
        elif worker.waits and now - worker.since > self._options.load_limit:
            what = "serve" if worker.loaded else "load its filters"
            log.error("a worker does not %s for %g s; it is killed", what, self._options.load_limit)
            worker.kill()
        elif worker.drained and now - worker.drained > LEAVING:
            log.error("a worker was told to stop and did not end; does a thread of a filter go on?")
            worker.kill()

    def _kill_silent(self, worker: Worker, passed: float) -> None:
        """`passed` is what this process itself has lived through: with a container both stand still."""
        if worker.serving and worker.silent(passed) > SILENCE:
            log.error("a worker shows no sign of life for %g s; it is killed", SILENCE)
            worker.kill()

    def _stop(self) -> int:
        """Let open exchanges end while there is time; a second signal ends them at once."""
        self._places.withdraw()
        for generation in self._line.generations():
            generation.drain(self._options.drain)
        began, said = time.monotonic(), False
        while any(True for _ in self._workers()) and self._signals == 1:
            self._look()
            self._count_living()
            self._bury_dead()
            waited = time.monotonic() - began
            if waited > self._options.drain + LEAVING:
                break
            if waited > LEAVING and not said:
                said = True
                log.info("open exchanges have %g s to end; a second signal ends them", self._options.drain)
        return 0
