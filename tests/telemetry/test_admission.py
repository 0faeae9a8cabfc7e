"""A cap on series holds over workers, dead ones and reloads, and no counter ever falls."""

from __future__ import annotations

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from meshext.series import Key
from meshext.telemetry.admission import Admission
from meshext.telemetry.families import Families, Family, by_definition, keep, total
from tests.telemetry.test_hub import until, workers

MOST = 4


def counted(numbers: dict[str, float], most: int = MOST) -> Family:
    """A counter of a filter, by one label."""
    return Family(
        "a_total", "counter", ("filter", "x"), "", (), {("f", x): n for x, n in numbers.items()}, most=most
    )


def numbers_of(families: Families) -> dict[str, float]:
    return {key[1]: number for family in families.values() for key, number in family.numbers.items()}


def mine(families: list[Family]) -> Families:
    return {family.definition: family for family in families if family.labels == ("filter", "x")}


values = st.sampled_from("abcdefghij")
steps = st.lists(st.tuples(st.integers(0, 2), values, st.booleans()), max_size=60)


@given(steps)
def test_the_total_is_exact_bounded_and_never_falls(given_steps: list[tuple[int, str, bool]]) -> None:
    admission = Admission()
    gone: Families = {}
    living: list[dict[str, float]] = [{}, {}, {}]
    before: dict[str, float] = {}
    for whole, (worker, value, dies) in enumerate(given_steps, 1):
        living[worker][value] = living[worker].get(value, 0) + 1
        if dies:
            gone = admission.fold(keep(gone, by_definition([counted(living[worker])])))
            living[worker] = {}
        now = numbers_of(admission.fold(total([gone, *(by_definition([counted(each)]) for each in living)])))
        assert sum(now.values()) == whole
        assert len(now) <= MOST + 1
        assert all(now[name] >= number for name, number in before.items())
        before = now
    assert len(numbers_of(gone)) <= MOST + 1


def labelled(numbers: dict[tuple[str, str], float], name: str = "a_total") -> Family:
    """A counter of a filter, by two labels, the first of which may have two values."""
    series: dict[Key, float] = {("f", *key): number for key, number in numbers.items()}
    return Family(name, "counter", ("filter", "x", "y"), "", (), series, most=20, most_values=(0, 2, 0))


pairs = st.tuples(st.sampled_from(["", "other", "a", "b", "c", "d"]), st.sampled_from("yz"))


@given(st.lists(st.tuples(st.integers(0, 2), pairs, st.booleans()), max_size=60))
def test_a_label_has_its_values_in_the_total(given_steps: list[tuple[int, tuple[str, str], bool]]) -> None:
    admission = Admission()
    gone: Families = {}
    living: list[dict[tuple[str, str], float]] = [{}, {}, {}]
    before: dict[tuple[str, ...], float] = {}
    for whole, (worker, pair, dies) in enumerate(given_steps, 1):
        living[worker][pair] = living[worker].get(pair, 0) + 1
        if dies:
            gone = admission.fold(keep(gone, by_definition([labelled(living[worker])])))
            living[worker] = {}
        parts = [by_definition([labelled(each)]) for each in living]
        (family,) = admission.fold(total([gone, *parts])).values()
        now = family.numbers
        assert sum(now.values()) == whole
        assert len({key[1] for key in now} - {"", "other"}) <= 2
        assert all(now[key] >= number for key, number in before.items())
        before = dict(now)


def test_all_metrics_of_a_filter_show_the_same_values_of_a_label() -> None:
    admission = Admission()
    first = labelled({("a", "y"): 1, ("b", "y"): 1})
    second = labelled({("c", "y"): 2, ("b", "z"): 1, ("a", "y"): 3}, "b_total")
    folded = admission.fold(by_definition([first, second]))
    assert folded[second.definition].numbers == {
        ("f", "other", "y"): 2,
        ("f", "b", "z"): 1,
        ("f", "a", "y"): 3,
    }
    admission.keep([])
    third = labelled({("c", "y"): 1})
    assert admission.fold(by_definition([third]))[third.definition].numbers == third.numbers


def test_a_metric_without_a_cap_is_left_alone() -> None:
    family = counted({str(number): 1 for number in range(50)}, most=0)
    assert Admission().fold({family.definition: family}) == {family.definition: family}


def test_what_nobody_has_any_more_is_forgotten() -> None:
    admission = Admission()
    family = counted({"a": 1, "b": 1, "c": 1, "d": 1})
    admission.fold({family.definition: family})
    other = counted({"e": 1})
    assert numbers_of(admission.fold({other.definition: other})) == {"other": 1}
    admission.keep([])
    assert numbers_of(admission.fold({other.definition: other})) == {"e": 1}


def test_a_hub_keeps_the_cap_over_workers_that_die() -> None:
    async def main() -> None:
        async with workers(3) as (hub, made):
            for number, worker in enumerate(made):
                worker.more = [counted({f"{number}{at}": 1.0 for at in range(3)})]
            seen = numbers_of(mine(await hub.gather()))
            assert (len(seen), sum(seen.values())) == (MOST + 1, 9)
            made[0].kill()
            await until(lambda: len(hub._links) == 2)
            assert numbers_of(mine(await hub.gather())) == seen

    asyncio.run(main())
