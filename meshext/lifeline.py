"""Children never outlive us, and we never outlive our own parent.

`guarded(command)` gives the command line that runs `command` so that it ends when the process that
started it dies, however that dies (SIGKILL runs no `finally` and no `atexit`):

- on Linux the kernel does it: `prctl(PR_SET_PDEATHSIG)`, prctl(2). This file is run as a small script
  which asks for the signal and then turns into the command by exec, under the same process id;
- elsewhere a second, tiny process watches both and sends the signal within `INTERVAL` seconds.

Why a script, and not `preexec_fn`: that one runs Python between fork and exec, which can deadlock as soon
as the process has threads (a gRPC server has). The script costs some 30 ms for each start.

Two things to know on Linux. The signal comes when the *thread* that started the child ends: start children
from a thread that lives as long as they may, such as the one of the event loop. And exec of a setuid
program or one with file capabilities clears it.

`watch_parent()` is the other direction. Only the standard library is imported here, and little of it: the
script is on the way of every start.
"""

from __future__ import annotations

import os
import signal
import sys

INTERVAL = 0.25  # seconds between two looks at a parent

_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_CAN_NOT_EXECUTE = 126  # what shells end with
_NOT_FOUND = 127


def guarded(
    command: list[str], *, death_signal: int = signal.SIGKILL, watcher: bool | None = None
) -> list[str]:
    """The command line that runs `command` (a program and its arguments) bound to the calling process.

    To be started by the caller itself, with asyncio, `subprocess` or `os.posix_spawn`: the process id is
    the one of the command. `death_signal` is what it gets when we die. `watcher` chooses the way of systems
    without `prctl`; None takes what the system has. A program that can not be run ends with 126 or 127
    and one line on standard error.
    """
    way = "watcher" if (sys.platform != "linux" if watcher is None else watcher) else "kernel"
    ours = [sys.executable, "-I", "-S", os.path.abspath(__file__)]
    return [*ours, str(os.getpid()), str(int(death_signal)), way, *command]


async def watch_parent(*, parent: int | None = None) -> None:
    """Return once our parent process has died; a caller that ends with its parent races its work with this.

    `parent` is the process id to watch, by default the parent at the time of the call: a program that does
    slow things first should read `os.getppid()` before them.
    """
    import asyncio

    watched = os.getppid() if parent is None else parent
    # Nothing tells about the end of a parent on every system; what it leaves is another parent's id.
    while os.getppid() == watched:  # noqa: ASYNC110 (no event to wait for)
        await asyncio.sleep(INTERVAL)


def _ask_kernel(death_signal: int) -> None:
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_PDEATHSIG, ctypes.c_ulong(death_signal), 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")


def _start_watcher(parent: int, death_signal: int) -> None:
    child = os.getpid()
    if os.fork() != 0:
        return
    try:
        # Ctrl-C goes to the whole group: the watcher must stay until the one it watches has ended.
        for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
            signal.signal(each, signal.SIG_IGN)
        # A pipe ends when its last holder closes it, and readers of the child's output wait for that.
        os.closerange(0, 1024)
        _watch(parent, child, death_signal)
    finally:
        os._exit(0)


def _watch(parent: int, child: int, death_signal: int) -> None:
    """Send `child` the signal once `parent` is gone; the child is our parent, so its end is plain to see."""
    import time

    while os.getppid() == child:
        try:
            os.kill(parent, 0)
        except ProcessLookupError:
            os.kill(child, death_signal)
            return
        except PermissionError:
            pass  # alive, and somebody else's
        time.sleep(INTERVAL)


def _run(parent: int, death_signal: int, way: str, command: list[str]) -> int:
    if way == "kernel":
        _ask_kernel(death_signal)
    else:
        _start_watcher(parent, death_signal)
    # It may have died before the kernel was asked, and then no signal comes.
    if os.getppid() != parent:
        return _NOT_FOUND
    try:
        os.execvp(command[0], command)
    except OSError as error:
        os.write(2, f"can not run {command[0]!r}: {error.strerror}\n".encode(errors="backslashreplace"))
        return _NOT_FOUND if isinstance(error, FileNotFoundError) else _CAN_NOT_EXECUTE


if __name__ == "__main__":
    sys.exit(_run(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4:]))
