"""The way of a rollout, as it is written."""

from __future__ import annotations

import pytest

from meshext_controlplane.rollout.course import parse_steps
from meshext_controlplane.rollout.errors import RolloutError


def test_steps_rise_to_all() -> None:
    assert parse_steps("1, 10%,100") == (1, 10, 100)
    assert parse_steps("100") == (100,)


@pytest.mark.parametrize(
    "text",
    ["", "5,,100", "5,50", "50,5,100", "5,5,100", "0,100", "5,100,200", "a,100", "-5,100", "\u0665,100"],
)
def test_other_steps_are_refused(text: str) -> None:
    with pytest.raises(RolloutError, match="such as 5,25,50,100"):
        parse_steps(text)
