"""A worker process, seen from the supervisor: started, listened to, asked, drained, killed."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack

from meshext.hosts.options import ServiceOptions
from meshext.hosts.pulse import Pulse
from meshext.hosts.report import Report
from meshext.hosts.words import Word, Words
from meshext.hosts.worker import WHERE, Orders
from meshext.lifeline import guarded

NO_PLACE = -1


class Worker:
    """One worker process as the supervisor sees it."""

    def __init__(
        self,
        options: ServiceOptions,
        *,
        generation: int = 0,
        parts: Callable[[socket.socket, socket.socket], None],
    ) -> None:
        """Start it; `parts` gets our ends of its sockets for the store and for metrics. Raises OSError."""
        self.generation = generation
        self.since = time.monotonic()  # when it was started, then when it was told to serve
        self.place = NO_PLACE  # where it was told to serve: the number of an address
        self.report: Report | None = None  # what it loaded
        self.refused: tuple[str, ...] = ()  # why it did not
        self.files: Mapping[str, str] = {}  # what it read in either case: paths and digests
        self.serving = False
        self.draining = False
        self.drained = 0.0  # when it had
        self.killed = False
        self.dismissed = False
        self._asked = (0.0, 0.0)  # for which due time it was asked where its hook is, and when
        self._late = (0.0, 0.0)  # which due time was seen to be over, and when
        self._beats, self._silence = 0, 0.0
        with ExitStack() as undo:
            self.pulse = Pulse.shared()
            undo.callback(self.pulse.close)
            pairs = [socket.socketpair() for _ in range(3)]
            for ours, theirs in pairs:
                undo.callback(ours.close)
                undo.enter_context(theirs)
            self.process = start(options, self.pulse.descriptor, [theirs.fileno() for _, theirs in pairs])
            undo.pop_all()
        for _, theirs in pairs:
            theirs.close()
        (control, _), (store, _), (metrics, _) = pairs
        control.setblocking(False)
        self.words = Words(control)
        parts(store, metrics)

    @property
    def told(self) -> bool:
        """Whether it was told to serve."""
        return self.place != NO_PLACE

    @property
    def loaded(self) -> bool:
        """Whether it is ready to be told."""
        return self.report is not None

    @property
    def alive(self) -> bool:
        """Whether its process runs."""
        return self.process.poll() is None

    @property
    def waits(self) -> bool:
        """Whether it has yet to load, or was told to serve and does not."""
        return not self.loaded or (self.told and not self.serving)

    def stuck(self, now: float) -> float:
        """For how many seconds its hook has been seen overdue; 0 where none is."""
        due = self.pulse.due()
        if not due or now <= due:
            return 0.0
        if self._late[0] != due:
            self._late = (due, now)
        return now - self._late[1]

    def silent(self, passed: float) -> float:
        """For how many seconds it has shown no sign of life; `passed` is the time since this was asked."""
        beats = self.pulse.beats()
        self._silence = 0.0 if beats != self._beats else self._silence + passed
        self._beats = beats
        return self._silence

    def listen(self) -> bool:
        """Take in what the worker says; False when it is gone."""
        heard = self.words.hear()
        for word in heard or ():
            self._take(word)
        return heard is not None

    def _take(self, word: Word) -> None:
        if "loaded" in word:
            self.report = Report.from_plain(word["loaded"])
            self.files = self.report.files
        if "refused" in word:
            self.refused = tuple(word["refused"])
            self.files = word["files"]
        self.serving |= "serving" in word
        if "drained" in word:
            self.drained = time.monotonic()

    def serve(self, place: int, address: str) -> None:
        """Let it serve there."""
        self.place = place
        self.since = time.monotonic()
        self.words.say(serve=address)

    def drain(self, seconds: float) -> None:
        """Let it finish what is open, within so many seconds, and end; said again, it has fewer."""
        self.draining = True
        self.words.say(drain=seconds)

    def ask_where(self, now: float) -> float:
        """Let it write where its hook is, in C code too, once for each hook; seconds since it was asked."""
        due = self.pulse.due()
        if self._asked[0] != due:
            self._asked = (due, now)
            self.process.send_signal(WHERE)
        return now - self._asked[1]

    def kill(self) -> None:
        """End it now."""
        self.killed = True
        self.process.kill()

    def dismiss(self) -> None:
        """End it now, since it is not needed any more."""
        self.dismissed = True
        self.kill()

    def close(self) -> int:
        """Wait for its end and give back what it took; its exit code."""
        self.process.kill()
        code = self.process.wait()
        self.listen()  # its last words
        self.words.close()
        self.pulse.close()
        return code


def start(options: ServiceOptions, pulse: int, channels: Sequence[int]) -> subprocess.Popen[bytes]:
    """The process; its orders are on its standard input, which nobody else can read."""
    control, store, metrics = channels
    orders = Orders(options=options, pulse=pulse, control=control, store=store, metrics=metrics)
    with tempfile.TemporaryFile() as file:
        file.write(orders.to_json().encode())
        file.seek(0)
        return subprocess.Popen(
            guarded([sys.executable, "-m", "meshext.hosts.worker"]),
            pass_fds=(pulse, *channels),
            stdin=file,
        )


def describe(code: int) -> str:
    """An exit code for a person."""
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"killed by {signal.Signals(-code).name}"
    except ValueError:  # most real-time signals have no name
        return f"killed by signal {-code}"
