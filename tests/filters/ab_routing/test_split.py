"""Who gets what: shares are exact, users stay where they are, and move only where they have to."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshext_filters.ab_routing.assignment import Assignment
from meshext_filters.ab_routing.config import Config, Experiment
from meshext_filters.ab_routing.split import NOBODY, SLOTS, deal, moved, preference, slot_of

USERS = int(os.environ.get("MESHEXT_AB_USERS", "200000"))
"""How many users the distribution is looked at with; the closing run takes 1,000,000."""

NAMES = ("control", "v2", "v3", "v4", "v5")


def steps_of(*, least: int = 1, names: tuple[str, ...] = NAMES) -> st.SearchStrategy[list[dict[str, int]]]:
    """Some weights after one another, each 1,000 tenths together; names come and go."""

    def to_step(cuts: list[int]) -> dict[str, int]:
        edges = [0, *sorted(cuts), SLOTS]
        weights = [high - low for low, high in pairwise(edges)]
        return {
            name: weight for name, weight in zip(names, weights, strict=True) if weight or name == names[0]
        }

    cuts = st.lists(st.integers(0, SLOTS), min_size=len(names) - 1, max_size=len(names) - 1)
    return st.lists(cuts.map(to_step), min_size=least, max_size=least + 2)


def must_move(before: dict[str, int], after: dict[str, int]) -> int:
    """How many slots have to change hands, whatever the rule."""
    return sum(max(0, after.get(name, 0) - before.get(name, 0)) for name in {*before, *after})


@given(steps_of())
def test_shares_are_exact(steps: list[dict[str, int]]) -> None:
    table = Counter(deal("salt", steps, rest="control"))
    assert table == Counter({name: count for name, count in steps[-1].items() if count})


@given(steps_of(least=2))
def test_with_what_was_before_no_user_moves_who_does_not_have_to(steps: list[dict[str, int]]) -> None:
    tables = [deal("salt", steps[: end + 1], rest="control") for end in range(len(steps))]
    for (old, new), (before, after) in zip(pairwise(tables), pairwise(steps), strict=True):
        assert moved(old, new) == must_move(before, after)


def test_an_order_is_that_of_the_whole_digests() -> None:
    digests = [hashlib.sha256(f"salt\0v2\0{slot}".encode()).digest() for slot in range(SLOTS)]
    assert preference("salt", "v2") == sorted(range(SLOTS), key=lambda slot: digests[slot])


@given(st.integers(0, SLOTS), st.integers(0, SLOTS), st.text(max_size=5))
def test_two_variants_need_nothing_before(old: int, new: int, salt: str) -> None:
    before, after = ({"control": SLOTS - count, "v2": count} for count in (old, new))
    tables = deal(salt, [before], rest="control"), deal(salt, [after], rest="control")
    assert moved(*tables) == abs(new - old)


@given(steps_of(names=NAMES[:4]), st.data())
def test_the_last_one_moves_nobody_else(steps: list[dict[str, int]], data: st.DataObject) -> None:
    last = "the last"
    old, new = (data.draw(st.integers(0, steps[0]["control"])) for _ in range(2))
    before, after = (
        {**steps[0], "control": steps[0]["control"] - count, last: count} for count in (old, new)
    )
    tables = deal("salt", [before], rest="control"), deal("salt", [after], rest="control")
    assert moved(*tables) == abs(new - old)


@given(steps_of(names=NAMES[:4]), st.data())
def test_who_is_named_before_a_variant_that_grows_keeps_its_users(
    steps: list[dict[str, int]], data: st.DataObject
) -> None:
    grows = data.draw(st.sampled_from(list(steps[0])[1:] or ["v2"]))
    more = data.draw(st.integers(0, steps[0]["control"]))
    before = {"control": 0, "v2": 0, **steps[0]}
    after = {**before, "control": before["control"] - more, grows: before[grows] + more}
    old, new = deal("salt", [before], rest="control"), deal("salt", [after], rest="control")
    earlier = list(before)[1 : list(before).index(grows)]
    assert all(is_now == was for was, is_now in zip(old, new, strict=True) if was in (*earlier, grows))
    later = len(before) - list(before).index(grows)
    assert moved(old, new) <= later * more


@given(
    st.lists(st.integers(0, 250), min_size=1, max_size=4),
    st.lists(st.integers(0, 250), min_size=1, max_size=4),
)
def test_a_layer_leaves_the_rest_to_nobody(old: list[int], new: list[int]) -> None:
    before, after = ({f"e{index}": share for index, share in enumerate(shares)} for shares in (old, new))
    table = Counter(deal("layer", [before, after], rest=NOBODY))
    assert table[NOBODY] == SLOTS - sum(new)
    others = {**before, NOBODY: SLOTS - sum(old)}, {**after, NOBODY: SLOTS - sum(new)}
    assert moved(
        deal("layer", [before], rest=NOBODY), deal("layer", [before, after], rest=NOBODY)
    ) == must_move(*others)


@given(st.text(), st.text())
def test_a_user_stays(salt: str, user: str) -> None:
    slot = slot_of(salt, user)
    assert 0 <= slot < SLOTS
    assert slot_of(salt, user) == slot


def test_a_users_slot_is_pinned() -> None:
    """Another hash would move everybody at an update."""
    assert [slot_of("experiment\0checkout\0", f"user-{number}") for number in range(5)] == [
        275,
        218,
        726,
        633,
        737,
    ]
    table = deal("experiment\0checkout\0", [{"a": 998, "b": 2}], rest="a")
    assert [slot for slot, name in enumerate(table) if name == "b"] == [489, 516]


CONFIG = Config(
    experiments=[
        Experiment("checkout", {"control": 89.9, "v2": 10, "v3": 0.1}),
        Experiment("search", {"control": 50, "fuzzy": 50}),
        Experiment("prices", {"control": 50, "rounded": 50}, layer="results", share=30),
        Experiment("order", {"control": 33.3, "new": 33.3, "old": 33.4}, layer="results", share=20.5),
        Experiment("fonts", {"serif": 50, "sans": 50}, share=25),
    ],
    user=["header:x-user"],
)


@pytest.fixture(scope="module")
def met() -> dict[tuple[str, str], set[int]]:
    """The users that meet each variant."""
    assignment = Assignment(CONFIG)
    found: dict[tuple[str, str], set[int]] = {}
    for user in range(USERS):
        for choice in assignment.choose(f"user-{user}", {}, {}):
            if choice.how:
                found.setdefault((choice.experiment, choice.variant), set()).add(user)
    return found


def expect(found: int, share: float) -> None:
    """A count is within five standard deviations of its share; chance goes there once in two million."""
    deviation = (USERS * share * (1 - share)) ** 0.5
    assert abs(found - USERS * share) <= 5 * deviation


@pytest.mark.slow
def test_the_distribution_is_as_written(met: dict[tuple[str, str], set[int]]) -> None:
    for experiment in CONFIG.experiments:
        for variant, percent in experiment.variants.items():
            expect(len(met[experiment.name, variant]), experiment.share / 100 * percent / 100)


@pytest.mark.slow
def test_slots_are_even() -> None:
    """Chi-squared over all slots: 999 degrees of freedom, five deviations around their mean."""
    slots = Counter(slot_of("experiment\0checkout\0", f"user-{user}") for user in range(USERS))
    expected = USERS / SLOTS
    chi = sum((slots[slot] - expected) ** 2 / expected for slot in range(SLOTS))
    assert abs(chi - 999) <= 5 * (2 * 999) ** 0.5


@pytest.mark.slow
def test_experiments_are_independent_and_layers_exclude(met: dict[tuple[str, str], set[int]]) -> None:
    expect(len(met["checkout", "v2"] & met["search", "fuzzy"]), 0.1 * 0.5)
    expect(len(met["fonts", "sans"] & met["search", "control"]), 0.25 * 0.5 * 0.5)
    expect(len(met["prices", "rounded"] & met["search", "fuzzy"]), 0.3 * 0.5 * 0.5)
    prices = met["prices", "control"] | met["prices", "rounded"]
    order = met["order", "control"] | met["order", "new"] | met["order", "old"]
    assert not prices & order
    expect(len(prices | order), 0.505)
