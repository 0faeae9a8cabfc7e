"""What calls along a clock say of a fault."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from e2e.compose.faults.timeline import Call, Timeline


def timeline(*calls: tuple[float, float, str]) -> Timeline:
    return Timeline.of(Call(*each) for each in calls)


def test_a_fault_lasts_from_its_moment_to_the_last_request_that_failed() -> None:
    found = timeline(
        (0, 1, "200"), (2, 2.1, "503"), (3, 13, "TimeoutError"), (4, 4.1, "200"), (5, 5.2, "200")
    )
    assert len(found.failures) == 2
    assert found.recovered(1.5) == 1.5  # who came at 4 was served, though another one still waited
    assert found.recovered(3.5) == 0.0
    assert found.slowest == 10


def test_nobody_can_say_that_it_is_over_while_nothing_has_gone_well() -> None:
    assert timeline((0, 1, "200"), (2, 3, "503")).recovered(0.0) is None
    assert timeline((0, 1, "200")).recovered(2.0) is None
    assert timeline().recovered(0.0) is None


def test_settled_is_so_many_good_ones_in_a_row_that_came_later() -> None:
    found = timeline((0, 1, "200"), (1, 2, "503"), (2, 3, "200"), (3, 4, "200"))
    assert found.is_settled(2.0, 2)
    assert not found.is_settled(1.0, 3)
    assert not found.is_settled(3.0, 2)
    assert Timeline.of(found.calls, ["200", "503"]).is_settled(0.0, 4)


def test_a_gap_is_time_without_a_good_answer() -> None:
    assert timeline((0, 1, "200"), (1, 4, "503"), (2, 6, "200"), (3, 7, "200")).longest_gap == 5
    assert timeline((0, 1, "503"), (1, 9, "503")).longest_gap == 8
    assert timeline().longest_gap == 0


def test_an_interval_is_told_by_when_requests_were_due() -> None:
    found = timeline((0, 2, "200"), (1, 9, "200"), (2, 5, "503"))
    assert [each.due for each in found.due_between(1, 2).calls] == [1]


def test_several_loads_are_one() -> None:
    orders = Timeline.of([Call(1, 2, "201")], ["201"])
    merged = Timeline.merged([timeline((3, 4, "503"), (0, 1, "200")), orders])
    assert [each.kind for each in merged.calls] == ["200", "201", "503"]
    assert len(merged.failures) == 1
    assert Timeline.merged([]).calls == ()


def test_failures_are_told_by_the_second() -> None:
    found = timeline((9.5, 11, "503"), (10.1, 11, "200"), (11.2, 12, "503"), (11.9, 20, "TimeoutError"))
    assert found.history(10.0) == "-1 s: 1 503, +1 s: 1 503 1 TimeoutError"
    assert timeline((0, 1, "200")).history(0.0) == ""


def test_failing_is_so_many_bad_ones_in_a_row() -> None:
    found = timeline((0, 1, "200"), (1, 2, "503"), (2, 3, "500"))
    assert found.is_failing(0.0, 2)
    assert not found.is_failing(0.0, 3)
    assert not found.is_failing(1.5, 2)


CALLS = st.lists(
    st.builds(
        lambda due, took, kind: Call(due, due + took, kind),
        st.floats(0, 100),
        st.floats(0, 10),
        st.sampled_from(["200", "503"]),
    )
)


@given(CALLS, st.floats(0, 100))
def test_after_the_recovery_nothing_failed(calls: list[Call], since: float) -> None:
    found = Timeline.of(calls)
    if (seconds := found.recovered(since)) is not None:
        assert seconds >= 0
        assert all(each.kind == "200" for each in calls if each.due > since + seconds + 1e-9)
        assert seconds == 0 or any(each.kind != "200" for each in calls if each.due >= since)


@given(CALLS)
def test_the_order_in_which_calls_end_is_nothing_to_it(calls: list[Call]) -> None:
    assert Timeline.of(calls) == Timeline.of(reversed(calls))
    assert sum(Timeline.of(calls).kinds.values()) == len(calls)
