"""Waiting for what happens after the client has its answer."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from meshext.testing import Log
from tests.conformance.case import NOTES, Case

DEADLINE = 10.0  # seconds


def wait_for(condition: Callable[[], object]) -> None:
    """Until it holds or the time is over; what is missing then is for the caller to say."""
    end = time.monotonic() + DEADLINE
    while not condition() and time.monotonic() < end:
        time.sleep(0.005)


def is_over(case: Case, logs: Sequence[Log]) -> bool:
    """Whether everything came that the case waits for."""
    noted = len(NOTES) >= len(case.notes or ())
    return noted and (not case.failure or any(case.failure in log.message for log in logs))
