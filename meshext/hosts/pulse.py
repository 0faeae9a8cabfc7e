"""A worker's pulse: shared memory in which the supervisor reads whether a hook is stuck, and which.

A double, the monotonic time at which the running hook is due (0 while none runs), the name of what ran
last, and a number that a thread counts up: a sign of life, also where no hook runs. On Linux and macOS the
monotonic clock is the same in all processes of a machine.
"""

from __future__ import annotations

import mmap
import os
import struct
import tempfile
import threading
import time
from functools import partial

from meshext.engine.current import CURRENT

FORMAT = struct.Struct("d376s")
DUE = struct.Struct("d")
BEATS = struct.Struct("Q")
SIZE = FORMAT.size + BEATS.size
BEAT = 0.25  # seconds


class Pulse:
    """The shared memory; whoever gets the file descriptor shares it."""

    def __init__(self, memory: mmap.mmap, descriptor: int = -1) -> None:
        self._memory = memory
        self.descriptor = descriptor
        self.leave = partial(DUE.pack_into, memory, 0, 0.0)
        """No hook runs. Twice a hook counts: this one is no call in Python."""

    @classmethod
    def shared(cls) -> Pulse:
        """A new pulse whose descriptor a child may inherit."""
        with tempfile.TemporaryFile() as file:
            file.truncate(SIZE)
            descriptor = os.dup(file.fileno())
        os.set_inheritable(descriptor, True)
        return cls.attach(descriptor)

    @classmethod
    def attach(cls, descriptor: int) -> Pulse:
        """The pulse behind an inherited descriptor."""
        return cls(mmap.mmap(descriptor, SIZE), descriptor)

    @classmethod
    def private(cls) -> Pulse:
        """A pulse that nobody else reads."""
        return cls(mmap.mmap(-1, SIZE))

    def enter(self, due: float) -> None:
        """A hook begins that is due at that time."""
        # Joined as it is: most of what is written here is never read.
        FORMAT.pack_into(self._memory, 0, due, " ".join(CURRENT.get()).encode())

    def due(self) -> float:
        """When the running hook is due; 0 where none runs."""
        (due,) = DUE.unpack_from(self._memory, 0)
        return float(due)

    def running(self) -> str:
        """The hook that runs or ran last: `filter hook [request id]`."""
        text: bytes = FORMAT.unpack_from(self._memory, 0)[1]
        request_id, _, hook = text.rstrip(b"\0").decode("utf-8", "replace").partition(" ")
        return f"{hook} [{request_id}]" if hook else ""

    def overdue(self, now: float) -> float:
        """Seconds by which the running hook is overdue; 0 or less where none is."""
        due = self.due()
        return now - due if due else 0.0

    def start_beating(self) -> None:
        """Show from now on that this process runs, whatever its event loop is busy with."""

        def beat() -> None:
            while True:
                time.sleep(BEAT)
                BEATS.pack_into(self._memory, FORMAT.size, self.beats() + 1)

        threading.Thread(target=beat, name="meshext-pulse", daemon=True).start()

    def beats(self) -> int:
        """How often the process has shown that it runs."""
        (count,) = BEATS.unpack_from(self._memory, FORMAT.size)
        return int(count)

    def close(self) -> None:
        """Give the memory back."""
        self._memory.close()
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1
