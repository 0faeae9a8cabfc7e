"""time: the host's clocks. There is no `sleep`, and no calendar."""

from __future__ import annotations

from meshext_wasm.library.binascii import new_bytes
from meshext_wasm.library.builtins.integers import from_wide
from meshext_wasm.library.raw import host, load64, wide, word


@host("clock_time_get")
def clock_time_get(clock: word, precision: wide, out: word) -> word:
    """WASI's clocks, in nanoseconds: 0 is the time since 1970, 1 one that never goes back."""
    raise NotImplementedError


def read_clock(clock: word) -> int:
    """Nanoseconds of a clock."""
    out = new_bytes(word(8)) + 16
    failed = clock_time_get(clock, wide(0), out)
    if failed != 0:
        raise OSError(f"the host has no clock {int(clock)}")
    return from_wide(load64(out))


def time_ns() -> int:
    """Nanoseconds since 1970."""
    return read_clock(word(0))


def time() -> float:
    """Seconds since 1970."""
    return time_ns() / 1000000000


def monotonic_ns() -> int:
    """Nanoseconds of a clock that never goes back."""
    return read_clock(word(1))


def monotonic() -> float:
    """Seconds of a clock that never goes back."""
    return monotonic_ns() / 1000000000


def perf_counter_ns() -> int:
    """The same as `monotonic_ns`."""
    return read_clock(word(1))


def perf_counter() -> float:
    """The same as `monotonic`."""
    return monotonic_ns() / 1000000000
