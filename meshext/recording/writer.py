"""Who writes: a thread of its own, so that a slow or full disk costs no exchange more than its record."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque

from meshext.recording.exchange import Recorded
from meshext.recording.file import RecordingFile
from meshext.recording.format import to_line

log = logging.getLogger("meshext.recording")

MOST_WAITING = 10_000  # exchanges
MOST_BYTES = 64 << 20  # of bodies that wait
BATCH = 256  # exchanges in one write
PAUSE = 1.0  # seconds until a file that could not be written is tried again
PATIENCE = 5.0  # seconds to write what waits, at the end


class RecordingWriter:
    """Takes recorded exchanges from the service's thread and writes each as one line.

    Where the file can not be written, or exchanges come faster than it takes them, they are dropped and
    counted; the log has a line when that begins and one when it ends.
    """

    def __init__(self, file: RecordingFile) -> None:
        self.written = 0
        self.dropped = 0
        self._file = file
        self._waiting: deque[Recorded] = deque()
        self._bytes = 0
        self._wake = threading.Condition()
        self._closing = False
        self._failed_at = 0.0
        self._lost = 0  # since the log last said so
        self._thread = threading.Thread(target=self._work, name="meshext-recording", daemon=True)
        self._thread.start()

    def keep(self, recorded: Recorded) -> None:
        """Write that exchange soon; never waits, never raises."""
        size = weight(recorded)
        with self._wake:
            full = len(self._waiting) >= MOST_WAITING or self._bytes + size > MOST_BYTES
            if self._closing or (full and self._waiting):
                self._drop(1, "they come faster than they can be written")
                return
            self._waiting.append(recorded)
            self._bytes += size
            self._wake.notify()

    def close(self, patience: float = PATIENCE) -> None:
        """Write what waits, within so many seconds, and end."""
        with self._wake:
            self._closing = True
            self._wake.notify()
        self._thread.join(patience)
        if self.dropped:
            log.warning("%s: exchanges that were not recorded: %d", self._file.path, self.dropped)

    def _work(self) -> None:
        while batch := self._take():
            self._write(batch)
        self._file.close()

    def _take(self) -> list[Recorded]:
        with self._wake:
            self._wake.wait_for(lambda: self._waiting or self._closing)
            batch = [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]
            self._bytes -= sum(map(weight, batch))
        return batch

    def _write(self, batch: list[Recorded]) -> None:
        if self._failed_at and time.monotonic() < self._failed_at + PAUSE and not self._closing:
            with self._wake:
                self._drop(len(batch), "")
            return
        try:
            self._file.append(b"".join(map(to_line, batch)))
        except Exception as error:  # whatever it is, the service goes on
            self._failed_at = time.monotonic()
            with self._wake:
                self._drop(len(batch), f"it can not be written: {error}")
            return
        with self._wake:
            self.written += len(batch)
            self._failed_at = 0.0
            if self._lost:
                log.warning(
                    "%s: recording again; exchanges that are missing: %d", self._file.path, self._lost
                )
                self._lost = 0

    def _drop(self, number: int, reason: str) -> None:
        """Count what is lost; the first of a row is told. Called with the lock."""
        if not self._lost:
            log.error("%s: exchanges are not recorded: %s", self._file.path, reason)
        self._lost += number
        self.dropped += number


def weight(recorded: Recorded) -> int:
    """Bytes of bodies that an exchange holds, about."""
    decision, response = recorded.decision, recorded.response
    bodies = (
        recorded.request.body,
        response and response.body,
        decision.request.body,
        decision.response.body,
        decision.answer and decision.answer.body,
    )
    return sum(len(body.data) for body in bodies if body)
