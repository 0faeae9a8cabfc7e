"""Plans of filters stay while the filters are written the same way, whatever becomes of their code."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from meshext.plan import Plan
from meshext_controlplane.server.filter_files import stamp_specs
from meshext_controlplane.server.planner import Planner
from meshext_controlplane.sources.configuration import Configuration, merge
from meshext_controlplane.sources.places import Origin
from meshext_controlplane.sources.planning import Planning
from meshext_controlplane.sources.reading import read_text

GOOD = """
from meshext import Filter

class Good(Filter):
    def on_request(self, request):
        return None
"""
HOOKS = GOOD + "    def on_response(self, response): pass\n"
WRONG = ("import os; os._exit(0)", "this is no Python")


def policy(name: str, spec: str) -> str:
    """A FilterPolicy."""
    return f"""
apiVersion: meshext.dev/v1
kind: FilterPolicy
metadata: {{name: {name}, namespace: shop}}
spec: {{filter: {spec}}}
"""


def configuration(*policies: str) -> Configuration:
    return merge([read_text(Origin(str(at), text, (0, "", at))) for at, text in enumerate(policies)])


def key(name: str) -> tuple[str, str, str]:
    return ("FilterPolicy", "shop", name)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    place = tmp_path / "good.py"
    place.write_text(GOOD)
    return place


def plan(planner: Planner, *policies: str) -> Planning:
    return asyncio.run(planner.plan(configuration(*policies)))


@pytest.mark.parametrize("wrong", WRONG)
def test_a_filter_that_does_not_load_any_more_keeps_its_plan(file: Path, wrong: str) -> None:
    planner, own = Planner(), policy("own", f"{file}:Good")
    before = plan(planner, own).plans[key("own")]
    file.write_text(wrong)
    found = plan(planner, own, policy("another", "rate-limit"))
    assert found.plans[key("own")] == before
    assert key("own") in found.refused
    assert f"{file}:Good" in planner.waiting
    # An edit that is only tried, with the filter written another way, takes nothing away.
    changed = policy("own", f"{file}:Good, mode: proc")
    assert key("own") not in plan(planner, changed).plans
    assert plan(planner, own).plans[key("own")] == before


def test_one_that_never_loaded_has_none(file: Path) -> None:
    file.write_text(WRONG[0])
    found = plan(Planner(), policy("own", f"{file}:Good"))
    assert (found.plans, [*found.refused]) == ({}, [key("own")])


def test_a_new_answer_takes_the_place_of_the_old_one(file: Path) -> None:
    planner, own = Planner(), policy("own", f"{file}:Good")
    before = plan(planner, own).plans[key("own")]
    file.write_text(HOOKS)
    planner.forget()
    after = plan(planner, own).plans[key("own")]
    assert isinstance(after, Plan)
    assert after != before


def test_what_is_gone_is_forgotten(file: Path) -> None:
    planner, own = Planner(), policy("own", f"{file}:Good")
    plan(planner, own)
    for _ in range(2):
        plan(planner, policy("another", "rate-limit"))
        planner.forget()
    file.write_text(WRONG[1])
    assert key("own") not in plan(planner, own).plans


def test_one_of_which_nothing_was_heard_is_tried_again(file: Path) -> None:
    planner = Planner()
    file.write_text(WRONG[0])
    plan(planner, policy("own", f"{file}:Good"))
    assert stamp_specs(planner.waiting) != planner.waiting
    file.write_text(WRONG[1])
    planner.forget()
    plan(planner, policy("own", f"{file}:Good"))
    assert stamp_specs(planner.waiting) == planner.waiting
