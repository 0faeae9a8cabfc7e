"""What valgrind's callgrind wrote about one worker of Envoy, as figures of one request."""

from __future__ import annotations

import collections
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from e2e.bench.load import LoadError

LINE = 64
"""Bytes of a line of the cache."""
EVENTS = ("Ir", "I1mr", "D1mr", "D1mw")
Range = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """Of a request: instructions, those among them of code that V8 made, the lines of the cache which that
    code fills, and misses of the first-level caches for code and for data."""

    instructions: float
    compiled: float
    compiled_lines: float
    code_misses: float
    data_misses: float


def read_counted(folder: Path, pid: int, requests: int) -> Counted:
    """The busiest thread's of the dump in a folder; LoadError where there is none. The process still runs."""
    made = [to_counted(each, made_code(pid), requests) for each in sorted(folder.glob("counted.1-*"))]
    if not made:
        raise LoadError(f"callgrind wrote no dump for {pid}")
    return max(made, key=lambda each: each.instructions)


def made_code(pid: int) -> list[Range]:
    """The places of machine code that stands in no file."""
    found = []
    for line in Path(f"/proc/{pid}/maps").read_text(encoding="utf-8").splitlines():
        place, rights, _, _, inode, *_ = line.split()
        if "x" in rights and inode == "0":
            start, _, end = place.partition("-")
            found.append((int(start, 16), int(end, 16)))
    return found


def to_counted(file: Path, made: Sequence[Range], requests: int) -> Counted:
    """One thread's."""
    totals: dict[str, int] = dict.fromkeys(EVENTS, 0)
    compiled: collections.Counter[int] = collections.Counter()
    for address, events in costs(file):
        for event in EVENTS:
            totals[event] += events.get(event, 0)
        if any(start <= address < end for start, end in made):
            compiled[address] += events["Ir"]
    often = {address // LINE for address, times in compiled.items() if times * 2 >= requests}
    return Counted(
        instructions=round(totals["Ir"] / requests, 1),
        compiled=round(compiled.total() / requests, 1),
        compiled_lines=float(len(often)),
        code_misses=round(totals["I1mr"] / requests, 1),
        data_misses=round((totals["D1mr"] + totals["D1mw"]) / requests, 1),
    )


def costs(file: Path) -> Iterator[tuple[int, dict[str, int]]]:
    """Each address with what it cost itself: the line behind `calls=` is the cost of a callee."""
    names: list[str] = []
    is_callee = False
    with file.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            if line.startswith("events:"):
                names = line.split()[1:]
            elif line.startswith("0x"):
                address, *numbers = line.split()
                if not is_callee:
                    yield int(address, 16), dict(zip(names, map(int, numbers), strict=False))
                is_callee = False
            elif line.startswith("calls="):
                is_callee = True
