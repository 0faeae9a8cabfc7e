"""Two readings, one verdict."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshext_controlplane.rollout.course import Bounds
from meshext_controlplane.rollout.judging import Reading, Readings, Word, judge

BOUNDS = Bounds(errors=0.01, slower=1.5, slack=0.005, least=50)
STEADY = Reading(requests=1000, errors=0, latency=0.1)


@pytest.mark.parametrize(
    ("canary", "stable", "word"),
    [
        (Reading(requests=100, latency=0.1), STEADY, Word.GOOD),
        (Reading(requests=49, latency=0.1), STEADY, Word.OPEN),  # too few
        (Reading(requests=6, errors=6), STEADY, Word.BAD),  # too few to be good, enough to be bad
        (Reading(requests=3, errors=3), STEADY, Word.OPEN),
        (Reading(requests=100, errors=2), STEADY, Word.OPEN),  # 2 % may be chance
        (Reading(requests=10_000, errors=200), STEADY, Word.BAD),  # it is not any more
        (Reading(requests=1000, errors=50), Reading(requests=1000, errors=50), Word.GOOD),  # no worse
        (Reading(requests=1000, errors=50), Reading(requests=40, errors=20), Word.BAD),  # stable: who knows
        (Reading(requests=100, latency=0.155), STEADY, Word.GOOD),
        (Reading(requests=100, latency=0.156), STEADY, Word.BAD),
        (Reading(requests=100, latency=9.0), Reading(requests=10, latency=0.1), Word.GOOD),
        (Reading(requests=100, latency=None), STEADY, Word.GOOD),
        (Reading(), Reading(), Word.OPEN),
    ],
)
def test_verdicts(canary: Reading, stable: Reading, word: Word) -> None:
    assert judge(Readings(stable=stable, canary=canary), BOUNDS).word is word


@given(st.integers(0, 100_000), st.integers(0, 100_000), st.integers(0, 100_000), st.integers(0, 100_000))
def test_more_failures_are_never_better(requests: int, failed: int, more: int, stable: int) -> None:
    order = [Word.GOOD, Word.OPEN, Word.BAD]
    few, many = (
        judge(
            Readings(stable=Reading(requests=stable), canary=Reading(requests=requests, errors=each)), BOUNDS
        )
        for each in (failed, failed + more)
    )
    assert order.index(few.word) <= order.index(many.word)
