"""Sidecars for tests: in this process, each at a loopback address of its own."""

from __future__ import annotations

import asyncio
import itertools
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import h11
import psutil

from meshext.envoy.admin import Admin
from meshext.sandbox.client import Answer, send
from meshext_controlplane.agent.options import EnvoyOptions, Leaving, SidecarOptions
from meshext_controlplane.agent.probes import Pace, default_probes
from meshext_controlplane.agent.running import run_agent
from meshext_controlplane.agent.stopping import Stop
from meshext_controlplane.model.workload import WorkloadPort
from meshext_controlplane.snapshot import Resource
from meshext_proto.meshext import workloads_pb2
from tests.controlplane.agent.control_plane import ControlPlane
from tests.controlplane.agent.resources import cluster, listener

LIMIT = 30.0  # seconds
PORT, OUTBOUND = 8080, 15001

_count = itertools.count(1)


def own_address() -> str:
    """A loopback address that nobody else uses."""
    return f"127.{20 + os.getpid() % 200}.{os.getpid() // 200 % 250}.{next(_count) % 250 + 1}"


def identity(name: str) -> str:
    return f"spiffe://mesh.test/ns/shop/sa/{name}"


def echo(name: str) -> tuple[str, ...]:
    """The command of an application that echoes; it listens where it is told."""
    program = (
        "import os, runpy, sys; sys.argv = ['echo', '--name', sys.argv[1], '--listen',"
        " os.environ['MESHEXT_LISTEN']]; runpy.run_module('meshext.envoy.echo', run_name='__main__')"
    )
    return (sys.executable, "-c", program, name)


def options(control_plane: ControlPlane, folder: Path, name: str = "a", **more: Any) -> SidecarOptions:
    """A sidecar that joins with a token of its own; `more` replaces what it would be."""
    data = folder / name
    port = WorkloadPort(number=PORT, application=f"unix:{data}/app.sock", protocol="http")
    made = SidecarOptions(
        control_plane=control_plane.address,
        join=control_plane.join_address,
        token=control_plane.token(identity(name), secret=name),
        name=name,
        address=own_address(),
        ports=(port,),
        probes=default_probes([port]),
        pace=Pace(period=0.1),
        data=data,
        command=echo(name),
        envoy=EnvoyOptions(concurrency=1),
        leaving=Leaving(delay=0.0, drain=5.0, grace=5.0),
    )
    return replace(made, **more)


def resources_for(*sidecars: SidecarOptions) -> Callable[[str], dict[str, Resource]]:
    """What a mesh of these gives to each node: its port, and the proxy, which knows the last one of them."""
    nodes = {f"{each.name}.shop": each for each in sidecars}

    def resources(node: str) -> dict[str, Resource]:
        if node not in nodes:
            return {}
        own, peer = nodes[node], sidecars[-1]
        found = [
            cluster("inbound", own.ports[0].application, 0, tls=False),
            listener("inbound-8080", own.address, PORT, "inbound", tls=True),
            cluster("outbound", peer.address, PORT, tls=True),
            listener("outbound-http", own.address, OUTBOUND, "outbound", tls=False, inbound=False),
        ]
        return {each.name: each for each in found}

    return resources


class Running:
    """A sidecar that runs."""

    def __init__(self, options: SidecarOptions) -> None:
        self.options = options
        self.stop = Stop()
        self.task = asyncio.create_task(run_agent(options, self.stop))

    async def end(self) -> int:
        """Stop it in order; its exit code."""
        self.stop.ask()
        async with asyncio.timeout(LIMIT):
            return await self.task

    @property
    def admin(self) -> Admin:
        """Envoy's admin interface."""
        return Admin(self.options.data / "envoy" / "admin.sock")

    async def clusters(self) -> set[str]:
        """The names of Envoy's clusters."""
        answer: Any = await self.admin.get_json("/clusters?format=json")
        return {each["name"] for each in answer["cluster_statuses"]}

    async def answers(self, target: str, *, status: int = 200) -> bool:
        """Whether a call is answered so; False where it is not answered."""
        try:
            return (await self.call(target)).status == status
        except (OSError, h11.RemoteProtocolError):
            return False

    async def call(self, target: str = "/", **more: Any) -> Answer:
        """A call of the application through its proxy."""
        return await asyncio.to_thread(
            send, f"http://{self.options.address}:{OUTBOUND}", "GET", target, host="peer", **more
        )


@asynccontextmanager
async def running(options: SidecarOptions) -> AsyncIterator[Running]:
    """A sidecar until the block ends."""
    sidecar = Running(options)
    try:
        yield sidecar
    finally:
        if not sidecar.task.done():
            sidecar.stop.ask()
            sidecar.stop.ask()
        await asyncio.wait({sidecar.task}, timeout=LIMIT)


async def until(
    condition: Callable[[], object | Awaitable[object]], *sidecars: Running, limit: float = LIMIT
) -> None:
    """Wait for it; what a sidecar failed with meanwhile is raised."""
    async with asyncio.timeout(limit):
        while not await _holds(condition()):
            for each in sidecars:
                if each.task.done():
                    raise AssertionError(f"the sidecar ended: {each.task!r}")
            await asyncio.sleep(0.005)


def states(control_plane: ControlPlane, name: str) -> list[str]:
    """Every state that a workload has told, in order."""
    known = workloads_pb2.Registration.State
    return [known.Name(each.state) for each in control_plane.registrations if each.name == name]


async def ready(control_plane: ControlPlane, *sidecars: Running) -> None:
    """Wait until all of them have told so."""

    def last() -> list[list[str]]:
        return [states(control_plane, each.options.name)[-1:] for each in sidecars]

    await until(lambda: last() == [["READY"]] * len(sidecars), *sidecars)


async def _holds(found: object | Awaitable[object]) -> object:
    return await found if isinstance(found, Awaitable) else found


def envoy_of(sidecar: Running) -> psutil.Process:
    (found,) = children(str(sidecar.options.data / "envoy" / "envoy.json"))
    return found


def children(words: str) -> list[psutil.Process]:
    """Processes of ours whose command line has these words."""
    found = []
    for each in psutil.Process().children():
        with suppress(psutil.NoSuchProcess):
            if any(words in part for part in each.cmdline()):
                found.append(each)
    return found
