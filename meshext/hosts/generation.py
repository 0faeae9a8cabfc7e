"""Workers that serve one version of code and configuration, as a whole.

Each tells by content what it loaded (`Report`). Only workers that loaded the same serve side by side.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from typing import Literal

from meshext.hosts.address import Address
from meshext.hosts.report import Report
from meshext.hosts.worker_process import Worker

log = logging.getLogger("meshext.supervisor")

FOREVER = 1e9  # seconds

Verdict = Literal["loading", "torn", "whole"]


class Generation:
    """Workers for so many places, and one loaded spare."""

    def __init__(self, number: int, places: Sequence[Address]) -> None:
        self.number = number
        self.workers: list[Worker] = []
        self.report: Report | None = None
        self.since = 0.0  # when all of it first served
        self._places = places
        self._hastened = False

    @property
    def size(self) -> int:
        """How many workers serve."""
        return len(self._places)

    @property
    def whole(self) -> bool:
        """Whether every place is served."""
        return sum(worker.serving and worker.alive for worker in self.workers) >= self.size

    @property
    def able(self) -> bool:
        """Whether any worker serves, is about to, or could."""
        return any(worker.told or self.fits(worker) for worker in self.workers if worker.alive)

    @property
    def drains(self) -> bool:
        """Whether something is still open on it."""
        return any(worker.draining and worker.alive for worker in self.workers)

    def fits(self, worker: Worker) -> bool:
        """Whether a worker loaded what this generation serves."""
        report = worker.report
        return (
            report is not None
            and self.report is not None
            and report.settled
            and report.fingerprint == self.report.fingerprint
        )

    def verdict(self) -> Verdict:
        """Before anything serves: whether all places have a worker, and all of them loaded one version."""
        reports = [worker.report for worker in self.workers if worker.report is not None and worker.alive]
        if len(reports) < self.size:
            return "loading"
        same = len({report.fingerprint for report in reports}) == 1
        return "whole" if same and all(report.settled for report in reports) else "torn"

    def open(self) -> Report:
        """What it serves, once its version is found to be whole."""
        self.report = next(worker.report for worker in self.workers if worker.report is not None)
        return self.report

    def reset(self) -> None:
        """Nobody of it serves any more: those that load now decide what it is."""
        self.report = None
        self.since = 0.0

    def fill(self) -> None:
        """Give each free place to a worker that waits."""
        taken = {worker.place for worker in self.workers if worker.alive}
        waiting = [w for w in self.workers if w.alive and not w.told and self.fits(w)]
        for place, address in enumerate(self._places):
            if place not in taken and waiting:
                waiting.pop(0).serve(place, str(address))

    def note_whole(self) -> bool:
        """Whether it serves at every place for the first time."""
        if self.since or not self.whole:
            return False
        self.since = time.monotonic()
        return True

    def strangers(self) -> Iterator[Worker]:
        """Workers that loaded something else than this generation serves."""
        for worker in self.workers:
            if worker.loaded and not worker.told and self.report is not None and not self.fits(worker):
                yield worker

    def drain(self, seconds: float) -> None:
        """Let what is open end within so many seconds; who does not serve ends now."""
        for worker in self.workers:
            if worker.serving:
                worker.drain(seconds)
            else:
                worker.dismiss()

    def hasten(self, seconds: float) -> None:
        """Let what is still open end within so many seconds."""
        if not self._hastened:
            self._hastened = True
            log.warning(
                "an old version still has open exchanges; they have %g s, and the next change waits", seconds
            )
            self.drain(seconds)

    def dismiss(self) -> None:
        """End all of it now."""
        for worker in self.workers:
            worker.dismiss()
