"""What happens to a sidecar: its Envoy dies, its application ends, somebody stops it, somebody floods it."""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest

from meshext.envoy.echo import EchoServer
from meshext_controlplane.agent.envoy import EnvoyKeeper
from meshext_controlplane.agent.options import EnvoyOptions, Leaving
from tests.controlplane.agent.control_plane import ControlPlane
from tests.controlplane.agent.mesh import (
    LIMIT,
    Running,
    children,
    envoy_of,
    options,
    ready,
    resources_for,
    running,
    states,
    until,
)

pytestmark = pytest.mark.envoy


def test_an_envoy_that_dies_is_started_again(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with ControlPlane() as control_plane:
            chosen = options(control_plane, tmp_path)
            control_plane.resources = resources_for(chosen)
            async with running(chosen) as sidecar:
                await ready(control_plane, sidecar)
                envoy_of(sidecar).kill()
                await until(lambda: states(control_plane, "a") == ["UNREADY", "READY"] * 2, sidecar)
                assert (await sidecar.call("/again")).status == 200

    asyncio.run(scenario())


def test_an_envoy_that_becomes_ready_after_it_was_to_stop_does_not_stay(tmp_path: Path) -> None:
    async def scenario() -> None:
        options = EnvoyOptions(concurrency=1)
        keeper = EnvoyKeeper("{}", tmp_path / "envoy", options, on_change=lambda: None)
        keeping = asyncio.create_task(keeper.run())
        await until(lambda: children(str(tmp_path)))
        await keeper.stop()
        async with asyncio.timeout(LIMIT):
            await keeping
        assert not children(str(tmp_path))

    asyncio.run(scenario())


def test_only_an_application_that_answers_gets_requests(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with ControlPlane() as control_plane:
            chosen = options(control_plane, tmp_path, command=())
            control_plane.resources = resources_for(chosen)
            async with running(chosen) as sidecar:
                await until(lambda: states(control_plane, "a") == ["UNREADY"], sidecar)
                async with EchoServer() as echo:
                    await echo.start(chosen.ports[0].application)
                    await ready(control_plane, sidecar)
                await until(lambda: states(control_plane, "a") == ["UNREADY", "READY", "UNREADY"], sidecar)

    asyncio.run(scenario())


def test_the_sidecar_ends_with_its_application(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with ControlPlane() as control_plane:
            chosen = options(control_plane, tmp_path, command=(sys.executable, "-c", "raise SystemExit(7)"))
            control_plane.resources = resources_for(chosen)
            async with running(chosen) as sidecar:
                assert await sidecar.task == 7
            assert states(control_plane, "a")[-1] == "DRAINING"

    asyncio.run(scenario())


def test_a_request_that_is_open_ends_before_the_sidecar_does(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with ControlPlane() as control_plane:
            chosen = options(control_plane, tmp_path)
            control_plane.resources = resources_for(chosen)
            async with running(chosen) as sidecar:
                await ready(control_plane, sidecar)
                call = asyncio.create_task(sidecar.call("/delay/1500"))
                await until(lambda: is_busy(sidecar), sidecar)
                assert await sidecar.end() == 0
                assert (await call).status == 200
            await until(lambda: control_plane.open_registrations == 0)
            assert states(control_plane, "a") == ["UNREADY", "READY", "DRAINING"]

    asyncio.run(scenario())


def test_a_second_wish_ends_everything_at_once(tmp_path: Path) -> None:
    others = children("")  # of tests before this one

    async def scenario() -> None:
        async with ControlPlane() as control_plane:
            stubborn = (
                "import pathlib, signal, sys\n"
                "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
                "pathlib.Path(sys.argv[1]).touch()\n"
                "while True: signal.pause()\n"
            )
            chosen = options(
                control_plane,
                tmp_path,
                command=(sys.executable, "-c", stubborn, str(tmp_path / "up")),
                leaving=Leaving(delay=600.0, drain=600.0, grace=600.0),
            )
            control_plane.resources = resources_for(chosen)
            async with running(chosen) as sidecar:
                await until((tmp_path / "up").exists, sidecar)
                sidecar.stop.ask()
                await until(lambda: states(control_plane, "a")[-1:] == ["DRAINING"], sidecar)
                assert not sidecar.task.done()
                sidecar.stop.ask()
                assert await sidecar.task == 137
                assert [each for each in children("") if each not in others] == []

    asyncio.run(scenario())


@pytest.mark.alone  # certificates that live for six seconds
def test_a_flood_on_the_local_socket_keeps_no_certificate_from_envoy(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with ControlPlane(life=timedelta(seconds=6)) as control_plane:
            chosen = options(control_plane, tmp_path)
            control_plane.resources = resources_for(chosen)
            async with running(chosen) as sidecar:
                await ready(control_plane, sidecar)
                path = str(chosen.data / "agent.sock")
                garbage = [flood(path) for _ in range(100)]
                calls = [call(path, method, b"\xff" * 100) for method in METHODS for _ in range(50)]
                held = [call(path, method, b"") for method in METHODS for _ in range(100)]
                flooding = asyncio.gather(
                    *garbage, *calls, *held, call(path, METHODS[0], bytes(40 * 1024 * 1024))
                )
                before = await serials(sidecar)
                await until(lambda: control_plane.renewals("a"), sidecar)
                await until(lambda: changed(sidecar, before), sidecar)
                ended = set(await flooding)
                assert {grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.INVALID_ARGUMENT} <= ended
                assert (await sidecar.call("/")).status == 200

    asyncio.run(scenario())


METHODS = (
    "/envoy.service.secret.v3.SecretDiscoveryService/StreamSecrets",
    "/envoy.service.secret.v3.SecretDiscoveryService/DeltaSecrets",
    "/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources",
)


async def flood(path: str) -> None:
    """Bytes that are no HTTP/2, and a connection that says nothing more."""
    reader, writer = await asyncio.open_unix_connection(path)
    with suppress(OSError):
        writer.write(os.urandom(4096))
        await writer.drain()
        await reader.read()
    writer.close()


async def call(path: str, method: str, body: bytes) -> grpc.StatusCode:
    """How a call of one message ends, which is open for five seconds at most."""
    options = [("grpc.use_local_subchannel_pool", 1)]
    async with grpc.aio.insecure_channel(f"unix:{path}", options=options) as channel:
        stream: Any = channel.stream_stream(method)(timeout=5.0)
        with suppress(grpc.aio.AioRpcError, asyncio.InvalidStateError):
            await stream.write(body)
            await stream.read()
        code: grpc.StatusCode = await stream.code()
        return code


async def serials(sidecar: Running) -> set[str]:
    """Serial numbers of the certificates that Envoy shows."""
    answer: Any = await sidecar.admin.get_json("/certs")
    return {chain["serial_number"] for each in answer["certificates"] for chain in each["cert_chain"]}


async def changed(sidecar: Running, before: set[str]) -> bool:
    now = await serials(sidecar)
    return bool(now) and now.isdisjoint(before)


async def is_busy(sidecar: Running) -> bool:
    stats = await sidecar.admin.stats(r"^http\.inbound-8080\.downstream_rq_active$")
    return sum(stats.values()) > 0
