"""Both RPCs over real gRPC, spoken by a client that says exactly what it means."""

from __future__ import annotations

import asyncio

from meshext_controlplane.snapshot import CLUSTER, ENDPOINT
from tests.controlplane.xds.client import connected
from tests.controlplane.xds.serving import serving
from tests.controlplane.xds.snapshots import cluster, endpoints


def test_delta_is_told_what_changes() -> None:
    async def run() -> None:
        first, second = cluster("a"), cluster("b")
        held = [first, endpoints("a", 1)]
        async with serving(held) as mesh, connected(mesh.port, delta=True) as client:
            await client.say(type_url=CLUSTER)
            response = await client.hear()
            assert [(each.name, each.version) for each in response.resources] == [("a", first.version)]
            assert response.resources[0].resource.value == first.body
            assert response.control_plane.identifier == "meshext"
            await client.ack(response)
            mesh.edit([*held, second, endpoints("b", 2)])
            response = await client.hear()
            assert [each.name for each in response.resources] == ["b"]
            await client.ack(response)
            mesh.edit([second, endpoints("b", 2)])
            response = await client.hear()
            assert list(response.removed_resources) == ["a"]

    asyncio.run(run())


def test_state_of_the_world_says_everything() -> None:
    async def run() -> None:
        async with (
            serving([cluster("a"), endpoints("a", 1)]) as mesh,
            connected(mesh.port, delta=False) as client,
        ):
            await client.say(type_url=CLUSTER)
            response = await client.hear()
            assert [each.value for each in response.resources] == [cluster("a").body]
            await client.ack(response)
            await client.say(type_url=ENDPOINT, resource_names=["a"])
            assert (await client.hear()).resources[0].value == endpoints("a", 1).body
            mesh.edit([cluster("a"), endpoints("a", 1), cluster("b"), endpoints("b", 1)])
            response = await client.hear()
            assert [each.value for each in response.resources] == [cluster("a").body, cluster("b").body]

    asyncio.run(run())
