"""One total over workers, exact: after kill -9, after a reload, and at the end."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import Sequence
from pathlib import Path

import pytest

from e2e.stage import wait_for
from e2e.watched import Served, ask, gateway, serving
from meshext.sandbox.client import Answer

pytestmark = pytest.mark.envoy

SOURCE = Path(__file__).parent / "filters" / "watched.py"


async def send_all(url: str, targets: Sequence[str]) -> list[Answer]:
    """All at once, so that Envoy uses every connection it has."""
    return await asyncio.gather(*(ask(url, target) for target in targets))


def check(served: Served, passed: int, stopped: int = 0, failed: int = 0) -> None:
    """Everything that was sent is counted once; a stream ends a moment after its client has the answer."""
    assert wait_for(lambda: served.total("meshext_open_exchanges") == 0)
    expected = {"passed": passed, "answered": stopped, "failed_closed": failed}
    for decision, number in expected.items():
        assert served.total("meshext_exchanges_total", decision=decision) == number, decision
    whole = passed + stopped + failed
    assert served.total("meshext_exchanges_total") == whole
    assert served.total("watched_seen_total", filter="watched") == whole
    assert served.total("meshext_hook_seconds_count", filter="watched", hook="on_request") == whole
    assert served.total("meshext_hook_failures_total", kind="raised") == failed


def test_totals_are_exact_whatever_becomes_of_workers(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    source = tmp_path / "watched.py"
    source.write_text(SOURCE.read_text())
    spec = f"{source}:Watched"

    async def drive(served: Served) -> None:
        async with gateway(spec, "proc", served.port, tmp_path_factory.mktemp("m")) as url:
            answers = await send_all(url, ["/", "/stop", "/raise"] * 20)
            assert [answer.status for answer in answers].count(200) == 20
            check(served, 20, 20, 20)
            await after_a_kill(served, url, workers_of(answers))
            await after_a_reload(served, url)

    async def after_a_kill(served: Served, url: str, workers: set[int]) -> None:
        os.kill(workers.pop(), signal.SIGKILL)
        assert await asyncio.to_thread(
            wait_for, lambda: served.total("meshext_worker_ends_total", reason="died") == 1
        )
        check(served, 20, 20, 20)
        assert await asyncio.to_thread(wait_for, lambda: served.total("meshext_workers") == 2)
        await answered(url)
        assert wait_for(lambda: served.total("meshext_open_exchanges") == 0)
        before = int(served.total("meshext_exchanges_total", decision="passed"))
        answers = await send_all(url, ["/"] * 40)
        assert {answer.status for answer in answers} == {200}
        check(served, before + 40, 20, 20)

    async def after_a_reload(served: Served, url: str) -> None:
        before = int(served.total("meshext_exchanges_total", decision="passed"))
        source.write_text(SOURCE.read_text().replace('"x-worker"', '"x-new-worker"'))
        assert await asyncio.to_thread(
            wait_for, lambda: served.total("meshext_reloads_total", result="applied") == 1
        )
        answers = await send_all(url, ["/"] * 40)
        assert {answer.status for answer in answers} == {200}
        check(served, before + 40, 20, 20)

    with serving(spec, "--workers", "2", "--watch", "--drain", "5") as served:
        asyncio.run(drive(served))


def workers_of(answers: Sequence[Answer]) -> set[int]:
    """The workers that saw them, as the upstream was told."""
    seen = [dict(json.loads(answer.text)["headers"]) for answer in answers if answer.status == 200]
    return {int(headers["x-worker"]) for headers in seen}


async def answered(url: str) -> None:
    """Until requests pass again: the first ones may still meet a connection to the dead worker."""
    async with asyncio.timeout(20):
        while {answer.status for answer in await send_all(url, ["/"] * 8)} != {200}:
            pass
