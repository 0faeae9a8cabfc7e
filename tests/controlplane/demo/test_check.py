"""A claim holds only where it was tried and seen to hold."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import cast

import pytest

from meshext_controlplane.demo import check
from meshext_controlplane.demo.claims.stage import Claim, ClaimFails, Stage, expect
from meshext_controlplane.demo.claims.traffic import SHARES, check_shares

NO_STAGE = cast(Stage, None)


async def holds(_: Stage) -> str:
    return "seen"


async def fails(_: Stage) -> str:
    expect(False, "seen otherwise")
    return "never"


async def breaks(stage: Stage) -> str:
    return stage.instance("nobody").node


async def waits(_: Stage) -> str:
    await asyncio.Event().wait()
    return "never"


def test_verdicts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check, "LIMIT", 0.05)
    claims = [Claim(each.__name__, each) for each in (holds, fails, breaks, waits)]

    async def play() -> list[check.Verdict]:
        return [verdict async for verdict in check.try_claims(claims, NO_STAGE)]

    assert [(verdict.claim, verdict.holds, verdict.seen) for verdict in asyncio.run(play())] == [
        ("holds", True, "seen"),
        ("fails", False, "seen otherwise"),
        (
            "breaks",
            False,
            "it could not be tried: AttributeError: 'NoneType' object has no attribute 'instance'",
        ),
        ("waits", False, "it could not be tried in 0.05 s"),
    ]


@pytest.mark.parametrize(
    ("seen", "holds"),
    [
        ({"v1": 350, "v2": 150}, True),
        ({"v1": 399, "v2": 101}, True),
        ({"v1": 402, "v2": 98}, False),
        ({"v1": 250, "v2": 250}, False),
        ({"v1": 500}, False),
        ({"v1": 349, "v2": 150, "? 503": 1}, False),
    ],
)
def test_shares_are_kept_within_what_chance_explains(seen: Mapping[str, int], holds: bool) -> None:
    if holds:
        check_shares(seen, SHARES)
    else:
        with pytest.raises(ClaimFails):
            check_shares(seen, SHARES)
