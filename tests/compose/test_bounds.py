"""The table of faults, and when a measurement breaks it."""

from __future__ import annotations

from dataclasses import replace

from e2e.compose.faults.bounds import (
    BOUNDS,
    TABLE,
    Bound,
    Measured,
    find_breaches,
    format_rows,
    to_page,
    to_row,
)
from e2e.compose.project import SHOP

SOME = Bound("x", 3, 5, "")
ALL = Bound("x", None, 5, "")
FINE = Measured("x", 100, 3, 5.0, 0.1)


def breaches(bound: Bound, found: Measured = FINE) -> list[str]:
    return list(find_breaches(bound, found))


def test_each_fault_has_one_bound() -> None:
    assert len(BOUNDS) == len(TABLE)


def test_the_page_has_them() -> None:
    page = SHOP.with_name("README.md").read_text(encoding="utf-8")
    assert "\n".join(to_page()) in page


def test_what_is_within_its_bound_is_none() -> None:
    assert breaches(SOME) == breaches(ALL) == []


def test_each_way_to_break_a_bound_is_named() -> None:
    assert breaches(SOME, replace(FINE, failed=4)) == ["4 of 100 requests failed, 3 may"]
    assert breaches(SOME, replace(FINE, seconds=5.1)) == ["it took 5.1 s to recover, and 5 s is the limit"]
    assert breaches(SOME, replace(FINE, sent=0, failed=0)) == ["no request was sent: nothing was measured"]
    assert breaches(ALL, replace(FINE, failed=0)) == ["no request failed, and all should have"]
    assert breaches(ALL, replace(FINE, let_through=1)) == ["1 requests were let through"]


def test_rows_stand_under_one_another() -> None:
    (killed, redis) = ("Envoy killed", "Redis killed")
    rows = [to_row(replace(FINE, fault=each)) for each in (killed, redis)]
    head, *lines = format_rows(rows)
    assert [line.index("failed,") > head.index("slowest") for line in lines if "failed," in line] == [True]
    assert lines[1].endswith(f"all while broken, {BOUNDS[redis].seconds:g} s")
