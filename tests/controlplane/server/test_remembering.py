"""What proxies have, over a restart of the control plane: kept, forgotten, lost, damaged, bounded."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from meshext_controlplane.model.spiffe import SpiffeId
from meshext_controlplane.server.remembering import Remembering
from meshext_controlplane.snapshot import CLUSTER, LISTENER, ROUTE, Resource, build_snapshot
from meshext_controlplane.state.served import FILE, ServedStore
from meshext_controlplane.subscription.differences import Differences
from meshext_controlplane.subscription.messages import StateRequest
from meshext_controlplane.subscription.references import References
from meshext_controlplane.subscription.session import Session
from meshext_controlplane.subscription.state import StateSubscription
from meshext_controlplane.xds.memory import Memory
from tests.controlplane.xds.serving import proxy
from tests.controlplane.xds.snapshots import cluster, listener, routes

MANY = [cluster(f"c{number}") for number in range(300)]
HELD = [*MANY, listener("main", "main"), routes("main", a="c1", b="c2")]


def taken(resources: Iterable[Resource]) -> Session[StateRequest]:
    """A session whose proxy has said yes to everything."""
    held = list(resources)
    session = Session(StateSubscription, build_snapshot(held), References(), Differences(), label="s")
    for type_url in (CLUSTER, LISTENER, ROUTE):
        names = ("main",) if type_url == ROUTE else ()
        session.receive(StateRequest(type_url=type_url, names=names))
        if (push := session.next_push()) is not None:
            session.receive(
                StateRequest(type_url=type_url, names=names, nonce=push.nonce, version=push.version)
            )
    return session


def remembering(folder: Path, scenario: Callable[[Memory, Remembering], Coroutine[Any, Any, None]]) -> None:
    """One life of a control plane: the scenario between load and the last write."""

    async def live() -> None:
        memory = Memory()
        keeper = Remembering(memory, folder)
        await keeper.load()
        try:
            await scenario(memory, keeper)
        finally:
            await keeper.finish()

    asyncio.run(live())


def test_what_a_proxy_has_is_there_after_a_restart(tmp_path: Path) -> None:
    async def first(memory: Memory, keeper: Remembering) -> None:
        memory.note(proxy("web-1.shop"), taken(HELD))
        memory.note(proxy("web-2.shop"), taken([*HELD, cluster("own")]))

    async def second(memory: Memory, keeper: Remembering) -> None:
        known, other = memory.recall(proxy("web-1.shop")), memory.recall(proxy("web-2.shop"))
        assert known is not None
        assert other is not None
        held = build_snapshot(HELD)
        assert known.named(CLUSTER) == held.named(CLUSTER)
        assert known.named(LISTENER) == held.named(LISTENER)
        (table,) = known.named(ROUTE).values()
        assert table.version == held.named(ROUTE)["main"].version
        assert References().of(table) == {(CLUSTER, "c1"), (CLUSTER, "c2")}
        assert other.named(CLUSTER).keys() - known.named(CLUSTER).keys() == {"own"}

    remembering(tmp_path, first)
    remembering(tmp_path, second)


def test_another_identity_of_the_same_name_has_nothing(tmp_path: Path) -> None:
    async def first(memory: Memory, keeper: Remembering) -> None:
        memory.note(proxy(), taken(HELD))

    async def second(memory: Memory, keeper: Remembering) -> None:
        stranger = SpiffeId("cluster.local", "shop", "stranger")
        assert memory.recall(replace(proxy(), identity=stranger)) is None

    remembering(tmp_path, first)
    remembering(tmp_path, second)


def test_what_goes_is_forgotten_and_swept_out(tmp_path: Path) -> None:
    async def first(memory: Memory, keeper: Remembering) -> None:
        memory.note(proxy("web-1.shop"), taken(HELD))
        memory.note(proxy("web-2.shop"), taken([cluster("own")]))
        await keeper.write()
        memory.forget("web-1.shop")

    async def second(memory: Memory, keeper: Remembering) -> None:
        assert memory.recall(proxy("web-1.shop")) is None
        memory.retain(set())

    remembering(tmp_path, first)
    assert len(content_of(tmp_path)[1]) > 300
    remembering(tmp_path, second)
    assert len(content_of(tmp_path)[1]) < 10
    remembering(tmp_path, second)
    assert content_of(tmp_path) == ([], {})


def content_of(folder: Path) -> tuple[list[Any], dict[str, bytes]]:
    store = ServedStore(folder)
    try:
        return store.load()
    finally:
        store.close()


def test_many_proxies_with_the_same_share_it(tmp_path: Path) -> None:
    async def first(memory: Memory, keeper: Remembering) -> None:
        memory.note(proxy("web-0.shop"), taken(HELD))
        await keeper.write()
        alone = len(content_of(tmp_path)[1])
        for number in range(1, 50):
            memory.note(proxy(f"web-{number}.shop"), taken([*HELD, cluster(f"own-{number}")]))
        await keeper.write()
        assert len(content_of(tmp_path)[1]) <= alone + 2 * 49

    remembering(tmp_path, first)


def test_what_changes_a_thousand_times_stays_bounded(tmp_path: Path) -> None:
    async def first(memory: Memory, keeper: Remembering) -> None:
        for timeout in range(1, 3001):
            memory.note(proxy(), taken([cluster("a", timeout=timeout), cluster("b")]))
            await keeper.write()
        assert len(content_of(tmp_path)[1]) < 2500

    remembering(tmp_path, first)


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2 // 4096 * 4096 + 100)


def scribble(path: Path) -> None:
    data = bytearray(path.read_bytes())
    for at in range(8192, len(data), 512):
        data[at] ^= 0xFF
    path.write_bytes(data)


def strange(path: Path) -> None:
    path.write_bytes(b"this is no database, but it is long enough to be one" * 100)


def of_another(path: Path) -> None:
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA user_version = 99")


def without_blobs(path: Path) -> None:
    with sqlite3.connect(path) as database:
        database.execute("DELETE FROM blobs WHERE length(content) > 1000")


def odd(path: Path) -> None:
    with sqlite3.connect(path) as database:
        database.execute("UPDATE proxies SET content = ?", ("[" * 100_000,))


def odder(path: Path) -> None:
    with sqlite3.connect(path) as database:
        database.execute("UPDATE proxies SET content = '{\"x\": [[1], null]}'")


@pytest.mark.parametrize("damage", [cut, scribble, strange, of_another, without_blobs, odd, odder])
def test_what_is_damaged_is_as_good_as_nothing(damage: Callable[[Path], None], tmp_path: Path) -> None:
    async def first(memory: Memory, keeper: Remembering) -> None:
        memory.note(proxy(), taken(HELD))

    async def second(memory: Memory, keeper: Remembering) -> None:
        found = memory.recall(proxy())
        assert found is None or found.named(CLUSTER) == build_snapshot(HELD).named(CLUSTER)
        memory.note(proxy(), taken(HELD))

    async def third(memory: Memory, keeper: Remembering) -> None:
        assert memory.recall(proxy()) is not None

    remembering(tmp_path, first)
    damage(tmp_path / FILE)
    remembering(tmp_path, second)
    remembering(tmp_path, third)


def test_a_folder_that_takes_no_writes_is_told_once_and_tried_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "state"

    async def first(memory: Memory, keeper: Remembering) -> None:
        memory.note(proxy(), taken(HELD))
        for _ in range(3):
            await keeper.write()
        assert caplog.text.count("is not kept for a restart") == 1
        folder.unlink()
        await keeper.write()

    async def second(memory: Memory, keeper: Remembering) -> None:
        assert memory.recall(proxy()) is not None

    folder.write_text("a file where the folder should be")
    remembering(folder, first)
    remembering(folder, second)
