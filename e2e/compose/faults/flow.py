"""A steady load from inside a container, whose every request is known here as soon as it has ended."""

from __future__ import annotations

import secrets
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from e2e.compose.faults.bounds import RATE
from e2e.compose.faults.timeline import Call, Timeline
from e2e.compose.project import Project
from e2e.compose.waiting import wait_for

_END = 60.0  # seconds for requests that are open at the end
_DELAY = 1.0  # seconds that a first line may be late without being of another machine's clock


@dataclass(frozen=True, slots=True)
class Requests:
    """What to send, from which service's container, and which answers are good ones.

    In headers `{n}` is the request's number, and `{mark}` a word that no other load has.
    """

    service: str
    url: str
    method: str = "GET"
    headers: Sequence[str] = ()
    body: str = ""
    good: tuple[str, ...] = ("200",)

    def to_command(self, rate: float) -> list[str]:
        """What runs in the container."""
        words = ["python3", "/suite/steady.py", self.url, "--rate", f"{rate:g}", "--method", self.method]
        words += ["--body", self.body] if self.body else []
        mark = secrets.token_hex(4)
        return words + [f"--header={each.replace('{mark}', mark)}" for each in self.headers]


class Flow:
    """The requests so far. Times are those of `time.monotonic` here, wherever the container runs."""

    def __init__(self, good: tuple[str, ...]) -> None:
        self._good = good
        self._calls: list[Call] = []
        self._ahead: float | None = None
        self.sent: int | None = None
        """How many there were in all, once it has ended by itself."""

    def take(self, line: str, now: float) -> None:
        """One line of the sender's."""
        match line.split():
            case ["clock", there]:
                # Containers on this machine have our clock; what is left then is the way of the line.
                ahead = float(there) - now
                self._ahead = ahead if abs(ahead) > _DELAY else 0.0
            case ["sent", number]:
                self.sent = int(number)
            case [due, ended, kind] if self._ahead is not None:
                self._calls.append(Call(float(due) - self._ahead, float(ended) - self._ahead, kind))
            case _:
                raise ValueError(f"{line!r} is no line of the sender's")

    @property
    def timeline(self) -> Timeline:
        """All that have ended."""
        return Timeline.of(list(self._calls), self._good)


@contextmanager
def flow(project: Project, requests: Requests, *, rate: float = RATE) -> Iterator[Flow]:
    """Send until the block is left, all is well when it begins; then every request that was sent is known."""
    command = ["docker", "exec", "-i", project.container(requests.service), *requests.to_command(rate)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    running = Flow(requests.good)
    reader = threading.Thread(target=_read, args=(process, running))
    reader.start()
    try:
        began = time.monotonic()
        wait_for(f"{requests.url} answers {requests.service}", lambda: running.timeline.is_settled(began))
        yield running
        assert process.stdin is not None
        process.stdin.close()
        process.wait(_END)
        reader.join(_END)
        assert running.sent == len(running.timeline.calls), f"the load ended after {running.sent} requests"
    finally:
        process.kill()
        with process:  # closes its pipes
            reader.join(_END)


def _read(process: subprocess.Popen[str], running: Flow) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        running.take(line, time.monotonic())
