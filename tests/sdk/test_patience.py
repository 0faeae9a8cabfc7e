"""Time that a hook had no core for is not its own."""

from __future__ import annotations

import time

import pytest

from meshext.errors import HookOverdue
from meshext.testing.patience import TestWatch, read_queued

LIMIT = 0.05  # seconds


def run(queues_for: float, times: float = 3.0) -> object:
    """A hook that takes so many times its limit, and was in a queue for so much of that."""
    queued = 7.0

    def hook(_: object) -> str:
        nonlocal queued
        queued += queues_for
        end = time.monotonic() + times * LIMIT
        while time.monotonic() < end:
            pass
        return "done"

    watch = TestWatch(queued=lambda: queued)
    with watch.kept():
        return watch.call(hook, None, LIMIT)


def test_a_hook_that_waited_for_a_core_has_its_time() -> None:
    assert run(queues_for=60.0) == "done"


@pytest.mark.parametrize("queues_for", [0.0, LIMIT])
def test_a_hook_that_did_not_is_ended(queues_for: float) -> None:
    with pytest.raises(HookOverdue):
        run(queues_for)


def test_no_hook_waits_for_ever() -> None:
    with pytest.raises(HookOverdue):
        run(queues_for=60.0, times=20.0)


def test_the_system_tells() -> None:
    before = read_queued()
    assert read_queued() >= before >= 0
