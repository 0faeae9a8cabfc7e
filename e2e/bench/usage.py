"""What processes used: CPU time and memory, from /proc."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

SCHEDULED = 2  # CPUCLOCK_SCHED of Linux's posix-timers.h: what a process ran, in nanoseconds
PROC = Path("/proc")


def family(pid: int) -> list[int]:
    """A process and everything below it."""
    found = [pid]
    for task in (PROC / str(pid) / "task").glob("*/children"):
        for child in task.read_text().split():
            found += family(int(child))
    return found


def cpu_seconds(pid: int) -> float:
    """User and system time of all threads of a process, ended ones included (clock_getcpuclockid(3))."""
    return time.clock_gettime((~pid << 3) | SCHEDULED)


def resident(pid: int, kind: str = "Pss") -> int:
    """Bytes of memory that are this process's own: Pss, where what is shared counts in parts, or another line
    of smaps_rollup (proc_pid_smaps(5)), such as Pss_Anon, which no file stands behind."""
    for line in (PROC / str(pid) / "smaps_rollup").read_text().splitlines():
        if line.startswith(f"{kind}:"):
            return int(line.split()[1]) * 1024
    return 0


@dataclass(frozen=True, slots=True)
class Meter:
    """The CPU time of some processes, since `start`."""

    before: dict[int, float]

    @classmethod
    def start(cls, pid: int) -> Meter:
        """Begin with a process and all below it."""
        return cls({each: cpu_seconds(each) for each in family(pid)})

    def used(self) -> float:
        """Seconds since then; every process has to be there still."""
        return sum(cpu_seconds(pid) - before for pid, before in self.before.items())
