"""Independent clients: two versions of Envoy, each with both protocols, from one control plane over mTLS."""

from __future__ import annotations

import asyncio
import re
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from meshext.envoy.binary import find_envoy
from meshext.envoy.process import EnvoyProcess
from meshext_controlplane.snapshot import LISTENER, Resource
from meshext_controlplane.xds.observer import Observer
from meshext_controlplane.xds.status import Sync
from tests.controlplane.xds.envoys import answering, get, port_of, start, until
from tests.controlplane.xds.mtls import MeshAuthority
from tests.controlplane.xds.serving import Mesh, serving
from tests.controlplane.xds.snapshots import cluster, endpoints, listener, routes
from tests.older_envoy import find_older

pytestmark = [pytest.mark.envoy, pytest.mark.slow, pytest.mark.timeout(240)]


@pytest.fixture(scope="session")
def older(request: pytest.FixtureRequest) -> Path:
    return find_older(request.config)


class Sent(Observer):
    """Resources that were sent, by type."""

    def __init__(self) -> None:
        self.resources: dict[str, int] = {}

    def pushed(self, type_url: str, *, size: int, resources: int) -> None:
        self.resources[type_url] = self.resources.get(type_url, 0) + resources


def syncs(mesh: Mesh) -> list[Sync]:
    return [each.sync for status in mesh.hub.status() for each in status.types]


def all_synced(mesh: Mesh, count: int) -> bool:
    found = syncs(mesh)
    return len(mesh.hub.status()) == count and found.count(Sync.SYNCED) == 4 * count


async def all_answer(envoys: list[EnvoyProcess], text: str) -> bool:
    return all([await get(envoy.port("main"), "/a") == (200, text) for envoy in envoys])


def test_all_are_served_alike(older: Path, tmp_path: Path) -> None:
    async def run() -> None:
        authority = MeshAuthority(tmp_path)
        tls = authority.envoy(authority.proxy())
        credentials = authority.server()
        async with AsyncExitStack() as stack, await answering("one") as one, await answering("two") as two:
            first = mesh_to("a", port_of(one))
            second = mesh_to("b", port_of(two))
            async with serving(first, credentials=credentials) as mesh:
                port = mesh.port
                envoys = []
                for number, (binary, delta) in enumerate(
                    (binary, delta) for binary in (find_envoy(), older) for delta in (True, False)
                ):
                    folder = tmp_path / f"{number}"
                    envoy = await start(
                        port, folder, delta=delta, envoy=binary, node_id=f"web-{number}.shop", tls=tls
                    )
                    envoys.append(await stack.enter_async_context(envoy))
                await until(lambda: all_synced(mesh, 4))
                assert await all_answer(envoys, "one")

                mesh.edit(second)
                await until(lambda: all_answer(envoys, "two"))
                await until(lambda: all_synced(mesh, 4))

                mesh.edit([each for each in second if each.type_url != LISTENER] + [BAD])
                await until(lambda: syncs(mesh).count(Sync.NACKED) == 4)
                assert await all_answer(envoys, "two")
                mesh.edit(second)
                await until(lambda: all_synced(mesh, 4))
            assert await all_answer(envoys, "two"), "the control plane is away"

            sent = Sent()
            async with serving(second, credentials=credentials, port=port, observer=sent) as mesh:
                await until(lambda: all_synced(mesh, 4))
                assert sent.resources == {}, "what they have was sent again"
                mesh.edit(first)
                await until(lambda: all_answer(envoys, "one"))
                versions = {status.protocol for status in mesh.hub.status()}
                assert versions == {"delta", "sotw"}
            for envoy in envoys:
                assert re.search(
                    rb'"version": "[^"]*/1\.(38\.2|40\.0)/', await envoy.admin.get("/server_info")
                )

    asyncio.run(run())


BAD = listener("main", "main", port=70_000)


def mesh_to(name: str, port: int) -> list[Resource]:
    return [cluster(name), endpoints(name, port), listener("main", "main"), routes("main", a=name)]
