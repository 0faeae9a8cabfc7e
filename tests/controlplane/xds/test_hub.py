"""What the hub serves, what it holds back, and how it ends streams."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack

import grpc
import pytest

from meshext_controlplane.model.proxy import ProxyKind
from meshext_controlplane.snapshot import CLUSTER, ENDPOINT, LISTENER, Snapshot, build_snapshot
from meshext_controlplane.xds.limits import LARGEST_REQUEST
from meshext_controlplane.xds.observer import Observer
from meshext_controlplane.xds.status import Sync
from tests.controlplane.xds.client import Client, connected
from tests.controlplane.xds.envoys import until
from tests.controlplane.xds.serving import Mesh, serving
from tests.controlplane.xds.snapshots import cluster, endpoints, listener, routes

A = (cluster("a"), endpoints("a", 1))
DANGLING = (listener("main", "nowhere"),)


async def with_clusters(mesh: Mesh, client: Client) -> None:
    await client.say(type_url=CLUSTER)
    await client.ack(await client.hear())
    await until(lambda: sync(mesh, CLUSTER) is Sync.SYNCED)


def sync(mesh: Mesh, type_url: str) -> Sync:
    (status,) = mesh.hub.status()
    return next(each.sync for each in status.types if each.type_url == type_url)


def test_what_names_what_it_does_not_hold_is_not_served() -> None:
    async def run() -> None:
        async with serving(A) as mesh, connected(mesh.port, delta=True) as client:
            await with_clusters(mesh, client)
            mesh.edit(DANGLING)
            await until(lambda: bool(mesh.hub.status()[0].problem))
            assert "names RouteConfiguration 'nowhere'" in mesh.hub.status()[0].problem
            mesh.edit([*A, cluster("b"), endpoints("b", 1)])
            assert [each.name for each in (await client.hear()).resources] == ["b"]
            assert mesh.hub.status()[0].problem == ""

    asyncio.run(run())


def test_a_proxy_without_a_good_snapshot_is_told_to_come_again() -> None:
    async def run() -> None:
        async with serving(DANGLING) as mesh, connected(mesh.port, delta=True) as client:
            await client.say(type_url=CLUSTER)
            code, text = await client.status()
            assert code is grpc.StatusCode.UNAVAILABLE
            assert "nowhere" in text

    asyncio.run(run())


def test_who_comes_back_while_the_newest_is_bad_gets_the_last_good_one() -> None:
    async def run() -> None:
        async with serving(A) as mesh:
            async with connected(mesh.port, delta=True) as client:
                await with_clusters(mesh, client)
            mesh.edit(DANGLING)
            async with connected(mesh.port, delta=True) as client:
                await client.say(type_url=CLUSTER)
                assert [each.name for each in (await client.hear()).resources] == ["a"]
                assert mesh.hub.status()[-1].problem

    asyncio.run(run())


def test_streams_are_ended_with_a_reason() -> None:
    async def run() -> None:
        async with serving(A) as mesh, connected(mesh.port, delta=True) as client:
            await with_clusters(mesh, client)
            denied = grpc.StatusCode.PERMISSION_DENIED
            assert mesh.hub.disconnect(lambda proxy: True, code=denied, text="banned") == 1
            assert await client.status() == (denied, "banned")
            await until(lambda: mesh.hub.status() == ())

    asyncio.run(run())


def test_the_oldest_of_too_many_streams_of_one_proxy_ends() -> None:
    async def run() -> None:
        async with serving(A) as mesh, connected(mesh.port, delta=True) as oldest:
            await with_clusters(mesh, oldest)
            async with (
                connected(mesh.port, delta=True) as second,
                connected(mesh.port, delta=False) as third,
                connected(mesh.port, delta=True) as fourth,
            ):
                for client in (second, third, fourth):
                    await client.say(type_url=CLUSTER)
                    await client.hear()
                assert (await oldest.status())[0] is grpc.StatusCode.ABORTED
                await until(lambda: len(mesh.hub.status()) == 3)

    asyncio.run(run())


def test_a_grpc_client_has_a_stream_for_each_target() -> None:
    async def run() -> None:
        async with AsyncExitStack() as stack:
            mesh = await stack.enter_async_context(serving(A))
            mesh.kind = ProxyKind.GRPC
            for _ in range(5):
                client = await stack.enter_async_context(connected(mesh.port, delta=False))
                await client.say(type_url=CLUSTER, resource_names=["a"])
                assert (await client.hear()).resources
            assert len(mesh.hub.status()) == 5
            assert len(mesh.hub.proxies()) == 1

    asyncio.run(run())


def test_a_refusal_is_shown_with_name_and_reason() -> None:
    async def run() -> None:
        async with serving(A) as mesh, connected(mesh.port, delta=True) as client:
            await client.say(type_url=CLUSTER)
            response = await client.hear()
            await client.ack(response, error_detail={"code": 3, "message": "a: no such thing"})
            await until(lambda: sync(mesh, CLUSTER) is Sync.NACKED)
            (status,) = mesh.hub.status()
            (refused,) = (each for each in status.types if each.refused)
            assert (refused.refused, refused.error) == (("a",), "a: no such thing")
            assert 0 < refused.sent <= refused.nacked
            mesh.edit([cluster("a", timeout=9), A[1]])
            await client.ack(await client.hear())
            await until(lambda: sync(mesh, CLUSTER) is Sync.SYNCED)

    asyncio.run(run())


class Told(Observer):
    def __init__(self) -> None:
        self.waves: list[tuple[str, bool]] = []
        self.streams: list[int] = []

    def connected(self, count: int) -> None:
        self.streams.append(count)

    def converged(self, kind: str, *, gathered: float, after: float) -> None:
        self.waves.append((kind, 0 <= gathered <= after))


class Fragile(Observer):
    def held_back(self) -> None:
        raise OSError("no room for it")


def test_one_that_can_not_be_served_holds_up_no_other() -> None:
    async def run() -> None:
        special: dict[str, Snapshot] = {}
        async with (
            serving(A, observer=Fragile(), special=special) as mesh,
            connected(mesh.port, delta=True, node_id="bad.shop") as bad,
            connected(mesh.port, delta=True, node_id="good.shop") as good,
        ):
            for client in (bad, good):
                await client.say(type_url=CLUSTER)
                await client.ack(await client.hear())
            special["bad.shop"] = build_snapshot(DANGLING)
            mesh.edit([*A, cluster("b"), endpoints("b", 1)])
            assert [each.name for each in (await good.hear()).resources] == ["b"]
            assert (await bad.status())[0] is grpc.StatusCode.INTERNAL

    asyncio.run(run())


def test_an_edit_has_converged_when_the_last_proxy_has_answered() -> None:
    async def run() -> None:
        told = Told()
        async with (
            serving(A, observer=told) as mesh,
            connected(mesh.port, delta=True, node_id="one.shop") as one,
            connected(mesh.port, delta=True, node_id="two.shop") as two,
        ):
            for client in (one, two):
                await client.say(type_url=ENDPOINT, resource_names_subscribe=["a"])
                await client.ack(await client.hear())
            mesh.edit([A[0], endpoints("a", 2)], "endpoints")
            first, second = await one.hear(), await two.hear()
            await one.ack(first)
            assert told.waves == []
            await two.ack(second)
            await until(lambda: told.waves == [("endpoints", True)])
            assert told.streams == [1, 2]

    asyncio.run(run())


def test_a_storm_of_edits_comes_as_few_pushes_and_ends_exact() -> None:
    async def run() -> None:
        async with serving(A) as mesh, connected(mesh.port, delta=True) as client:
            await client.say(type_url=ENDPOINT, resource_names_subscribe=["a"])
            await client.ack(await client.hear())
            for port in range(2, 1002):
                mesh.edit([A[0], endpoints("a", port)], "endpoints" if port % 2 else "configuration")
                await asyncio.sleep(0)
            pushes = 0
            last = endpoints("a", 1001).version
            while True:
                response = await client.hear()
                pushes += 1
                await client.ack(response)
                if response.resources[0].version == last:
                    break
            assert pushes < 100

    asyncio.run(run())


Speak = Callable[[Client], Awaitable[None]]


async def garbage(client: Client) -> None:
    await client.say_bytes(b"\xff" * 100)


async def garbage_later(client: Client) -> None:
    await client.say(type_url=CLUSTER)
    await client.hear()
    await client.say_bytes(b"\xff" * 100)


async def many_names(client: Client) -> None:
    await client.say(type_url=ENDPOINT, resource_names_subscribe=[f"{n}" for n in range(100_001)])


async def long_name(client: Client) -> None:
    await client.say(type_url=ENDPOINT, resource_names_subscribe=["n" * 2049])


async def many_types(client: Client) -> None:
    for number in range(33):
        await client.say(type_url=f"type.googleapis.com/t{number}", resource_names_subscribe=["n"])


async def large_node(client: Client) -> None:
    await client.say(type_url=CLUSTER, node={"cluster": "c" * 70_000})


@pytest.mark.parametrize("speak", [garbage, garbage_later, many_names, long_name, many_types, large_node])
def test_beyond_the_limits_a_stream_ends(speak: Speak) -> None:
    async def run() -> None:
        async with serving(A) as mesh, connected(mesh.port, delta=True) as client:
            await speak(client)
            code, text = await client.status()
            assert code is grpc.StatusCode.INVALID_ARGUMENT
            assert text
            await until(lambda: mesh.hub.status() == ())
            async with connected(mesh.port, delta=True) as other:
                await other.say(type_url=CLUSTER)
                assert (await other.hear()).resources

    asyncio.run(run())


def test_a_type_that_is_not_served_is_said_to_have_nothing() -> None:
    async def run() -> None:
        async with serving(A) as mesh, connected(mesh.port, delta=True) as client:
            await client.say(type_url="type.googleapis.com/unknown", resource_names_subscribe=["x"])
            assert list((await client.hear()).removed_resources) == ["x"]
            await client.say(type_url=LISTENER)
            assert (await client.hear()).type_url == LISTENER

    asyncio.run(run())


def test_routes_and_listeners_are_served_together() -> None:
    async def run() -> None:
        held = [*A, listener("main", "main"), routes("main", x="a")]
        async with serving(held) as mesh, connected(mesh.port, delta=False) as client:
            await client.say(type_url=LISTENER)
            assert (await client.hear()).resources[0].value == held[2].body

    asyncio.run(run())


def test_one_that_does_not_answer_holds_up_nobody_and_gets_the_newest() -> None:
    async def run() -> None:
        async with (
            serving(A) as mesh,
            connected(mesh.port, delta=True, node_id="stuck.shop") as stuck,
            connected(mesh.port, delta=True, node_id="quick.shop") as quick,
        ):
            for client in (stuck, quick):
                await client.say(type_url=ENDPOINT, resource_names_subscribe=["a"])
            held_up = await stuck.hear()
            await quick.ack(await quick.hear())
            for port in range(2, 12):
                mesh.edit([A[0], endpoints("a", port)], "endpoints")
                response = await quick.hear()
                assert response.resources[0].version == endpoints("a", port).version
                await quick.ack(response)
            await stuck.ack(held_up)
            assert (await stuck.hear()).resources[0].version == endpoints("a", 11).version

    asyncio.run(run())


def test_a_flood_of_requests_holds_up_nobody() -> None:
    async def run() -> None:
        async with (
            serving(A) as mesh,
            connected(mesh.port, delta=True, node_id="flood.shop") as flood,
            connected(mesh.port, delta=True, node_id="quick.shop") as quick,
        ):

            async def pour() -> None:
                while True:
                    await flood.say(type_url=ENDPOINT, resource_names_subscribe=["a"], response_nonce="old")

            pouring = asyncio.create_task(pour())
            await flood.hear()
            for _ in range(20):
                await quick.say(type_url=ENDPOINT, resource_names_subscribe=["a"])
                await quick.ack(await quick.hear())
            assert not pouring.done()
            pouring.cancel()

    asyncio.run(run())


def test_a_message_beyond_all_bounds_is_not_read() -> None:
    async def run() -> None:
        async with serving(A) as mesh, connected(mesh.port, delta=True) as client:
            await client.say(type_url=CLUSTER)
            await client.hear()
            await client.say_bytes(bytes(LARGEST_REQUEST + 1))
            assert (await client.status())[0] is grpc.StatusCode.RESOURCE_EXHAUSTED
            await until(lambda: mesh.hub.status() == ())

    asyncio.run(run())
