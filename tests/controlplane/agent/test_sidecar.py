"""Whole sidecars with the real Envoy, in a mesh of two with STRICT mTLS."""

from __future__ import annotations

import asyncio
import json
import stat
import sys
from pathlib import Path

import h11
import pytest

from meshext.envoy.upstreams import TcpAddress
from meshext.sandbox.client import Answer, send
from meshext_controlplane.agent.options import EnvoyOptions
from tests.controlplane.agent.control_plane import ControlPlane
from tests.controlplane.agent.mesh import (
    PORT,
    envoy_of,
    options,
    own_address,
    ready,
    resources_for,
    running,
    states,
    until,
)

pytestmark = pytest.mark.envoy


def test_two_workloads_talk_and_a_stranger_is_refused(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with ControlPlane() as control_plane:
            first, second = (options(control_plane, tmp_path, name) for name in "ab")
            control_plane.resources = resources_for(first, second)
            async with running(first) as a, running(second) as b:
                await ready(control_plane, a, b)
                answer = await a.call("/hello")
                assert (answer.status, json.loads(answer.text)["upstream"]) == (200, "b")
                with pytest.raises((h11.RemoteProtocolError, OSError)):  # no TLS, no answer
                    await asyncio.to_thread(send, f"http://{second.address}:{PORT}")
                assert await shown("secret", "--data", str(first.data)) > 2
                assert await a.end() == 0
                assert states(control_plane, "a")[-1] == "DRAINING"
                await until(lambda: control_plane.open_registrations == 1)
                files = [path for path in first.data.rglob("*") if not path.is_dir()]
                assert {stat.S_IMODE(path.lstat().st_mode) & 0o077 for path in files} == {0}
                folders = [first.data, *(path for path in first.data.rglob("*") if path.is_dir())]
                assert {stat.S_IMODE(path.stat().st_mode) for path in folders} == {0o700}

    asyncio.run(scenario())


async def shown(kind: str, *words: str) -> int:
    """How many lines a table of the running Envoy has."""
    command = [sys.executable, "-m", "meshext", "proxy-config", kind, *words]
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    output, _ = await process.communicate()
    assert process.returncode == 0
    assert b"spiffe://mesh.test/ns/shop/sa/a" in output
    return len(output.splitlines())


def test_prometheus_gets_statistics_and_nothing_else(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with ControlPlane() as control_plane:
            address = TcpAddress(own_address(), 15090)
            envoy = EnvoyOptions(concurrency=1, stats=address)
            chosen = options(control_plane, tmp_path, command=(), envoy=envoy)
            control_plane.resources = resources_for(chosen)
            async with running(chosen) as sidecar:
                await until(lambda: states(control_plane, "a"), sidecar)
                await until(lambda: asks(address, "/ready"), sidecar)
                found = await ask(address, "/metrics")
                assert (found.status, "envoy_server_live" in found.text) == (200, True)
                for method, target in (
                    ("POST", "/metrics"),
                    ("GET", "/config_dump"),
                    ("POST", "/quitquitquit"),
                ):
                    assert (await ask(address, target, method)).status == 404

    asyncio.run(scenario())


def test_prometheus_gets_what_the_sidecar_knows(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with ControlPlane() as control_plane:
            address = TcpAddress(own_address(), 15091)
            chosen = options(control_plane, tmp_path, metrics=address)
            control_plane.resources = resources_for(chosen)
            async with running(chosen) as sidecar:
                await until(lambda: asks(address, "/ready"), sidecar)
                found = await numbers(address)
                assert 0 < found["certificate_seconds_left"] <= 86_400
                assert found['configuration_source{source="control_plane"}'] == 1
                assert found['workload_state{state="READY"}'] == found["envoy_up"] == 1
                assert found['probes_total{result="done"}'] > 0
                assert found["envoy_ends_total"] == 0
                await until(lambda: has(address, "registered", 1), sidecar)
                envoy_of(sidecar).kill()
                await until(lambda: has(address, "envoy_ends_total", 1), sidecar)
                await until(lambda: has(address, "envoy_up", 1), sidecar)
                await control_plane.stop()
                await until(lambda: has(address, "registered", 0), sidecar)
                await until(lambda: has(address, 'configuration_source{source="stored"}', 1), sidecar)

    asyncio.run(scenario())


async def numbers(address: TcpAddress) -> dict[str, float]:
    """The sidecar's metrics by name and labels."""
    lines = (await ask(address, "/metrics")).text.splitlines()
    pairs = (line.rsplit(" ", 1) for line in lines if line.startswith("meshext_sidecar_"))
    return {name.removeprefix("meshext_sidecar_"): float(value) for name, value in pairs}


async def has(address: TcpAddress, name: str, value: float) -> bool:
    return (await numbers(address))[name] == value


async def ask(address: TcpAddress, target: str, method: str = "GET") -> Answer:
    return await asyncio.to_thread(send, f"http://{address}", method, target)


async def asks(address: TcpAddress, target: str) -> bool:
    try:
        return (await ask(address, target)).status == 200
    except OSError:
        return False
