"""A restart with another configuration: no cluster goes that the routes of a stock Envoy still name."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path

import pytest

from e2e.under_load import Load, by_status, client
from meshext.envoy.process import EnvoyProcess
from meshext_controlplane.server.remembering import Remembering
from meshext_controlplane.snapshot import Resource
from meshext_controlplane.xds.memory import Memory
from tests.controlplane.xds.envoys import answering, port_of, start, until
from tests.controlplane.xds.serving import Mesh, serving
from tests.controlplane.xds.snapshots import cluster, endpoints, listener, routes
from tests.ports import free_port

pytestmark = [pytest.mark.envoy, pytest.mark.slow]

MAIN = listener("main", "main")
ROUNDS = 5


@asynccontextmanager
async def control_plane(
    folder: Path, port: int, resources: Iterable[Resource], *, killed: bool
) -> AsyncIterator[Mesh]:
    """One that keeps what proxies have in the folder; `killed`: it never comes to its last write."""
    memory = Memory()
    remembering = Remembering(memory, folder)
    await remembering.load()
    async with serving(resources, port=port, memory=memory) as mesh:
        yield mesh
        await remembering.write()  # as it does every second
    if not killed:
        await remembering.finish()


@asynccontextmanager
async def loaded(port: int) -> AsyncIterator[Load]:
    """Ten clients that go on and on."""
    load, done = Load(), threading.Event()
    calls = [
        asyncio.create_task(client(("127.0.0.1", port), ("a", "/a"), load, by_status, done))
        for _ in range(10)
    ]
    yield load
    done.set()
    await asyncio.gather(*calls)


def world(name: str, port: int) -> list[Resource]:
    """All that leads to one upstream by a cluster of that name."""
    return [cluster(name), endpoints(name, port), MAIN, routes("main", a=name)]


async def has(envoy: EnvoyProcess, *names: str) -> bool:
    """Whether these are the clusters of an Envoy, beside that of its bootstrap."""
    lines = (await envoy.admin.get("/clusters")).decode().splitlines()
    return {line.partition("::")[0] for line in lines} == {*names, "xds"}


@pytest.mark.parametrize("killed", [False, True], ids=["ended", "killed"])
@pytest.mark.parametrize("delta", [True, False], ids=["delta", "sotw"])
def test_a_cluster_that_is_replaced_while_the_control_plane_is_away(
    delta: bool, killed: bool, tmp_path: Path
) -> None:
    async def run() -> None:
        port = free_port()
        async with await answering("one") as one, AsyncExitStack() as stack:
            async with control_plane(tmp_path, port, world("first", port_of(one)), killed=killed):
                envoy = await stack.enter_async_context(await start(port, tmp_path / "envoy", delta=delta))
                await until(lambda: has(envoy, "first"))
            async with loaded(envoy.port("main")) as load:
                for number in range(ROUNDS):
                    name = f"next-{number}"
                    changed = world(name, port_of(one))
                    async with control_plane(tmp_path, port, changed, killed=killed):
                        await until(partial(has, envoy, name))
            assert load.count > 0
            assert dict(load.kinds) == {"200": load.count}

    asyncio.run(run())
