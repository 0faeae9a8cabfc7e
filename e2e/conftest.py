"""Fixtures that several tests share: filters which want no body, and an upstream that the test plays."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from e2e.played import PlayedUpstream, playing
from e2e.stage import Stage
from meshext.plan import Mode

SPECS: dict[Mode, str] = {"authz": "passing.py:Decides", "proc": "passing.py:Watches"}


@pytest.fixture(scope="module", params=list(SPECS))
def passing(request: pytest.FixtureRequest) -> Iterator[tuple[Stage, PlayedUpstream]]:
    mode: Mode = request.param
    with playing(SPECS[mode], mode=mode) as found:
        yield found


@pytest.fixture
def stage(passing: tuple[Stage, PlayedUpstream]) -> Stage:
    return passing[0]


@pytest.fixture
def upstream(passing: tuple[Stage, PlayedUpstream]) -> PlayedUpstream:
    return passing[1]
