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
from meshext_controlplane.agent.certificate_files import keep_written
from meshext_controlplane.agent.certificate_versions import keep_versions, write_version
from meshext_controlplane.agent.channels import ControlPlane
from meshext_controlplane.agent.credentials import Credentials
from meshext_controlplane.agent.directory import Directory, store_svid
from meshext_controlplane.agent.gauges import show_certificate, show_registration
from meshext_controlplane.agent.grpc_bootstrap import VARIABLE, GrpcSetup, build_grpc_bootstrap
from meshext_controlplane.agent.inbound_gate import InboundGate
from meshext_controlplane.agent.local_server import start_local_server
from meshext_controlplane.agent.metrics_port import bind, show
from meshext_controlplane.agent.options import SidecarOptions
from meshext_controlplane.agent.parts import Parts, unless
from meshext_controlplane.agent.probes import watch
from meshext_controlplane.agent.registration import Registration
from meshext_controlplane.agent.relay import GRPC_FORMS, Relay
from meshext_controlplane.agent.renewal import keep_renewed
from meshext_controlplane.agent.serving import serve_application
from meshext_controlplane.agent.stopping import Stop
from meshext_controlplane.agent.storing import fingerprint, keep_stored, load_last_good
from meshext_controlplane.agent.svid import Svid
from meshext_controlplane.agent.trust import keep_trust
from meshext_controlplane.agent.workload_api.service import WorkloadApi
from meshext_controlplane.agent.workload_api.tokens import Tokens
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
        self._credentials = Credentials(svid)
        self._control_plane = ControlPlane(options.control_plane, self._credentials)
        api.identify(self._credentials, Tokens(self._control_plane))
        self._workload = options.workload(svid.identity)
        self._made_for = fingerprint(self._workload, outbound=0)
        self._last_good = load_last_good(directory, self._made_for)
        self._counts = api.counts
        self._registration = Registration(self._control_plane, self._workload)
        self._parts = Parts()
        show_certificate(self._counts, self._credentials)
        show_registration(self._counts, self._registration)

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
            self._parts.start("probes", watch(*asking, counts=self._counts))
            return await self._serve(stop)

    async def _serve(self, stop: Stop) -> int:
        asked = self._options.workload_api
        told = tell_identity(self._workload, workload_api=None if asked is None else asked.path)
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
        gate, counts, options = InboundGate(), self._counts, self._options
        gate.open()  # nothing listens here that could be held back
        relay = Relay(self._control_plane, self._last_good, gate, counts, forms=GRPC_FORMS)
        self._write_files()
        async with AsyncExitStack() as stack:
            local = await start_local_server(self._directory.path / SOCKET, [relay.handlers()])
            stack.push_async_callback(local.stop, None)
            stack.push_async_callback(self._parts.end)
            start = self._parts.start
            if (address := options.metrics) is not None:
                start("metrics", show(bind(address), counts, self._page))
            if (folder := options.certificates) is not None:
                start("files", keep_written(folder, self._credentials))
            start("versions", keep_versions(self._directory.path / CERTIFICATES, self._credentials))
            start("renewal", keep_renewed(self._control_plane, self._keep, counts=counts))
            start("trust", keep_trust(self._control_plane, self._keep, counts=counts))
            start("storing", keep_stored(self._directory, self._last_good, self._made_for))
            start("registration", self._registration.run())
            yield

    def _write_files(self) -> None:
        """What gRPC reads, before there is an application that could."""
        folder = self._directory.path
        write_version(folder / CERTIFICATES, self._credentials.svid)
        setup = GrpcSetup(
            name=self._options.name,
            identity=self._workload.identity,
            agent=folder / SOCKET,
            certificates=folder / CERTIFICATES,
            locality=self._options.locality,
        )
        self._directory.write(BOOTSTRAP, build_grpc_bootstrap(setup).encode())

    def _page(self) -> tuple[int, str]:
        state = self._registration.state
        return (200 if state is State.READY else 503), state.name

    def _keep(self, svid: Svid) -> None:
        store_svid(self._directory, svid)
