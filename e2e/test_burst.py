"""A thousand requests at the same instant, all open at once while the upstream holds them: none is lost."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from e2e.burst import BURSTS, SPECS, filtered
from e2e.holding import holding
from e2e.stage import report
from meshext.plan import Mode

pytestmark = [pytest.mark.envoy, pytest.mark.slow]

COUNT = 1000


@pytest.mark.parametrize("mode", list(SPECS))
def test_none_is_lost(mode: Mode) -> None:
    async def main() -> None:
        async with holding(1.0) as upstream, filtered(mode, upstream) as port:
            for protocol, burst in BURSTS.items():
                shots = await burst(port, COUNT)
                slowest = max(shot.took for shot in shots)
                report(f"{mode}, {protocol}: the slowest of {COUNT} took {slowest:.2f} s")
                assert Counter(shot.status for shot in shots) == {200: COUNT}
                assert min(shot.took for shot in shots) >= 1.0

    asyncio.run(main())
