"""Python filters beside a sidecar: real services, as the control plane asks for them."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from meshext_controlplane.agent.filters import FilterKeeper, WantedFilter

WANTED = WantedFilter("filter|shop|limits", "telemetry", "", "limits.sock")


@pytest.fixture
def sockets(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where temporary folders are made."""
    with tempfile.TemporaryDirectory(prefix="mx") as short:  # for names of sockets
        monkeypatch.setattr(tempfile, "tempdir", short)
        yield Path(short)


async def until(changed: asyncio.Event, done: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not done():
            changed.clear()
            await changed.wait()


def test_a_filter_that_comes_back_as_another_while_it_parts_starts_at_once(
    tmp_path: Path, sockets: Path, caplog: pytest.LogCaptureFixture
) -> None:
    other = replace(WANTED, config="{}")

    async def run() -> None:
        changed = asyncio.Event()
        keeper = FilterKeeper(tmp_path, drain_time=600.0, on_change=changed.set)
        try:
            keeper.want([WANTED])
            await until(changed, lambda: keeper.ready)
            first = (tmp_path / WANTED.socket).readlink()
            keeper.want([])
            keeper.want([other])
            await until(changed, lambda: keeper.ready)
            second = (tmp_path / WANTED.socket).readlink()
            assert first != second
            assert first.is_socket()  # Envoy's connections of before still ask it
            assert second.is_socket()
        finally:
            await keeper.stop()

    asyncio.run(run())
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == []
    assert list(sockets.iterdir()) == []


def test_one_that_comes_back_as_it_was_has_not_gone(tmp_path: Path, sockets: Path) -> None:
    async def run() -> None:
        changed = asyncio.Event()
        keeper = FilterKeeper(tmp_path, drain_time=600.0, on_change=changed.set)
        keeper.want([WANTED])
        await until(changed, lambda: keeper.ready)
        socket = (tmp_path / WANTED.socket).readlink()
        keeper.want([])
        assert keeper.serving == {}
        keeper.want([WANTED])
        assert keeper.serving == {WANTED.name: True}
        assert (tmp_path / WANTED.socket).readlink() == socket
        await keeper.stop()
        assert not socket.exists()

    asyncio.run(run())
    assert list(sockets.iterdir()) == []


def test_readiness_waits_for_no_filter_that_is_held(tmp_path: Path, sockets: Path) -> None:
    """One that is held serves when its newest version does: Envoy has asked no other."""
    other = replace(WANTED, config="{}")

    async def run() -> None:
        seen: list[tuple[Path, bool]] = []
        changed = asyncio.Event()

        def note() -> None:
            link = tmp_path / WANTED.socket
            seen.append((link.readlink() if link.is_symlink() else link, keeper.serving[WANTED.name]))
            changed.set()

        keeper = FilterKeeper(tmp_path, drain_time=600.0, on_change=note)
        keeper.want([WANTED], held={WANTED.name})
        assert keeper.ready
        assert keeper.serving == {WANTED.name: False}
        await asyncio.sleep(0)  # the first version begins to start
        keeper.want([other], held={WANTED.name})
        await until(changed, lambda: keeper.serving[WANTED.name])
        links = {link for link, _ in seen if link != tmp_path / WANTED.socket}
        assert len(links) == 2  # both have served, the first for nobody
        assert {link for link, serves in seen if serves} == {(tmp_path / WANTED.socket).readlink()}
        keeper.want([replace(other, config="")])
        assert keeper.ready  # it is asked now, and the version before serves until the next does
        await keeper.stop()

    asyncio.run(run())
    assert list(sockets.iterdir()) == []


def test_a_sidecar_without_filters_leaves_no_folder(tmp_path: Path, sockets: Path) -> None:
    async def run() -> None:
        keeper = FilterKeeper(tmp_path, drain_time=1.0, on_change=lambda: None)
        keeper.want([])
        assert list(sockets.iterdir()) == []
        await keeper.stop()

    asyncio.run(run())


def test_what_a_killed_sidecar_has_left_is_taken_away_at_the_next_start(
    tmp_path: Path, sockets: Path
) -> None:
    (sockets / "meshext-filters-other").mkdir()  # of another sidecar

    async def run() -> None:
        changed = asyncio.Event()
        killed = FilterKeeper(tmp_path, drain_time=1.0, on_change=changed.set)
        killed.want([WANTED])
        await until(changed, lambda: killed.ready)
        left = (tmp_path / WANTED.socket).readlink().parent
        assert left.is_dir()
        FilterKeeper(tmp_path, drain_time=1.0, on_change=lambda: None)
        assert not left.exists()
        await killed.stop()

    asyncio.run(run())
    assert [each.name for each in sockets.iterdir()] == ["meshext-filters-other"]


def test_one_that_is_wanted_while_all_are_stopped_does_not_run(tmp_path: Path, sockets: Path) -> None:
    async def run() -> None:
        changed = asyncio.Event()
        keeper = FilterKeeper(tmp_path, drain_time=600.0, on_change=changed.set)
        keeper.want([WANTED])
        stopping = asyncio.create_task(keeper.stop())
        await asyncio.sleep(0)
        keeper.want([WANTED])
        await stopping
        keeper.want([WANTED])
        assert keeper.serving == {}
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(run())
    assert list(sockets.iterdir()) == []
