"""One setup on stage: service, real Envoy and echo upstream, driven from tests that block."""

from __future__ import annotations

import json
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from meshext.sandbox import Sandbox, Setup
from meshext.sandbox.client import Answer, send
from tests.conformance.background import DEADLINE, Background

T = TypeVar("T")
FILTERS = Path(__file__).parent / "filters"


@dataclass(frozen=True, slots=True)
class Timed:
    """An answer and how long it took, in seconds; None where the connection broke."""

    answer: Answer | None
    took: float

    @property
    def status(self) -> int:
        return self.answer.status if self.answer else 0


class Stage:
    """A running setup. `lines` is everything it logged."""

    def __init__(self, setup: Setup) -> None:
        self.lines: list[str] = []
        self._background = Background()
        try:
            self.sandbox = self._background.run(self._open(setup))
        except BaseException:
            self._background.close()
            raise

    @property
    def url(self) -> str:
        return self.sandbox.url

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def send(self, method: str = "GET", target: str = "/", **options: Any) -> Answer:
        return send(self.url, method, target, **options)

    def timed(self, method: str = "GET", target: str = "/", **options: Any) -> Timed:
        began = time.monotonic()
        try:
            answer = self.send(method, target, **options)
        except OSError:
            return Timed(None, time.monotonic() - began)
        return Timed(answer, time.monotonic() - began)

    def meanwhile(
        self, first: Callable[[], T], other: Callable[[], object], *, among: int = 4
    ) -> tuple[T, list[Any]]:
        """What `first` gives, and what `other` gave again and again while it ran."""
        results: list[Any] = []
        done = threading.Event()

        def repeat() -> None:
            while not done.is_set():
                results.append(other())

        with ThreadPoolExecutor(among + 1) as pool:
            busy = [pool.submit(repeat) for _ in range(among)]
            wait_for(lambda: len(results) >= among)
            try:
                result = pool.submit(first).result(DEADLINE)
            finally:
                done.set()
            for each in busy:
                each.result(DEADLINE)
        return result, results

    def logged(self, *parts: str) -> str:
        """The first line that holds all parts, with the traceback that follows it; waits for it."""
        found: list[int] = []

        def look() -> bool:
            found[:] = [at for at, line in enumerate(self.lines) if all(part in line for part in parts)]
            return bool(found)

        if not wait_for(look, limit=15.0):
            raise AssertionError(f"no line with {parts} in the log:\n" + "\n".join(self.lines[-30:]))
        start = end = found[0]
        while end + 1 < len(self.lines) and self.lines[end + 1].startswith("    | "):
            end += 1
        return "\n".join(self.lines[start : end + 1])

    def stats(self, pattern: str) -> int:
        """The sum of Envoy's counters and gauges whose name matches."""
        assert self.sandbox.envoy is not None
        return sum(self._background.run(self.sandbox.envoy.admin.stats(pattern)).values())

    def close(self) -> None:
        try:
            self._background.run(self.sandbox.__aexit__(None, None, None))
        finally:
            self._background.close()

    async def _open(self, setup: Setup) -> Sandbox:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # envoy-data-plane is made for an older pydantic
            return await Sandbox(setup, on_line=self.lines.append).__aenter__()


@contextmanager
def staged(*specs: str, **options: Any) -> Iterator[Stage]:
    """A stage for filters of `e2e/filters`, each as `file.py:Class`."""
    stage = Stage(Setup(specs=tuple(str(FILTERS / spec) for spec in specs), **options))
    try:
        yield stage
    finally:
        stage.close()


def wait_for(condition: Callable[[], object], *, limit: float = 20.0) -> bool:
    """Whether it came to hold within the limit."""
    end = time.monotonic() + limit
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.005)
    return True


def report(words: str) -> None:
    """A figure for people: `pytest -s` shows it."""
    sys.stdout.write(f"\n{words}")


def echo(answer: Answer) -> dict[str, Any]:
    """What the upstream received."""
    found: dict[str, Any] = json.loads(answer.text)
    return found


def received(answer: Answer, name: str) -> list[str]:
    """The lines of a header that the upstream received."""
    return [value for key, value in echo(answer)["headers"] if key.lower() == name]
