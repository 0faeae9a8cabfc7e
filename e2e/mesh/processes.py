"""Processes of a mesh under test: started, waited for by what they say, ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")
MESHEXT = (sys.executable, "-m", "meshext")
PATIENCE = 60.0  # seconds for anything to come true on a busy machine


class Process:
    """One `meshext` command; both of its outputs go to a file."""

    def __init__(
        self, name: str, arguments: Sequence[str], folder: Path, environment: Mapping[str, str] = {}
    ) -> None:
        self.name = name
        self.log = folder / f"{name}.log"
        self._arguments = list(arguments)
        self._environment = {**os.environ, **environment}
        self.process = self._spawn()

    def _spawn(self) -> subprocess.Popen[bytes]:
        command = [*MESHEXT, *self._arguments]
        with self.log.open("ab") as log:
            return subprocess.Popen(
                command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=self._environment
            )

    @property
    def text(self) -> str:
        """What it has said so far, in all of its lives."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def says(self, words: str) -> bool:
        """Whether it has said that; AssertionError where it has ended instead."""
        assert self.process.poll() is None, f"{self.name} ended with {self.process.poll()}: {self.text}"
        return words in self.text

    def kill(self) -> None:
        """SIGKILL, as power cuts do."""
        self.process.kill()
        self.process.wait()

    def restart(self) -> None:
        """The same command once more."""
        self.process = self._spawn()

    def stop(self, *, patience: float = 30.0) -> int:
        """SIGTERM; SIGKILL where that is not enough. Its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(patience)
            except subprocess.TimeoutExpired:
                self.kill()
        return self.process.wait()


def wait_for(what: str, check: Callable[[], T], *, patience: float = PATIENCE) -> T:
    """The first thing that is true which `check` gives; AssertionError names what did not come."""
    end = time.monotonic() + patience
    while True:
        found = check()
        if found:
            return found
        assert time.monotonic() < end, f"after {patience:g} s still not: {what} (last: {found!r})"
        time.sleep(0.02)
