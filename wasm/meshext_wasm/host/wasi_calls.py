"""The functions of WASI that our library uses."""

from __future__ import annotations

import os
import struct
from collections.abc import Callable, Mapping

from meshext_wasm.abi.values import Level
from meshext_wasm.host.machine import LogEntry, Machine
from meshext_wasm.host.memory import write_wide, write_word

BAD_DESCRIPTOR = 8
INVALID = 28


def random_get(machine: Machine, address: int, size: int) -> int:
    """Random bytes, 64 KiB at most at once."""
    if size > 65536:
        return INVALID
    machine.memory.write(address, os.urandom(size))
    return 0


def clock_time_get(machine: Machine, clock: int, _precision: int, out: int) -> int:
    """Nanoseconds; clock 0 is the time, 1 counts from somewhere."""
    if clock > 1:
        return INVALID
    write_wide(machine.memory, out, machine.clock())
    return 0


def fd_write(machine: Machine, descriptor: int, vectors: int, count: int, out: int) -> int:
    """Standard output is logged as info, standard error as an error."""
    levels = {1: Level.INFO, 2: Level.ERROR}
    if descriptor not in levels:
        return BAD_DESCRIPTOR
    text = b""
    for number in range(count):
        address, size = struct.unpack("<II", machine.memory.read(vectors + 8 * number, 8))
        text += machine.memory.read(address, size)
    machine.logs.append(LogEntry(levels[descriptor], text.decode("utf-8", "replace")))
    write_word(machine.memory, out, len(text))
    return 0


FUNCTIONS: Mapping[str, Callable[..., int]] = {
    "random_get": random_get,
    "clock_time_get": clock_time_get,
    "fd_write": fd_write,
}
