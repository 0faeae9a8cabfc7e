"""Tasks that last as long as the control plane does."""

from __future__ import annotations

import asyncio

import pytest

from meshext_controlplane.server.parts import Parts


def test_a_part_that_fails_is_told_and_begins_again(caplog: pytest.LogCaptureFixture) -> None:
    begun: list[int] = []
    failures: list[int] = []

    async def run() -> None:
        stands = asyncio.Event()

        async def part() -> None:
            begun.append(len(begun))
            if len(begun) < 3:
                raise OSError("no space left")
            stands.set()
            await asyncio.Event().wait()

        parts = Parts(lambda: failures.append(1), pause=0)
        parts.start(part)
        await asyncio.wait_for(stands.wait(), 10)
        await parts.stop()

    asyncio.run(run())
    assert (len(begun), len(failures)) == (3, 2)
    assert [record.levelname for record in caplog.records] == ["CRITICAL", "CRITICAL"]


def test_a_part_that_ends_by_itself_stays_ended() -> None:
    begun: list[int] = []

    async def part() -> None:
        begun.append(1)

    async def run() -> None:
        parts = Parts(lambda: None, pause=0)
        parts.start(part)
        async with asyncio.timeout(10):
            await asyncio.gather(*parts._tasks)
        await parts.stop()

    asyncio.run(run())
    assert begun == [1]
