"""One generation of workers after the other: which one loads, which one serves, which ones end.

A change is taken as a whole or not at all: the next generation serves when every worker of it has loaded
the same, whole version, and the last one goes on until then, or where the new version is refused. What is
open on the last one ends there, however long it takes; only when `MOST_OLD` older versions still have open
exchanges does the oldest get no more than the time to drain, and the next change waits for it.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence

from meshext.hosts.address import Address
from meshext.hosts.generation import FOREVER, Generation
from meshext.hosts.options import ServiceOptions
from meshext.hosts.pace import Pace
from meshext.hosts.parent import Parent
from meshext.hosts.report import Report
from meshext.hosts.worker_process import Worker, describe

log = logging.getLogger("meshext.supervisor")

MOST_OLD = 4

ASKS_MORE = "it needs something else of Envoy; give it what `meshext config` prints and start again"

HINT = "start the service again, or serve with --watch"

Replan = Callable[[Report], bool]
"""Is told that a new version needs something else of Envoy; whether it sees to that."""


class Succession:
    """The generations of a service. `turn` is called again and again, `mourn` for each worker that ended."""

    def __init__(
        self,
        options: ServiceOptions,
        places: Sequence[Address],
        start: Callable[[Generation], Worker],
        *,
        parent: Parent,
        replan: Replan,
    ) -> None:
        self._options = options
        self._places = places
        self._start = start
        self._parent = parent
        self._replan = replan
        self._pace = Pace()
        self._number = 0
        self._old: list[Generation] = []
        self._refused: Mapping[str, str] = {}  # what the last refused version was read from
        self._said = ""  # of which other version was told already
        self.changed = threading.Event()  # set where a file has changed
        self.current: Generation | None = None
        self.next: Generation | None = self._found()

    def generations(self) -> list[Generation]:
        """All that have workers, the newest first."""
        return [each for each in (self.next, self.current, *self._old) if each is not None]

    def turn(self) -> None:
        """Do what is due."""
        if self.changed.is_set():
            self.changed.clear()
            self._load_again()
        if self.next is not None:
            self._load(self.next)
        if self.current is not None:
            self._keep(self.current)
        self._old = [each for each in self._old if each.workers]

    def mourn(self, worker: Worker, code: int, hook: str) -> None:
        """A worker has ended."""
        if worker.dismissed or worker.drained:
            return
        if self._parent.counts is not None:
            self._parent.counts.worker_ended("stuck" if worker.killed else "died")
        if worker.draining:
            log.error("a worker ended (%s) before it had drained; what was open is cut", describe(code))
            return
        ended = f"a worker ended ({describe(code)}) while it loaded"
        reason = "; ".join(worker.refused) or ended
        if self.current is not None and self.next is not None and worker.generation == self.next.number:
            self._refuse(self.next, reason, worker)
            return
        if worker.refused and self.current is not None and self._options.watch:
            self._learn_from_spare(worker)
            return
        if worker.refused:
            log.error("a worker can not load: %s", reason)
        log.error("%s", self._obituary(worker, code, hook))
        self._parent.expect(worker.files, refused=True)
        self._pace.slow_down(worker, in_hook=bool(hook))

    def _learn_from_spare(self, worker: Worker) -> None:
        """A spare met a change before the watcher did, or once more one that is refused already."""
        if self.next is None and worker.files != self._refused:
            self._load_again()
        else:
            self._pace.slow_down(worker)

    def _obituary(self, worker: Worker, code: int, hook: str) -> str:
        if worker.serving:
            where = f" in {hook}" if hook else ""
            return f"the worker ended ({describe(code)}){where}; its open exchanges get Envoy's failure mode"
        if self.current is not None and any(each.serving for each in self.current.workers):
            return f"the spare worker ended ({describe(code)}); the one that serves goes on"
        return f"a worker ended ({describe(code)}) before it served; nobody serves until one does"

    def _found(self) -> Generation:
        self._number += 1
        return Generation(self._number, self._places)

    def _load_again(self) -> None:
        """A file has changed: what is being loaded may be half of it."""
        if self.next is not None:
            self._drop(self.next)
        self.next = self._found()
        self._pace.hurry()

    def _drop(self, generation: Generation) -> None:
        generation.dismiss()
        self._old.append(generation)
        if self.next is generation:
            self.next = None

    def _load(self, generation: Generation) -> None:
        """Bring the next generation to where it can serve."""
        if len(generation.workers) < generation.size:
            self._add(generation)
            return
        verdict = generation.verdict()
        if verdict == "torn":
            log.info("a file changed while it was loaded; it is loaded again")
            self._load_again()
            self._pace.slow_down()
        elif verdict == "whole" and self._judge(generation):
            self._install(generation)

    def _judge(self, generation: Generation) -> bool:
        """Whether a whole version may serve now."""
        if generation.report is None:
            self._parent.expect(generation.open().files)
        current, report = self.current, generation.open()
        if current is None or current.report is None:
            return True
        if report.fingerprint == current.report.fingerprint:
            log.info("what is on disk is what is served")
            self._drop(generation)
        elif report.plan == current.report.plan:
            return self._has_room()
        elif self._replan(report):
            self._drop(generation)
        else:
            self._refuse(generation, ASKS_MORE)
        return False

    def _has_room(self) -> bool:
        """Whether there are few enough old versions; else the oldest is hastened."""
        draining = [each for each in self._old if each.drains]
        if len(draining) >= MOST_OLD:
            draining[-1].hasten(self._options.drain)
        return len(draining) < MOST_OLD

    def _install(self, generation: Generation) -> None:
        if self.current is not None:
            self._old.insert(0, self.current)
            log.info("serving a new version of code and configuration; what is open ends on the old one")
            if self._parent.counts is not None:
                self._parent.counts.reloaded("applied")
        self.current, self.next, self._refused = generation, None, {}

    def _refuse(self, generation: Generation, reason: str, worker: Worker | None = None) -> None:
        """The last good version serves on."""
        log.error("the change is not taken, the last good version serves on: %s", reason)
        self._drop(generation)
        if worker is not None:
            self._refused = worker.files
            self._parent.expect(worker.files, refused=True)
        if self._parent.counts is not None:
            self._parent.counts.reloaded("refused")

    def _keep(self, generation: Generation) -> None:
        """Keep every place served and a spare loaded; give up where nothing is left that could serve."""
        generation.fill()
        if generation.note_whole():
            for each in self._old:
                each.drain(FOREVER)
        if not generation.able:
            self._begin_again(generation)
            return
        for worker in list(generation.strangers()):
            self._turn_away(worker)
        spare = bool(generation.since) and self.next is None
        wanted = generation.size + spare
        if len(generation.workers) < wanted:
            self._add(generation)

    def _begin_again(self, generation: Generation) -> None:
        """Nobody serves: whatever is loaded next does, also where it is another version."""
        self.current = None
        if self.next is None:
            generation.reset()
            self.next = generation
        else:
            self._drop(generation)

    def _turn_away(self, worker: Worker) -> None:
        """Two versions never serve side by side."""
        assert worker.report is not None
        if worker.killed:
            return
        worker.dismiss()
        if worker.report.fingerprint != self._said:
            self._said = worker.report.fingerprint
            level = logging.DEBUG if self._options.watch else logging.WARNING
            log.log(level, "the files have changed since they were loaded: no worker is replaced; %s", HINT)
        self._pace.wait()

    def _add(self, generation: Generation) -> None:
        if not self._pace.ready():
            return
        try:
            generation.workers.append(self._start(generation))
        except OSError as error:  # no memory, no more processes
            log.error("a worker can not be started: %s", error)
            self._pace.slow_down()
