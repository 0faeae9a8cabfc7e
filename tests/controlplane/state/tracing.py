"""A child that is stopped before each call that writes, by ptrace(2): it can be killed at any of them."""

from __future__ import annotations

import ctypes
import os
import platform
import signal
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

TRACEME, SYSCALL, SETOPTIONS, GET_SYSCALL_INFO = 0, 24, 0x4200, 0x420E
TRACE_SYSGOOD, EXITKILL = 1, 0x100000
STOPPED_AT_CALL = signal.SIGTRAP | 0x80
ENTRY = 1

WRITES = {
    "x86_64": {
        1: "write", 18: "pwrite", 20: "writev", 74: "fsync", 75: "fdatasync", 76: "truncate", 77: "ftruncate",
        82: "rename", 86: "link", 87: "unlink", 263: "unlinkat", 264: "renameat", 265: "linkat",
        316: "renameat2",
    },
    "aarch64": {
        35: "unlinkat", 37: "linkat", 38: "renameat", 45: "truncate", 46: "ftruncate", 64: "write",
        66: "writev", 68: "pwrite", 82: "fsync", 83: "fdatasync", 276: "renameat2",
    },
}  # fmt: skip

libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
libc.ptrace.restype = ctypes.c_long


class Info(ctypes.Structure):
    """`struct ptrace_syscall_info`, as far as an entry goes."""

    _fields_ = (
        ("op", ctypes.c_uint8),
        ("pad", ctypes.c_uint8 * 3),
        ("arch", ctypes.c_uint32),
        ("instruction_pointer", ctypes.c_uint64),
        ("stack_pointer", ctypes.c_uint64),
        ("number", ctypes.c_uint64),
        ("arguments", ctypes.c_uint64 * 6),
        ("rest", ctypes.c_uint64 * 4),
    )


@dataclass(frozen=True, slots=True)
class Call:
    """A call that is about to be made; `path` is what its first argument is open on, "" where none."""

    name: str
    path: str


def can_trace() -> bool:
    """Whether this machine and its kernel let us."""
    return platform.system() == "Linux" and platform.machine() in WRITES


def trace(pid: int, request: int, data: int | ctypes.Structure = 0, size: int = 0) -> None:
    given = ctypes.byref(data) if isinstance(data, ctypes.Structure) else ctypes.c_void_p(data)
    if libc.ptrace(request, pid, ctypes.c_void_p(size), given) < 0:
        raise OSError(ctypes.get_errno(), f"ptrace {request:#x}")


@contextmanager
def traced(work: Callable[[], None]) -> Iterator[Generator[Call]]:
    """Calls of a forked child that does the work, before they are made; it is killed where the block ends."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            trace(0, TRACEME)
            os.kill(os.getpid(), signal.SIGSTOP)
            work()
            code = 0
        finally:
            os._exit(code)
    os.waitpid(pid, 0)
    trace(pid, SETOPTIONS, TRACE_SYSGOOD | EXITKILL)
    calls = follow(pid)
    try:
        yield calls
    finally:
        calls.close()


def follow(pid: int) -> Generator[Call]:
    names = WRITES[platform.machine()]
    ended = False
    try:
        deliver = 0
        while True:
            trace(pid, SYSCALL, deliver)
            _, status = os.waitpid(pid, 0)
            if not os.WIFSTOPPED(status):
                ended = True
                if os.waitstatus_to_exitcode(status) != 0:
                    raise AssertionError(f"the child ended with {os.waitstatus_to_exitcode(status)}")
                return
            stopped = os.WSTOPSIG(status)
            deliver = 0 if stopped == STOPPED_AT_CALL else stopped
            if stopped == STOPPED_AT_CALL:
                info = Info()
                trace(pid, GET_SYSCALL_INFO, info, ctypes.sizeof(info))
                if info.op == ENTRY and info.number in names:
                    yield Call(names[info.number], to_path(pid, info.arguments[0]))
    finally:
        if not ended:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def to_path(pid: int, handle: int) -> str:
    try:
        return os.readlink(f"/proc/{pid}/fd/{handle}")
    except OSError:
        return ""
