"""One change of the mesh on its way to all proxies: when it was made, and who does not have it yet."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from meshext_controlplane.xds.gathering import Kind
from meshext_controlplane.xds.observer import Observer

_MOST = 64  # waves that one proxy may be behind; of one that is stuck the oldest are given up


@dataclass(slots=True, eq=False)
class Wave:
    """`since` is the loop's time of the first edit, `begun` of the moment when it was served.

    `waiting` counts the proxies that do not have it, and one more while there may come others.
    """

    kind: Kind
    since: float
    begun: float
    waiting: int = 1
    given_up: bool = False


class Behind:
    """The waves that one proxy does not have yet."""

    __slots__ = ("_waves",)

    def __init__(self) -> None:
        self._waves: deque[Wave] = deque()

    def add(self, wave: Wave) -> None:
        """That wave has something for this proxy."""
        if len(self._waves) == _MOST:
            self._waves.popleft().given_up = True
        wave.waiting += 1
        self._waves.append(wave)

    def clear(self, now: float, observer: Observer) -> None:
        """The proxy has everything."""
        if self._waves:
            observer.caught_up(after=now - self._waves[0].since)
        self.leave(now, observer)

    def leave(self, now: float, observer: Observer) -> None:
        """The proxy has gone: nobody waits for it."""
        for wave in self._waves:
            finish(wave, now, observer)
        self._waves.clear()


def finish(wave: Wave, now: float, observer: Observer) -> None:
    """One less to wait for."""
    wave.waiting -= 1
    if wave.waiting == 0 and not wave.given_up:
        observer.converged(wave.kind, gathered=wave.begun - wave.since, after=now - wave.since)
