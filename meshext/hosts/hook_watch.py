"""Time limits for the hooks of a service: what a worker can not end itself, its supervisor does.

The supervisor reads when the running hook is due from shared memory (`Pulse`) and kills the worker.
"""

from __future__ import annotations

from meshext.engine.timed_watch import TimedWatch
from meshext.hosts.pulse import Pulse


class HookWatch(TimedWatch):
    """The Watch of a service: one for each worker, on its main thread."""

    def __init__(self, pulse: Pulse | None = None) -> None:
        super().__init__(pulse or Pulse.private())
