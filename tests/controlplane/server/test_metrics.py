"""The control plane's own health as Prometheus and probes see it: what is promised, by name."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest

from meshext.hosts.address import Address
from meshext.sandbox.client import Answer, send
from meshext_controlplane.snapshot import CLUSTER
from tests.controlplane.server.test_control_plane import SERVICE, Running, run

NOWHERE = Address(host="127.0.0.1", port=0)
LINE = re.compile(r"^meshext_controlplane_(\S+) (\S+)$", re.MULTILINE)
DELAYED = SERVICE.replace("port: 80,", "port: 81,")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "state"


async def ask(running: Running, path: str) -> Answer:
    return await asyncio.to_thread(send, f"http://{running.ports.metrics}", "GET", path)


async def numbers(running: Running) -> dict[str, float]:
    """What is shown, without the prefix that all names share."""
    text = (await ask(running, "/metrics")).text
    return {name: float(value) for name, value in LINE.findall(text)}


async def shows(running: Running, name: str, value: float) -> dict[str, float]:
    """Everything, as soon as one number is that."""
    async with asyncio.timeout(20):
        while (found := await numbers(running)).get(name) != value:
            pass
    return found


def test_what_is_promised_is_shown(folder: Path) -> None:
    async def scenario(running: Running) -> None:
        member = await running.member("checkout")
        before = await numbers(running)
        assert (before["proxies"], before["workloads"], before["streams"]) == (0, 0, 0)
        assert before["ready"] == 1
        assert before['nacks_total{type="Cluster"}'] == before['nacks_total{type="Listener"}'] == 0
        assert 0 < before["certificate_seconds_left"] <= 86_400
        assert before["configuration_problems"] == 0
        assert before["store_seconds_count"] >= 1
        async with (
            running.registered(member, "checkout-1"),
            running.stream(member, "checkout-1.shop") as client,
        ):
            await client.ack(await client.hear())
            first = await shows(running, 'push_seconds_count{type="Cluster"}', 1)
            assert (first["proxies"], first["workloads"], first["streams"]) == (1, 1, 1)
            assert first['pushes_total{type="Cluster"}'] == 1
            assert first['push_bytes_count{type="Cluster"}'] == 1
            assert (
                first['push_bytes_sum{type="Cluster"}'] > first['pushed_resources_total{type="Cluster"}'] > 0
            )
            await running.apply(SERVICE)
            await client.ack(await client.hear())
            name = 'convergence_seconds_count{kind="configuration"}'
            second = await shows(running, name, first.get(name, 0) + 1)
            assert second['gathering_seconds_count{kind="configuration"}'] == second[name]
            assert second['convergence_seconds_sum{kind="configuration"}'] > 0
            assert second["store_seconds_count"] > before["store_seconds_count"]
            await running.apply(DELAYED)
            refused: Any = await client.hear()
            await client.say(
                type_url=CLUSTER, response_nonce=refused.nonce, error_detail={"code": 3, "message": "no"}
            )
            await shows(running, 'nacks_total{type="Cluster"}', 1)
        await shows(running, "proxies", 0)

    run(folder, scenario, metrics=NOWHERE)


def test_it_is_ready_while_its_ports_serve_what_is_loaded(folder: Path) -> None:
    async def scenario(running: Running) -> None:
        answer = await ask(running, "/ready")
        assert (answer.status, answer.text) == (200, "ready\n")
        running.control_plane._loaded = False
        answer = await ask(running, "/ready")
        assert (answer.status, answer.text) == (503, "not ready: the configuration is not served yet\n")
        running.control_plane._loaded = True
        running.ports.open = False
        assert (await ask(running, "/ready")).status == 503
        assert (await numbers(running))["ready"] == 0

    run(folder, scenario, metrics=NOWHERE)
