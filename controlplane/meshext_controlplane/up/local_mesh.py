"""A whole mesh on this machine: control plane, sidecars, workloads; from nothing, and back to nothing."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from meshext_controlplane.up.addresses import Addresses
from meshext_controlplane.up.admin_client import SOCKET, AdminClient
from meshext_controlplane.up.commands import (
    build_control_plane_command,
    build_environment,
    build_sidecar_command,
)
from meshext_controlplane.up.errors import UpError
from meshext_controlplane.up.events import Event
from meshext_controlplane.up.facts import tell_facts
from meshext_controlplane.up.folder import MESH, check_mesh, read_workloads
from meshext_controlplane.up.instances import (
    Instance,
    Written,
    build_instances,
    find_open_ports,
    name_replicas,
    needed_ports,
)
from meshext_controlplane.up.member import Member, OnEvent
from meshext_controlplane.up.options import Options
from meshext_controlplane.up.places import Places, made_places
from meshext_controlplane.up.readiness import find_missing
from meshext_controlplane.up.tokens import create_tokens

DISCOVERY, JOINING = 15010, 15011  # TCP ports of the control plane
POLL = 0.1  # seconds between two looks
SIDECAR_GRACE, CONTROL_PLANE_GRACE = 15.0, 5.0  # seconds to end by themselves


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

    @property
    def documents(self) -> Path:
        """The folder of the mesh's documents, which is watched."""
        return (self._options.folder / MESH).resolve()

    @property
    def logs(self) -> Path:
        """The folder of what each process has written."""
        return self._options.state / "logs"

    @property
    def joining(self) -> str:
        """Where workloads join: `HOST:PORT`."""
        return f"{self.control_plane.rpartition(':')[0]}:{JOINING}"

    @property
    def control_plane_pid(self) -> int:
        """The process id of the control plane that runs now, or ran last."""
        return self._control_plane[0].pid

    def crash_control_plane(self) -> None:
        """Kill the control plane as if it had crashed; it is started again."""
        os.kill(self.control_plane_pid, signal.SIGKILL)

    async def is_ready(self) -> bool:
        """Whether the control plane answers, and every workload is ready with all of its configuration."""
        return not await self._find_missing()

    def kill(self) -> None:
        """End every process at once; who leaves us then need not wait."""
        for member in (*self._members, *self._control_plane):
            member.kill()

    def facts(self) -> dict[str, Any]:
        """What a program may want to know."""
        members = [*zip(self.instances, self._members, strict=True)]
        return tell_facts(members, control_plane=self.control_plane, state=self.state)

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
        for warning in find_open_ports(self.instances):
            self._say("warning", warning)
        control_plane = await self._start_control_plane(places)
        await self._start_sidecars(places)
        await self._wait_ready(control_plane)
        members = [control_plane, *self._members]
        keeping = [asyncio.create_task(member.keep(self._tell)) for member in members]
        self._keeping = keeping[1:]
        self._stack.push_async_callback(_end, keeping)
        self._tell(Event(kind="ready", text="the mesh is ready", facts=self.facts()))

    async def _start_control_plane(self, places: Places) -> Member:
        command = build_control_plane_command(
            documents=self.documents,
            state=places.control_plane,
            listen=self.control_plane,
            joining=self.joining,
        )
        member = Member(
            "controlplane",
            command,
            places.log("controlplane"),
            environment=build_environment(),
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
            command = build_sidecar_command(instance, self.control_plane)
            environment = {**build_environment(), **self._options.environment, **instance.environment}
            log = places.log(instance.node)
            self._members.append(
                Member(instance.node, command, log, environment=environment, folder=instance.folder)
            )
        self._stack.push_async_callback(self._stop_sidecars)
        for member, token in zip(self._members, tokens, strict=True):
            await member.start(MESHEXT_TOKEN=token)
        self._say("stage", f"{_count(self._members, 'sidecar')} started, each with a token of its own")

    async def _wait_ready(self, control_plane: Member) -> None:
        async def ready() -> bool:
            return not await self._find_missing()

        try:
            await self._until(ready, [control_plane, *self._members], None)
        except TimeoutError:
            missing = await self._find_missing()
            first = next(member for member in self._members if member.name in missing)
            told = [f"{node}: {what}" for node, what in missing.items()]
            raise UpError("\n".join([*told, f"the end of {first.log}:", *first.last_lines()])) from None

    async def _find_missing(self) -> dict[str, str]:
        standing = await self.admin.standing()
        if standing is None:
            return dict.fromkeys((each.node for each in self.instances), "the control plane does not answer")
        return find_missing(self.instances, *standing)

    async def _until(
        self, done: Callable[[], Awaitable[bool]], needed: Sequence[Member], culprit: Member | None
    ) -> None:
        """Until it is done; UpError where one that is needed ends, or the culprit takes too long."""
        try:
            async with asyncio.timeout(self._options.limit):
                while True:
                    begun = asyncio.get_running_loop().time()
                    if await done():
                        return
                    for member in needed:
                        member.check()
                    # Looking is work for the control plane, which has others to see to just now.
                    await asyncio.sleep(max(POLL, 3 * (asyncio.get_running_loop().time() - begun)))
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


def _count(things: Sequence[object], what: str) -> str:
    return f"1 {what}" if len(things) == 1 else f"{len(things)} {what}s"


async def _end(tasks: Sequence[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
