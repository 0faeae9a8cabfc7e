"""Waiting for a condition, always with a limit, never for a time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
PATIENCE = 60.0  # seconds on a busy machine
POLL = 0.1  # seconds between two looks: each is a process in a container


def wait_for(what: str, check: Callable[[], T | None], *, patience: float = PATIENCE) -> T:
    """The first thing that is true which `check` gives; AssertionError names what did not come."""
    end = time.monotonic() + patience
    while True:
        found = check()
        if found:
            return found
        assert time.monotonic() < end, f"after {patience:g} s still not: {what} (last: {found!r})"
        time.sleep(POLL)


def seconds_until(what: str, check: Callable[[], object], *, patience: float = PATIENCE) -> float:
    """How long it took until `check` gave something true: for bounds and notes."""
    began = time.monotonic()
    wait_for(what, check, patience=patience)
    return time.monotonic() - began
