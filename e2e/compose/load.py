"""Load on the mesh while something is broken: calls from inside a container, counted there."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from e2e.compose.project import Project

_END = 60.0  # seconds for calls that are open at the end


@dataclass(slots=True)
class Load:
    """What has come of the calls, once the block has ended."""

    sent: int = 0
    failed: Mapping[str, int] = field(default_factory=dict)
    first_failure: float | None = None
    last_failure: float | None = None
    slowest: float = 0.0

    @property
    def failures(self) -> int:
        """How many calls failed, of whatever kind."""
        return sum(self.failed.values())

    @property
    def outage(self) -> float:
        """Seconds from the first failure to the last one."""
        if self.first_failure is None or self.last_failure is None:
            return 0.0
        return self.last_failure - self.first_failure


@contextmanager
def load(project: Project, service: str, url: str, *, rate: float = 20.0) -> Iterator[Load]:
    """Call a URL so many times a second from a service's container, as its application would."""
    command = ["docker", "exec", "-i", project.container(service), "python3", "/suite/load.py", url]
    process = subprocess.Popen(
        [*command, "--rate", f"{rate:g}"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    result = Load()
    try:
        yield result
        said, _ = process.communicate(timeout=_END)
        counted: dict[str, Any] = json.loads(said)
        for name, value in counted.items():
            setattr(result, name, value)
    finally:
        process.kill()
        with process:  # closes its pipes
            pass
