"""A connection that stays open from inside a container, while something happens."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from e2e.compose.project import Project


@contextmanager
def holding(project: Project, service: str, host: str, port: int) -> Iterator[Callable[[], str]]:
    """Connect, and give what says what comes back to a line now; "" where the connection has ended."""
    command = ["docker", "exec", "-i", project.container(service), "python3", "/suite/hold.py", host]
    process = subprocess.Popen(
        [*command, str(port)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    )

    def ask() -> str:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write("hello\n")
        return process.stdout.readline().strip()

    try:
        yield ask
    finally:
        process.kill()
        with process:  # closes its pipes
            pass
