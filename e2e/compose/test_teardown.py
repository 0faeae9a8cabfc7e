"""A suite that is interrupted leaves nothing behind, however it is interrupted."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from e2e.compose.project import Project
from e2e.compose.reaper import left_over
from e2e.compose.waiting import wait_for

SCRIPT = """
import signal, sys
from e2e.compose.project import TRANSPARENT, project
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
with project("stranger", file=TRANSPARENT) as running:
    print(running.name, flush=True)
    signal.pause()
"""


@pytest.fixture
def owner(suite: Project) -> Iterator[subprocess.Popen[str]]:
    """Somebody with a project of his own; the suite before has made the image."""
    process = subprocess.Popen([sys.executable, "-c", SCRIPT], stdout=subprocess.PIPE, text=True)
    yield process
    process.kill()
    process.wait()
    assert process.stdout is not None
    process.stdout.close()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_nothing_is_left(owner: subprocess.Popen[str], number: signal.Signals) -> None:
    assert owner.stdout is not None
    name = owner.stdout.readline().strip()
    assert left_over(name)
    owner.send_signal(number)
    wait_for("everything is gone", lambda: not left_over(name))
