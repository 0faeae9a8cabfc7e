from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from meshext import lifeline
from meshext.lifeline import guarded, watch_parent

Until = Callable[..., None]
Gone = Callable[[int], bool]

PARENT = """
import subprocess, sys, time
from meshext.lifeline import guarded
watcher = {"kernel": False, "watcher": True}[sys.argv[1]]
child = subprocess.Popen(guarded([sys.executable, "-c", "import time; time.sleep(600)"], watcher=watcher))
print(child.pid, flush=True)
time.sleep(600)
"""

GRANDPARENT = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", sys.argv[1], sys.argv[2]])
time.sleep(600)
"""

WATCHING = """
import asyncio, os, pathlib, sys
from meshext.lifeline import watch_parent
async def main():
    watched = asyncio.create_task(watch_parent())
    await asyncio.sleep(0)
    pathlib.Path(sys.argv[1], "watching").write_text(str(os.getpid()))
    await watched
    pathlib.Path(sys.argv[1], "told").touch()
asyncio.run(main())
"""

ways = pytest.mark.parametrize(
    "way",
    [
        pytest.param("kernel", marks=pytest.mark.skipif(sys.platform != "linux", reason="prctl is Linux's")),
        "watcher",
    ],
)


@ways
def test_a_child_dies_with_a_parent_that_was_killed(way: str, until: Until, gone: Gone) -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT, way], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert not gone(child)
        parent.kill()
    until(lambda: gone(child))


@ways
def test_the_command_is_the_child_itself(way: str) -> None:
    script = "import os, sys; print(os.getpid(), *sys.argv[1:]); sys.exit(7)"
    command = guarded([sys.executable, "-c", script, "--", "-a", "b c"], watcher=way == "watcher")
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        # Read to the end: nobody else may hold the pipe after the command has ended.
        assert child.stdout.read() == f"{child.pid} -- -a b c\n"
    assert child.returncode == 7


@pytest.mark.parametrize(
    ("program", "code", "why"),
    [("/no/such/program", 127, "No such file or directory"), ("/etc/passwd", 126, "Permission denied")],
)
def test_a_program_that_can_not_run(program: str, code: int, why: str) -> None:
    done = subprocess.run(guarded([program]), capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (code, f"can not run {program!r}: {why}\n")


@ways
def test_nothing_is_run_for_a_parent_that_is_dead_already(way: str, tmp_path: Path) -> None:
    command = guarded(["touch", str(tmp_path / "ran")], watcher=way == "watcher")
    dead = subprocess.Popen(["true"])
    dead.wait()
    command[command.index(str(os.getpid()))] = str(dead.pid)
    assert subprocess.run(command, check=False).returncode != 0
    assert not (tmp_path / "ran").exists()


def test_we_are_told_when_our_parent_was_killed(tmp_path: Path, until: Until, gone: Gone) -> None:
    with subprocess.Popen([sys.executable, "-c", GRANDPARENT, WATCHING, str(tmp_path)]) as parent:
        until(lambda: (tmp_path / "watching").exists() and (tmp_path / "watching").read_text())
        assert not (tmp_path / "told").exists()
        parent.kill()
    until((tmp_path / "told").exists)
    until(lambda: gone(int((tmp_path / "watching").read_text())))


def test_a_parent_that_died_before_the_watch() -> None:
    asyncio.run(watch_parent(parent=os.getppid() + 1))


def test_another_death_signal(until: Until, gone: Gone) -> None:
    command = guarded(["sleep", "600"], death_signal=signal.SIGTERM)
    assert command[command.index(str(os.getpid())) + 1] == "15"


def test_the_script_imports_next_to_nothing() -> None:
    shown = [sys.executable, "-I", "-S", "-X", "importtime", lifeline.__file__]
    arguments = [str(os.getpid()), "9", "kernel" if sys.platform == "linux" else "watcher", "true"]
    done = subprocess.run([*shown, *arguments], capture_output=True, text=True, check=True)
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert not imported & {"asyncio", "subprocess", "re", "typing", "meshext", "site"}
