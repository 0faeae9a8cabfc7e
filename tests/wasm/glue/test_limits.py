"""Limits inside Envoy decide as everywhere: the library's arithmetic beside the SDK's, on any hits."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshext import limits as sdk
from meshext_wasm.library.meshext import limits as library

HIT = st.fixed_dictionaries(
    {
        "key": st.sampled_from("ab"),
        "algorithm": st.sampled_from(library.ALGORITHMS),
        "rate": st.sampled_from([1, 3, 7]),
        "window": st.sampled_from([1.0, 0.25, 60]),
        "burst": st.sampled_from([None, 1, 5]),
        "cost": st.sampled_from([0, 1, 2, 9]),
        "forced": st.booleans(),
        "group": st.sampled_from([0, 1]),
    }
).map(lambda hit: hit if hit["algorithm"] in ("token_bucket", "gcra") else {**hit, "burst": None})
PASSED = st.integers(min_value=-3_000_000, max_value=90_000_000)


def plain(outcome: Any) -> tuple[object, ...]:
    """An outcome without its class."""
    limit = outcome.limit
    return (
        limit.identity,
        outcome.allowed,
        outcome.remaining,
        outcome.reset_after,
        outcome.retry_after,
    )


@given(st.lists(st.tuples(PASSED, st.lists(HIT, min_size=1, max_size=4)), max_size=12))
def test_every_sequence_is_decided_alike(steps: list[tuple[int, list[dict[str, Any]]]]) -> None:
    ours: dict[str, tuple[int, ...]] = {}
    theirs: dict[str, tuple[int, ...]] = {}
    now = 1_700_000_000_000_000
    for passed, hits in steps:
        now += passed
        for hit in hits:  # one counter has one group
            hit["group"] = next(
                other["group"]
                for other in hits
                if library.Limit(**other).identity == library.Limit(**hit).identity
            )
        decision = library.decide([library.Limit(**hit) for hit in hits], ours, now)
        moved, outcomes = sdk.decide([sdk.Limit(**hit) for hit in hits], theirs, now)
        assert [plain(each) for each in decision.outcomes] == [plain(each) for each in outcomes]
        assert decision.moved == moved
        ours.update(decision.moved)
        theirs.update(moved)


@given(HIT, st.integers(min_value=0, max_value=90_000_000))
def test_what_was_forgotten_is_spent_alike(hit: dict[str, Any], until: int) -> None:
    now = 1_700_000_000_123_456
    ours, theirs = library.Limit(**hit), sdk.Limit(**hit)
    state = library.spent(ours, now + until, now)
    assert state == sdk.spent(theirs, now + until, now)
    assert library.free_again(ours, state, now) == sdk.free_again(theirs, state, now)


@pytest.mark.parametrize(
    "wrong",
    [
        {"rate": 0},
        {"rate": 2_000_000_000},
        {"window": 0},
        {"window": 1e-9},
        {"window": 1e12},
        {"burst": 3},
        {"group": 64},
        {"algorithm": "gcra", "burst": 1_000_000_000, "window": 86_400.0},
    ],
)
def test_what_is_no_limit_is_refused_in_the_same_words(wrong: dict[str, Any]) -> None:
    given_ = {"key": "a", "algorithm": "fixed_window", "rate": 1, "window": 1.0, **wrong}
    with pytest.raises(ValueError) as theirs:  # noqa: PT011  # the text is compared
        sdk.Limit(**given_)
    with pytest.raises(ValueError) as ours:  # noqa: PT011
        library.Limit(**given_)
    assert str(ours.value) == str(theirs.value)
