"""A worker process, seen from the supervisor: started, listened to, asked, stopped, killed."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import time
from collections.abc import Callable

from meshext.hosts.pulse import Pulse
from meshext.hosts.worker import LOADED, SERVE, SERVING, STOP, WHERE, Orders
from meshext.lifeline import guarded


class Worker:
    """One worker process as the supervisor sees it."""

    def __init__(self, orders: Callable[[int, int], Orders]) -> None:
        self.pulse = Pulse.shared()
        self.control, theirs = socket.socketpair()
        self.since = time.monotonic()  # when it was started, then when it was told to serve
        self.loaded = False
        self.told = False
        self.serving = False
        self.killed = False
        self._asked = (0.0, 0.0)  # for which due time it was asked where its hook is, and when
        self._late = (0.0, 0.0)  # which due time was seen to be over, and when
        with theirs:
            words = orders(self.pulse.descriptor, theirs.fileno()).to_json()
            try:
                self.process = subprocess.Popen(
                    guarded([sys.executable, "-m", "meshext.hosts.worker", words]),
                    pass_fds=(self.pulse.descriptor, theirs.fileno()),
                    stdin=subprocess.DEVNULL,
                )
            except OSError:
                self.control.close()
                self.pulse.close()
                raise
        self.control.setblocking(False)

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

    def listen(self) -> bool:
        """Take in what the worker says; False when it is gone."""
        try:
            said = self.control.recv(64)
        except BlockingIOError:
            return True
        except OSError:
            return False
        self.loaded |= LOADED in said
        self.serving |= SERVING in said
        return said != b""

    def promote(self) -> None:
        """Let it serve."""
        self.told = True
        self.since = time.monotonic()
        self._tell(SERVE)

    def stop(self) -> None:
        """Let it finish what is open and end."""
        self._tell(STOP)
        with contextlib.suppress(OSError):
            self.control.shutdown(socket.SHUT_WR)

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

    def close(self) -> int:
        """Wait for its end and give back what it took; its exit code."""
        self.process.kill()
        code = self.process.wait()
        self.control.close()
        self.pulse.close()
        return code

    def _tell(self, word: bytes) -> None:
        with contextlib.suppress(OSError):
            self.control.send(word)
