"""A whole mesh on this machine: control plane, sidecars, workloads; from nothing, and back to nothing."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Any, Self

from meshext_controlplane.up.addresses import Addresses
from meshext_controlplane.up.admin_client import SOCKET, AdminClient
from meshext_controlplane.up.errors import UpError
from meshext_controlplane.up.events import Event
from meshext_controlplane.up.folder import MESH, check_mesh, read_workloads
from meshext_controlplane.up.instances import (
    Instance,
    Written,
    build_instances,
    build_sidecar_command,
    name_replicas,
    needed_ports,
)
from meshext_controlplane.up.member import Member, OnEvent
from meshext_controlplane.up.places import Places, made_places
from meshext_controlplane.up.readiness import find_missing
from meshext_controlplane.up.tokens import create_tokens

DISCOVERY, JOINING = 15010, 15011  # TCP ports of the control plane
MESHEXT = (sys.executable, "-m", "meshext")
POLL = 0.1  # seconds between two looks
SIDECAR_GRACE, CONTROL_PLANE_GRACE = 15.0, 5.0  # seconds to end by themselves


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """`folder` has `workloads.yaml` and `mesh/`; `state` is where the mesh keeps its things.

    `limit` is in seconds: for the control plane, and for all workloads together, to be ready. `environment`
    is given to every workload beside its own.
    """

    folder: Path
    state: Path
    limit: float = 60.0
    environment: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


class LocalMesh:
    """An async context manager: entered it is ready, left it is stopped. UpError, or ConfigError for what is
    written, where it can not start; nothing is left running then."""

    def __init__(self, options: Options, on_event: OnEvent) -> None:
        self._options = options
        self._tell = on_event
        self._stack = AsyncExitStack()
        self._control_plane: list[Member] = []
        self._members: list[Member] = []  # sidecars in the order of workloads.yaml
        self._keeping: list[asyncio.Task[None]] = []
        self.instances: list[Instance] = []
        self.control_plane = ""
        self.state = Path()
        self.admin: AdminClient

    async def __aenter__(self) -> Self:
        try:
            await self._start()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._say("stopping", "stopping sidecars, then the control plane")
        await self._stack.aclose()

    async def wait(self) -> None:
        """Until every workload is done, which most never are."""
        await asyncio.gather(*self._keeping)

    def kill(self) -> None:
        """End every process at once; who leaves us then need not wait."""
        for member in (*self._members, *self._control_plane):
            member.kill()

    def facts(self) -> dict[str, Any]:
        """What a program may want to know."""
        return {
            "control_plane": self.control_plane,
            "state": str(self.state),
            "workloads": [
                {
                    "name": each.name,
                    "namespace": each.namespace,
                    "service_account": each.service_account,
                    "address": each.address,
                    "ports": [port.port for port in each.ports],
                    "proxy": each.proxy,
                    "pid": member.pid,
                    "log": str(member.log),
                }
                for each, member in zip(self.instances, self._members, strict=True)
            ],
        }

    async def _start(self) -> None:
        written = read_workloads(self._options.folder)
        check_mesh(self._options.folder)
        places = self._stack.enter_context(made_places(self._options.state))
        self.state = places.control_plane
        addresses = Addresses()
        self._stack.callback(addresses.close)
        self.control_plane = f"{addresses.take((DISCOVERY, JOINING))}:{DISCOVERY}"
        self.instances = [
            instance for each in written for instance in _place(each, addresses, places.sidecars)
        ]
        self._say("stage", f"read {self._options.folder}: {_count(self.instances, 'workload')}")
        control_plane = await self._start_control_plane(places)
        await self._start_sidecars(places)
        await self._wait_ready(control_plane)
        members = [control_plane, *self._members]
        keeping = [asyncio.create_task(member.keep(self._tell)) for member in members]
        self._keeping = keeping[1:]
        self._stack.push_async_callback(_end, keeping)
        self._tell(Event(kind="ready", text="the mesh is ready", facts=self.facts()))

    async def _start_control_plane(self, places: Places) -> Member:
        host = self.control_plane.rpartition(":")[0]
        command = [*MESHEXT, "controlplane", "--config", str((self._options.folder / MESH).resolve())]
        command += ["--state", str(places.control_plane)]
        command += ["--listen", self.control_plane, "--join-listen", f"{host}:{JOINING}"]
        member = Member(
            "controlplane",
            command,
            places.log("controlplane"),
            environment=_environment(),
            folder=self._options.folder,
        )
        self._control_plane.append(member)
        self._stack.push_async_callback(member.stop, CONTROL_PLANE_GRACE)
        await member.start()
        self.admin = await self._stack.enter_async_context(AdminClient(places.control_plane))
        await self._until(self.admin.answers, [member], member)
        self._say("stage", f"control plane at {self.control_plane}, socket {places.control_plane / SOCKET}")
        return member

    async def _start_sidecars(self, places: Places) -> None:
        tokens = await asyncio.to_thread(create_tokens, places.control_plane, self.instances)
        for instance in self.instances:
            command = build_sidecar_command(instance, MESHEXT, self.control_plane)
            environment = {**_environment(), **self._options.environment, **instance.environment}
            log = places.log(instance.node)
            self._members.append(
                Member(instance.node, command, log, environment=environment, folder=instance.folder)
            )
        self._stack.push_async_callback(self._stop_sidecars)
        for member, token in zip(self._members, tokens, strict=True):
            await member.start(MESHEXT_TOKEN=token)
        self._say("stage", f"{_count(self._members, 'sidecar')} started, each with a token of its own")

    async def _wait_ready(self, control_plane: Member) -> None:
        missing: dict[str, str] = {}

        async def ready() -> bool:
            nonlocal missing
            look, status = await asyncio.gather(self.admin.look(), self.admin.proxies())
            missing = find_missing(self.instances, look, status)
            return not missing

        try:
            await self._until(ready, [control_plane, *self._members], None)
        except TimeoutError:
            first = next(member for member in self._members if member.name in missing)
            told = [f"{node}: {what}" for node, what in missing.items()]
            raise UpError("\n".join([*told, f"the end of {first.log}:", *first.last_lines()])) from None

    async def _until(self, done: Any, needed: Sequence[Member], culprit: Member | None) -> None:
        """Until it is done; UpError where one that is needed ends, or the culprit takes too long."""
        try:
            async with asyncio.timeout(self._options.limit):
                while not await done():
                    for member in needed:
                        member.check()
                    await asyncio.sleep(POLL)
        except TimeoutError:
            if culprit is None:
                raise
            raise culprit.failure() from None

    async def _stop_sidecars(self) -> None:
        await asyncio.gather(*(member.stop(SIDECAR_GRACE) for member in self._members))

    def _say(self, kind: str, text: str) -> None:
        self._tell(Event(kind=kind, text=text))


def _place(written: Written, addresses: Addresses, data: Path) -> list[Instance]:
    ports = needed_ports(written.document)
    taken = [addresses.take(ports) for _ in name_replicas(written.document)]
    return build_instances(written, taken, data)


def _environment() -> dict[str, str]:
    """`python` is the one that runs us, so that what is installed beside meshext is found."""
    here = os.path.dirname(sys.executable)
    return {"PATH": os.pathsep.join(part for part in (here, os.environ.get("PATH", "")) if part)}


def _count(things: Sequence[object], what: str) -> str:
    return f"1 {what}" if len(things) == 1 else f"{len(things)} {what}s"


async def _end(tasks: Sequence[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
