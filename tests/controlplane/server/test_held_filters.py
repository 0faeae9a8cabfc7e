"""A filter comes to a workload that serves: what its agent is told, what its Envoy gets, what people see."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from meshext_controlplane.snapshot import CLUSTER, LISTENER
from meshext_proto.meshext import admin_pb2, workloads_pb2
from tests.controlplane.server.test_control_plane import PORT, READY, Running, run

NAME = "filter|shop|limits"
POLICY = """\
apiVersion: meshext.dev/v1
kind: FilterPolicy
metadata: {name: limits, namespace: shop}
spec: {filter: telemetry, selector: {matchLabels: {app: checkout}}}
"""
Beside = workloads_pb2.Registration.Beside


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "state"


def registration(**given: Any) -> workloads_pb2.Registration:
    return workloads_pb2.Registration(name="checkout-1", address="127.1.0.2", ports=[PORT], **given)


async def names_in_envoy(running: Running) -> tuple[bool, bool]:
    """Whether the listener and the clusters of its Envoy know the filter."""
    request = admin_pb2.ResourcesRequest(node_id="checkout-1.shop")
    found = (await running.ask("Resources", request, admin_pb2.ResourcesReply)).resources
    inbound = [each.body for each in found if each.type_url == LISTENER and "8080" in each.name]
    clusters = [each.name for each in found if each.type_url == CLUSTER]
    return NAME.encode() in inbound[0], NAME in clusters


async def missing(running: Running) -> list[tuple[str, str, bool]]:
    request = admin_pb2.ProxyStatusRequest()
    reply = await running.ask("ProxyStatus", request, admin_pb2.ProxyStatusReply)
    return [(each.namespace, each.name, each.held) for each in reply.proxies[0].missing]


async def told(call: Any) -> dict[str, bool]:
    """The filters of the next answer that has some, and which are held."""
    while not (answer := await call.read()).filters:
        pass
    return {each.name: each.held for each in answer.filters}


def test_a_filter_is_asked_once_it_serves(folder: Path) -> None:
    async def scenario(running: Running) -> None:
        member, gauge = await running.member("checkout"), running.control_plane.serving.holding
        async with (
            running.registered(member, "checkout-1", beside=Beside()) as call,
            running.stream(member, "checkout-1.shop") as client,
        ):
            await client.hear()
            assert not (await running.apply(POLICY)).problems
            assert await told(call) == {NAME: True}
            assert await names_in_envoy(running) == (False, False)
            assert await missing(running) == [("shop", "limits", True)]
            assert gauge.count == 1
            await call.write(registration(state=READY, beside=Beside(serving=[NAME])))
            assert await told(call) == {NAME: False}
            assert await names_in_envoy(running) == (True, True)
            assert await missing(running) == []
            await call.write(registration(state=workloads_pb2.Registration.UNREADY, beside=Beside()))
            assert await told(call) == {NAME: False}  # its service has ended: it is asked all the same
            assert await names_in_envoy(running) == (True, True)
            assert await missing(running) == [("shop", "limits", False)]
            assert gauge.count == 0

    run(folder, scenario)


def test_nothing_is_held_from_a_workload_that_begins(folder: Path) -> None:
    async def scenario(running: Running) -> None:
        await running.apply(POLICY)
        member = await running.member("checkout")
        async with (
            running.registered(member, "checkout-1", beside=Beside(), state="UNREADY"),
            running.stream(member, "checkout-1.shop") as client,
        ):
            await client.hear()  # before, nobody of that name is connected
            assert await names_in_envoy(running) == (True, True)

    run(folder, scenario)


def test_what_is_held_ends_with_the_agent(folder: Path) -> None:
    """Who comes back without having said how it is has the filter: it may be another Envoy."""

    async def scenario(running: Running) -> None:
        member = await running.member("checkout")
        async with running.registered(member, "checkout-1", beside=Beside()) as call:
            await running.apply(POLICY)
            assert await told(call) == {NAME: True}
        while running.control_plane.serving.holding.count:
            await running.ask("Look", admin_pb2.LookRequest(), admin_pb2.LookReply)
        async with running.stream(member, "checkout-1.shop") as client:
            await client.hear()
            assert await names_in_envoy(running) == (True, True)

    run(folder, scenario)
