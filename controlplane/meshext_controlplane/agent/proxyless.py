"""A workload without an Envoy: its gRPC takes the mesh's configuration and speaks mTLS itself.

The agent does what is left: joins, renews, registers, relays configuration, and runs the application.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

from meshext_controlplane.agent.application import tell_identity
from meshext_controlplane.agent.certificate_versions import keep_versions, write_version
from meshext_controlplane.agent.directory import Directory
from meshext_controlplane.agent.grpc_bootstrap import VARIABLE, GrpcSetup, build_grpc_bootstrap
from meshext_controlplane.agent.inbound_gate import InboundGate
from meshext_controlplane.agent.local_server import start_local_server
from meshext_controlplane.agent.member import Member
from meshext_controlplane.agent.options import SidecarOptions
from meshext_controlplane.agent.parts import Parts, unless
from meshext_controlplane.agent.probes import watch
from meshext_controlplane.agent.relay import GRPC_FORMS, Relay
from meshext_controlplane.agent.serving import serve_application
from meshext_controlplane.agent.stopping import Stop
from meshext_controlplane.agent.svid import Svid
from meshext_controlplane.agent.workload_api.service import WorkloadApi
from meshext_controlplane.model.workload import State

SOCKET, CERTIFICATES, BOOTSTRAP = "agent.sock", "certificates", "grpc-bootstrap.json"
"""Names in the workload's folder: where gRPC asks, what it shows to peers, and what tells it of both."""

_CONFIRM = 3.0  # seconds for the control plane to confirm that we leave

log = logging.getLogger("meshext.sidecar")


class Proxyless:
    """One running agent. Its parts run until it ends; one that fails ends it."""

    def __init__(self, options: SidecarOptions, directory: Directory, svid: Svid, api: WorkloadApi) -> None:
        self._options = options
        self._directory = directory
        self._member = Member(options, directory, svid, api)
        self._registration = self._member.registration
        self._parts = Parts()

    @property
    def bootstrap(self) -> str:
        """The file's path, for `$GRPC_XDS_BOOTSTRAP`."""
        return str(self._directory.path / BOOTSTRAP)

    async def live(self, stop: Stop) -> int:
        """From the start to the end; the application's exit code, 0 where there is none."""
        async with self._running():
            # The control plane has nothing for a client whose workload it does not know.
            await self._parts.first(self._registration.tried.wait(), stop.wanted.wait())
            if stop.wanted.is_set():
                return 0
            log.info("ready: %s=%s", VARIABLE, self.bootstrap)
            asking = (self._options.probes, self._options.pace, self._note_answers)
            self._parts.start("probes", watch(*asking, counts=self._member.counts))
            return await self._serve(stop)

    async def _serve(self, stop: Stop) -> int:
        asked = self._options.workload_api
        told = tell_identity(self._member.workload, workload_api=None if asked is None else asked.path)
        environment = {**told, VARIABLE: self.bootstrap}
        leave = partial(self._leave, stop)
        return await serve_application(self._options, environment, self._parts, stop, leave=leave)

    async def _leave(self, stop: Stop) -> None:
        await unless(stop.hurried, asyncio.ensure_future(self._say_goodbye()))

    async def _say_goodbye(self) -> None:
        """Let peers know, and let what they have begun end."""
        self._registration.set_state(State.DRAINING)
        if not self._options.ports:
            return
        log.info("leaving: no new requests")
        if await self._registration.confirmed(State.DRAINING, time_limit=_CONFIRM):
            await asyncio.sleep(self._options.leaving.delay)

    def _note_answers(self, ready: bool) -> None:
        if self._registration.state is not State.DRAINING:
            self._registration.set_state(State.READY if ready else State.UNREADY)

    @asynccontextmanager
    async def _running(self) -> AsyncIterator[None]:
        gate, member = InboundGate(), self._member
        gate.open()  # nothing listens here that could be held back
        relay = Relay(member.control_plane, member.last_good, gate, member.counts, forms=GRPC_FORMS)
        self._write_files()
        async with AsyncExitStack() as stack:
            local = await start_local_server(self._directory.path / SOCKET, [relay.handlers()])
            stack.push_async_callback(local.stop, None)
            stack.push_async_callback(self._parts.end)
            versions = keep_versions(self._directory.path / CERTIFICATES, self._member.credentials)
            self._parts.start("versions", versions)
            self._member.start(self._parts)
            yield

    def _write_files(self) -> None:
        """What gRPC reads, before there is an application that could."""
        folder = self._directory.path
        write_version(folder / CERTIFICATES, self._member.credentials.svid)
        setup = GrpcSetup(
            name=self._options.name,
            identity=self._member.workload.identity,
            agent=folder / SOCKET,
            certificates=folder / CERTIFICATES,
            locality=self._options.locality,
        )
        self._directory.write(BOOTSTRAP, build_grpc_bootstrap(setup).encode())
