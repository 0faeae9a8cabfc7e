"""Which filters wait for their services: those that came while a workload served, and no others."""

from __future__ import annotations

from dataclasses import replace

from meshext_controlplane.model.spiffe import SpiffeId
from meshext_controlplane.model.workload import State, Workload
from meshext_controlplane.server.holding import Holding
from meshext_controlplane.server.registry import to_key
from meshext_controlplane.translate.filter_policy import FilterService

READY = Workload(
    name="a-1", identity=SpiffeId("mesh.test", "shop", "a"), address="127.1.0.1", serving=frozenset()
)
UNREADY = replace(READY, state=State.UNREADY)
NONE = frozenset[str]()


def services(*names: str) -> tuple[FilterService, ...]:
    return tuple(
        FilterService(name=each, filter="telemetry", config="", mode="authz", socket="s") for each in names
    )


def running(*names: str) -> Workload:
    return replace(READY, serving=frozenset(names))


def test_a_filter_that_comes_while_a_workload_serves_waits_until_it_runs() -> None:
    holding = Holding()
    assert holding.of(READY, services()) == NONE
    assert holding.of(READY, services("f")) == {"f"}
    assert holding.count == 1
    assert holding.of(running("f"), services("f")) == NONE
    assert holding.of(running(), services("f")) == NONE  # it has ended, and was asked already
    assert holding.count == 0


def test_a_workload_that_has_not_served_yet_waits_for_its_filters_itself() -> None:
    holding = Holding()
    assert holding.of(UNREADY, services("f")) == NONE
    assert holding.of(READY, services("f")) == NONE
    assert Holding().of(READY, services("f")) == NONE  # as after a restart of the control plane


def test_one_that_serves_no_more_has_all_filters_and_keeps_them() -> None:
    for gone in (UNREADY, replace(READY, state=State.DRAINING), replace(READY, serving=None)):
        holding = Holding()
        holding.of(READY, services())
        assert holding.of(READY, services("f")) == {"f"}
        assert holding.of(gone, services("f")) == NONE
        assert holding.of(READY, services("f")) == NONE


def test_what_nobody_speaks_for_any_more_is_released() -> None:
    holding = Holding()
    holding.of(READY, services())
    known = services("f")
    assert holding.of(READY, known) == {"f"}
    assert holding.release(to_key(READY))
    assert holding.of(READY, known) == NONE
    assert not holding.release(to_key(READY))


def test_only_what_is_new_waits() -> None:
    holding = Holding()
    holding.of(running("old"), services("old"))
    assert holding.of(running("old"), services("old", "new")) == {"new"}
    assert holding.of(running("old"), services("old", "new", "newer")) == {"new", "newer"}
    assert holding.of(running("old", "newer"), services("old", "new", "newer")) == {"new"}
    assert holding.of(running("old"), services("new")) == {"new"}  # another edit while it starts
    assert holding.of(running("old"), services()) == NONE  # taken away while it starts


def test_a_workload_that_has_gone_is_a_new_one_when_it_comes_back() -> None:
    holding = Holding()
    holding.of(READY, services())
    holding.retain({})
    assert holding.of(READY, services("f")) == NONE


def test_an_agent_that_tells_nothing_of_filters_is_not_waited_for() -> None:
    holding, silent = Holding(), replace(READY, serving=None)
    holding.of(silent, services())
    assert holding.of(silent, services("f")) == NONE
