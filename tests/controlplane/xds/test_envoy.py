"""The real Envoy, which gets everything by ADS, over both protocols."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from meshext.envoy.process import EnvoyProcess
from meshext_controlplane.snapshot import TYPES
from meshext_controlplane.xds.status import Sync
from tests.controlplane.xds.envoys import answering, get, port_of, start, until
from tests.controlplane.xds.serving import Mesh, serving
from tests.controlplane.xds.snapshots import cluster, endpoints, listener, routes

pytestmark = pytest.mark.envoy


def synced(mesh: Mesh) -> bool:
    status = mesh.hub.status()
    return bool(status) and all(each.sync is not Sync.STALE for one in status for each in one.types)


def syncs(mesh: Mesh) -> dict[str, Sync]:
    (status,) = mesh.hub.status()
    assert [each.type_url for each in status.types] == list(TYPES)
    return {each.type_url.rpartition(".")[2]: each.sync for each in status.types}


@pytest.mark.parametrize("delta", [True, False], ids=["delta", "sotw"])
def test_routes_endpoints_and_refusals(delta: bool, tmp_path: Path) -> None:
    async def run() -> None:
        async with await answering("one") as one, await answering("two") as two:
            a, a_at = cluster("a"), endpoints("a", port_of(one))
            main = listener("main", "main")
            async with (
                serving([a, a_at, main, routes("main", a="a")]) as mesh,
                await start(mesh.port, tmp_path, delta=delta) as envoy,
            ):
                port = envoy.port("main")
                assert await get(port, "/a") == (200, "one")
                await until(lambda: synced(mesh))
                assert set(syncs(mesh).values()) == {Sync.SYNCED, Sync.NOT_SENT}

                mesh.edit([a, endpoints("a", port_of(two)), main, routes("main", a="a")], "endpoints")
                await until(lambda: answers(port, "/a", "two"))

                b, b_at = cluster("b"), endpoints("b", port_of(one))
                mesh.edit([b, b_at, main, routes("main", a="b")])
                await until(lambda: answers(port, "/a", "one"))
                await until(lambda: synced(mesh))
                assert await clusters(envoy) == {"b", "xds"}

                bad = listener("main", "main", port=70_000)
                mesh.edit([b, b_at, bad, routes("main", a="b")])
                await until(lambda: syncs(mesh)["Listener"] is Sync.NACKED)
                (status,) = mesh.hub.status()
                (refused,) = (each for each in status.types if each.sync is Sync.NACKED)
                assert refused.refused == ("main",)
                assert "port" in refused.error.lower()
                assert await get(port, "/a") == (200, "one")

    async def answers(port: int, path: str, text: str) -> bool:
        return await get(port, path) == (200, text)

    async def clusters(envoy: EnvoyProcess) -> set[str]:
        lines = (await envoy.admin.get("/clusters")).decode().splitlines()
        return {line.partition("::")[0] for line in lines}

    asyncio.run(run())
