"""The control plane away: at the start, while traffic flows, and when it comes back with something else."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import grpc
import pytest

from meshext_controlplane.agent import passage
from meshext_controlplane.agent.options import EnvoyOptions
from meshext_controlplane.agent.registration import RegistrationError
from meshext_controlplane.agent.storing import FILE
from meshext_proto.meshext import workloads_pb2
from tests.controlplane.agent.control_plane import ControlPlane
from tests.controlplane.agent.mesh import (
    OUTBOUND,
    PORT,
    echo,
    envoy_of,
    options,
    ready,
    resources_for,
    running,
    until,
)
from tests.controlplane.agent.resources import cluster, listener

pytestmark = pytest.mark.envoy


def has_more(items: Sequence[object], count: int) -> bool:
    return len(items) > count


@pytest.mark.parametrize("sotw", [False, True], ids=["delta", "sotw"])
def test_a_restart_needs_neither_token_nor_control_plane(tmp_path: Path, sotw: bool) -> None:
    async def scenario() -> None:
        control_plane = ControlPlane()
        chosen = options(control_plane, tmp_path, envoy=EnvoyOptions(concurrency=1, sotw=sotw))
        control_plane.resources = resources_for(chosen)
        async with control_plane, running(chosen) as first:
            await ready(control_plane, first)
            assert (await first.call("/one")).status == 200
            assert await first.end() == 0
        assert (chosen.data / FILE).stat().st_mode & 0o777 == 0o600
        async with running(replace(chosen, token="")) as second:
            await until(lambda: second.answers("/two"), second)
            # It comes back with a listener less and another one's route elsewhere.
            control_plane.resources = lambda node: {
                "outbound": cluster("outbound", chosen.address, 1, tls=False),
                "outbound-http": listener(
                    "outbound-http", chosen.address, OUTBOUND, "outbound", tls=False, inbound=False
                ),
            }
            control_plane.sent.clear()
            await control_plane.start()
            await until(lambda: second.answers("/three", status=503), second)
            names = await second.clusters()
            assert "inbound" not in names
            assert control_plane.nacks == []
            await control_plane.stop()

    asyncio.run(scenario())


@pytest.mark.parametrize("sotw", [False, True], ids=["delta", "sotw"])
def test_ports_stay_closed_until_the_application_is_ready(tmp_path: Path, sotw: bool) -> None:
    async def scenario() -> None:
        control_plane = ControlPlane()
        chosen = options(control_plane, tmp_path, envoy=EnvoyOptions(concurrency=1, sotw=sotw))
        control_plane.resources = resources_for(chosen)
        async with control_plane, running(chosen) as first:
            await ready(control_plane, first)
            await first.end()
        start = tmp_path / "start"
        late = ("sh", "-c", 'until [ -e "$0" ]; do sleep 0.05; done; exec "$@"', str(start), *echo("a"))
        async with running(replace(chosen, token="", command=late)) as second:
            await until(lambda: second.answers("/too-early", status=503), second)
            with pytest.raises(ConnectionRefusedError):
                await asyncio.open_connection(chosen.address, PORT)
            start.touch()
            await until(lambda: second.answers("/in-time"), second)

    asyncio.run(scenario())


def test_nothing_is_sent_again_to_who_has_it(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with ControlPlane() as control_plane:
            chosen = options(control_plane, tmp_path)
            control_plane.resources = resources_for(chosen)
            async with running(chosen) as sidecar:
                await ready(control_plane, sidecar)
                for _ in range(2):
                    control_plane.sent.clear()
                    streams = len(control_plane.nodes)
                    await control_plane.stop()
                    assert (await sidecar.call("/away")).status == 200
                    await control_plane.start()
                    await until(partial(has_more, control_plane.nodes, streams), sidecar)
                    await until(lambda: control_plane.open_registrations == 1, sidecar)
                    assert control_plane.sent == []

    asyncio.run(scenario())


def test_a_refused_resource_is_not_stored(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with ControlPlane() as control_plane:
            chosen = options(control_plane, tmp_path)
            good = resources_for(chosen)
            bad = listener("outbound-http", chosen.address, OUTBOUND, "", tls=False, inbound=False)
            control_plane.resources = good
            async with running(chosen) as sidecar:
                await ready(control_plane, sidecar)
                control_plane.resources = lambda node: {**good(node), "outbound-http": bad}
                control_plane.push()
                await until(lambda: control_plane.nacks, sidecar)
                await sidecar.end()
        async with running(chosen) as sidecar:
            await until(lambda: sidecar.answers("/last-good"), sidecar)

    asyncio.run(scenario())


def test_who_is_refused_gets_no_configuration_of_old(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with ControlPlane() as control_plane:
            chosen = options(control_plane, tmp_path)
            control_plane.resources = resources_for(chosen)
            async with running(chosen) as sidecar:
                await ready(control_plane, sidecar)
                await sidecar.end()
            control_plane.refusal = (grpc.StatusCode.PERMISSION_DENIED, "this identity is banned")
            async with running(chosen) as sidecar:
                with pytest.raises(RegistrationError, match="this identity is banned"):
                    await sidecar.task
                assert not await sidecar.answers("/")

    asyncio.run(scenario())


def test_a_control_plane_that_says_nothing_is_as_good_as_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passage, "ANSWER_LIMIT", 0.3)

    async def scenario() -> None:
        async with ControlPlane() as control_plane:
            chosen = options(control_plane, tmp_path)
            control_plane.resources = resources_for(chosen)
            async with running(chosen) as sidecar:
                await ready(control_plane, sidecar)
                await sidecar.end()
            control_plane.silent = True
            async with running(chosen) as sidecar:
                await until(lambda: sidecar.answers("/"), sidecar)

    asyncio.run(scenario())


def test_an_envoy_that_starts_while_it_is_away_does_not_wait_for_it_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario() -> None:
        async with ControlPlane() as control_plane:
            chosen = options(control_plane, tmp_path)
            control_plane.resources = resources_for(chosen)
            async with running(chosen) as sidecar:
                await ready(control_plane, sidecar)
                await control_plane.stop()
                await until(lambda: "stored resources are used" in caplog.text, sidecar)
                monkeypatch.setattr(passage, "CONNECT_LIMIT", 3600.0)
                # Connections are taken there and nobody says anything, as if its name were not resolved.
                with socket.create_server((control_plane.address.host, control_plane.address.port)):
                    envoy_of(sidecar).kill()
                    await until(lambda: "Envoy was ended by SIGKILL" in caplog.text, sidecar)
                    await until(lambda: sidecar.answers("/"), sidecar, limit=12.0)  # gRPC gives up after 20

    asyncio.run(scenario())


def test_filters_beside_the_sidecar_need_no_control_plane_either(tmp_path: Path) -> None:
    async def scenario() -> None:
        control_plane = ControlPlane()
        chosen = options(control_plane, tmp_path)
        control_plane.resources = resources_for(chosen)
        spec = str(Path(__file__).parents[3] / "filters" / "examples" / "01_hello" / "filter.py") + ":Hello"
        hello = workloads_pb2.Registered.Filter(name="hello", filter=spec, socket="filter-hello.sock")
        control_plane.filters = [hello]
        async with control_plane, running(chosen) as sidecar:
            await ready(control_plane, sidecar)
            await sidecar.end()
        async with running(chosen) as sidecar:
            await until(lambda: listens(chosen.data / "envoy" / "filter-hello.sock"), sidecar)

    asyncio.run(scenario())


async def listens(path: Path) -> bool:
    """Whether somebody takes connections there; Envoy asks from its folder, where the name is shorter."""
    try:
        _, writer = await asyncio.open_unix_connection(os.path.relpath(path.resolve()))
    except OSError:
        return False
    writer.close()
    return True
