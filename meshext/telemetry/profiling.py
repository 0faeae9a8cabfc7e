"""A flame graph of running Python processes, recorded by py-spy (the extra `profile`).

py-spy reads the memory of the processes from outside, so they need no preparation and go on serving; it
stops each for about a millisecond a sample.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sysconfig
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from meshext.errors import MissingExtraError, ProfileError
from meshext.lifeline import guarded

FORMATS = {".svg": "flamegraph", ".json": "speedscope"}
"""What is written, by the file's name: a picture with search and zoom, or a file for speedscope.app."""

LOOK = 0.1  # seconds between two looks at it
PARTING = 30.0  # seconds to write the picture
RATE = 100  # samples a second
WROTE = re.compile(r"Samples: (\d+) Errors: (\d+)")
ERROR = re.compile(r"^Error: (.*)$", re.MULTILINE)
CAUSES: Sequence[tuple[str, str]] = (
    ("No stack counts found", "process {pid} did nothing all the while; send it requests, or record longer"),
    ("No python processes found", "process {pid} is not Python, and neither are its children"),
    ("Failed to get process executable name", "there is no process {pid}"),
    ("Permission", "process {pid} may not be looked into; be root, or allow ptrace (CAP_SYS_PTRACE)"),
)
"""What py-spy says, and what it means."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """What was written: so many samples of the process and its children."""

    path: Path
    samples: int


def record(
    pid: int, seconds: float, path: Path, *, on_progress: Callable[[float], None] = lambda _: None
) -> Recorded:
    """Record a process and its children for so long, or until they end or Ctrl-C, and write `path`.

    `on_progress` is told now and then how many seconds have passed. Raises ProfileError, and
    MissingExtraError without the extra.
    """
    form = FORMATS.get(path.suffix)
    if form is None:
        raise ProfileError(f"{str(path)!r}: write a file name that ends with {' or '.join(FORMATS)}")
    program = find_program()
    check_process(pid)
    with beside(path) as (unfinished, said):
        command = [program, "record", "--pid", str(pid), "--subprocesses", "--output", str(unfinished)]
        command += ["--format", form, "--rate", str(RATE), "--duration", str(max(1, round(seconds)))]
        run(command, said, on_progress)
        said.seek(0)
        text = said.read()
        found = WROTE.search(text)
        if found is None:
            raise ProfileError(explain(pid, text))
        unfinished.replace(path)
    return Recorded(path=path, samples=int(found[1]))


def find_program() -> str:
    """py-spy's program, of this environment or on PATH."""
    found = shutil.which("py-spy", path=sysconfig.get_path("scripts")) or shutil.which("py-spy")
    if found is None:
        raise MissingExtraError("profile", "meshext profile")
    return found


def check_process(pid: int) -> None:
    """Raise ProfileError where there is no such process, or we may not look into it."""
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        raise ProfileError(f"there is no process {pid}") from None
    except PermissionError:
        raise ProfileError(f"process {pid} is another user's; be that user, or root") from None
    try:
        Path(f"/proc/{pid}/mem").open("rb").close()
    except PermissionError:
        refused = dict(CAUSES)["Permission"]
        raise ProfileError(refused.format(pid=pid)) from None
    except OSError:
        pass  # no Linux, or a process that has just ended


@contextmanager
def beside(path: Path) -> Iterator[tuple[Path, IO[str]]]:
    """A place in the same folder for what is not finished, so that no half a file is ever left."""
    try:
        folder = tempfile.TemporaryDirectory(prefix=".profile-", dir=path.parent)
    except OSError as error:
        raise ProfileError(f"{str(path)!r} can not be written: {error.strerror}") from None
    with folder as name:
        if path.is_dir():
            raise ProfileError(f"{str(path)!r} is a folder; write a file's name")
        with (Path(name) / "said").open("w+") as said:
            yield Path(name) / path.name, said


def run(command: list[str], said: IO[str], on_progress: Callable[[float], None]) -> None:
    """Let py-spy work; Ctrl-C ends the recording, and what there is by then is written."""
    began = time.monotonic()
    process = subprocess.Popen(
        guarded(command), stdin=subprocess.DEVNULL, stdout=said, stderr=said, start_new_session=True
    )
    try:
        while process.poll() is None:
            on_progress(time.monotonic() - began)
            time.sleep(LOOK)
    except KeyboardInterrupt:
        process.send_signal(signal.SIGINT)
        process.wait(PARTING)
    finally:
        process.kill()
        process.wait()


def explain(pid: int, said: str) -> str:
    """One line for what py-spy said."""
    for words, cause in CAUSES:
        if words in said:
            return cause.format(pid=pid)
    error = ERROR.search(said)
    return f"py-spy failed: {error[1] if error else said.strip() or 'it said nothing'}"
