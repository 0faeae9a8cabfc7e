"""One generation of workers after the other: which one loads, which one serves, which ones end.

A change is taken as a whole or not at all: the next generation serves when every worker of it has loaded
the same, whole version, and the last one goes on until then, or where the new version is refused.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from meshext.hosts.address import Address
from meshext.hosts.generation import FOREVER, Generation
from meshext.hosts.pace import Pace
from meshext.hosts.parent import Parent
from meshext.hosts.worker_process import Worker, describe

log = logging.getLogger("meshext.supervisor")


class Succession:
    """The generations of a service. `turn` is called again and again, `mourn` for each worker that ended."""

    def __init__(
        self,
        places: Sequence[Address],
        start: Callable[[Generation], Worker],
        *,
        parent: Parent,
        watched: bool,
    ) -> None:
        self._places = places
        self._start = start
        self._parent = parent
        self._watched = watched
        self._pace = Pace()
        self._number = 0
        self._old: list[Generation] = []
        self._said = ""  # of which other version was told already
        self.current: Generation | None = None
        self.next: Generation | None = self._found()

    def generations(self) -> list[Generation]:
        """All that have workers, the newest first."""
        return [each for each in (self.next, self.current, *self._old) if each is not None]

    def turn(self) -> None:
        """Do what is due."""
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
        if worker.refused:
            log.error("a worker can not load: %s", "; ".join(worker.refused))
        log.error("%s", self._obituary(worker, code, hook))
        self._pace.slow_down(worker, in_hook=bool(hook))

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

    def _load(self, generation: Generation) -> None:
        """Bring the next generation to where it can serve."""
        if len(generation.workers) < generation.size:
            self._add(generation)
            return
        verdict = generation.verdict()
        if verdict == "torn":
            log.info("a file changed while it was loaded; it is loaded again")
            generation.dismiss()
            self.next = None
            self._old.append(generation)
            self.next = self._found()
        elif verdict == "whole":
            generation.open()
            if self.current is not None:
                self._old.append(self.current)
            self.current, self.next = generation, None

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
        wanted = generation.size + 1 if generation.since else generation.size
        if len(generation.workers) < wanted:
            self._add(generation)

    def _begin_again(self, generation: Generation) -> None:
        """Nobody serves: whatever is loaded next does, also where it is another version."""
        self.current = None
        if self.next is None:
            generation.reset()
            self.next = generation
        else:
            generation.dismiss()
            self._old.append(generation)

    def _turn_away(self, worker: Worker) -> None:
        """Two versions never serve side by side."""
        assert worker.report is not None
        if worker.killed:
            return
        worker.dismiss()
        if worker.report.fingerprint != self._said:
            self._said = worker.report.fingerprint
            hint = "" if self._watched else "; start the service again, or serve with --watch"
            log.warning("the files have changed since they were loaded: no worker is replaced%s", hint)
        self._pace.wait()

    def _add(self, generation: Generation) -> None:
        if not self._pace.ready():
            return
        try:
            generation.workers.append(self._start(generation))
        except OSError as error:  # no memory, no more processes
            log.error("a worker can not be started: %s", error)
            self._pace.slow_down()
