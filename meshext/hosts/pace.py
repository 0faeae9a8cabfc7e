"""How fast workers are started: one that dies at once, again and again, must not eat the machine."""

from __future__ import annotations

import time

from meshext.hosts.worker_process import Worker

FIRST_PAUSE, LONGEST_PAUSE = 0.1, 5.0  # seconds between starts of workers that die at once
SETTLED = 5.0  # seconds after which a worker counts as one that started well
PATIENT = 30.0  # seconds until a worker that loaded something else is tried again


class Pace:
    """Pauses between starts, doubled while it goes badly."""

    def __init__(self) -> None:
        self.pause = 0.0
        self._next = 0.0

    def ready(self) -> bool:
        """Whether one may be started now."""
        return time.monotonic() >= self._next

    def slow_down(self, worker: Worker | None = None, *, in_hook: bool = False) -> None:
        """A worker has ended, or could not be started.

        One that died in a hook was well: no pause then, or whoever finds the request that kills it could
        keep the service down between two starts.
        """
        served = worker is not None and worker.serving
        settled = worker is not None and time.monotonic() - worker.since > SETTLED
        well = served and (in_hook or settled)
        self.pause = 0.0 if well else min(max(self.pause * 2, FIRST_PAUSE), LONGEST_PAUSE)
        self._next = time.monotonic() + self.pause

    def wait(self) -> None:
        """Start none for a good while."""
        self._next = time.monotonic() + PATIENT

    def hurry(self) -> None:
        """Something has changed: start the next one at once."""
        self.pause = self._next = 0.0
