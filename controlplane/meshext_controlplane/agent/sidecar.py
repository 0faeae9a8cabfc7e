"""A sidecar's life: certificate, local SDS, Envoy, registration, application; and all of it in reverse."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

from meshext_controlplane.agent.application import build_environment
from meshext_controlplane.agent.bootstrap import EnvoySetup, build_bootstrap
from meshext_controlplane.agent.directory import Directory
from meshext_controlplane.agent.envoy import EnvoyKeeper
from meshext_controlplane.agent.filters import FilterKeeper, WantedFilter
from meshext_controlplane.agent.gauges import show_parts
from meshext_controlplane.agent.inbound_gate import InboundGate
from meshext_controlplane.agent.local_server import start_local_server
from meshext_controlplane.agent.member import Member
from meshext_controlplane.agent.options import SidecarOptions
from meshext_controlplane.agent.parts import Parts, unless
from meshext_controlplane.agent.probes import watch
from meshext_controlplane.agent.relay import Relay
from meshext_controlplane.agent.sds import SecretService
from meshext_controlplane.agent.serving import serve_application
from meshext_controlplane.agent.stopping import Stop
from meshext_controlplane.agent.storing import (
    load_filters,
    store_filters,
)
from meshext_controlplane.agent.svid import Svid
from meshext_controlplane.agent.workload_api.service import WorkloadApi
from meshext_controlplane.model.proxy import Transparent
from meshext_controlplane.model.workload import State

SOCKET, ENVOY = "agent.sock", "envoy"
"""Names in the sidecar's folder: the socket that Envoy asks, and Envoy's folder, with its admin socket."""

_CONFIRM = 3.0  # seconds for the control plane to confirm that we leave

log = logging.getLogger("meshext.sidecar")


class Sidecar:
    """One running sidecar. Its parts run until it ends; one that fails ends it."""

    def __init__(self, options: SidecarOptions, directory: Directory, svid: Svid, api: WorkloadApi) -> None:
        self._options = options
        self._directory = directory
        rules = options.interception
        self._transparent = None if rules is None else Transparent(rules.inbound, rules.dns)
        self._member = Member(
            options,
            directory,
            svid,
            api,
            outbound=options.outbound,
            transparent=self._transparent,
            on_filters=self._want,
        )
        self._registration = self._member.registration
        self._gate = InboundGate()
        self._answers = False
        self._leaves = False
        self._filters = FilterKeeper(
            directory.path / ENVOY,
            drain_time=options.leaving.drain,
            on_change=self._judge,
            counts=self._member.counts,
        )
        self._envoy = EnvoyKeeper(
            build_bootstrap(self._setup()),
            directory.path / ENVOY,
            options.envoy,
            on_change=self._judge,
            drain_time=options.leaving.drain,
            counts=self._member.counts,
            before_again=self._own_up,
        )
        show_parts(self._member.counts, self._envoy, self._filters, self._member.last_good)
        self._parts = Parts()

    async def live(self, stop: Stop) -> int:
        """From the start to the end; the application's exit code, 0 where there is none."""
        async with self._running():
            await self._parts.first(self._envoy.started.wait(), stop.wanted.wait())
            if stop.wanted.is_set():
                return 0
            log.info("Envoy is ready at %s%s", self._options.address, self._way())
            asking = (self._options.probes, self._options.pace, self._note_answers)
            self._parts.start("probes", watch(*asking, counts=self._member.counts))
            return await self._serve(stop)

    async def _serve(self, stop: Stop) -> int:
        """With Envoy ready: run the application to its end."""
        asked = self._options.workload_api
        environment = build_environment(
            self._member.workload,
            outbound=self._options.outbound,
            workload_api=None if asked is None else asked.path,
        )
        leave = partial(self._leave, stop)
        return await serve_application(self._options, environment, self._parts, stop, leave=leave)

    async def _leave(self, stop: Stop) -> None:
        """Let peers know, let what is open end; at once where that is asked for."""
        leaving = asyncio.ensure_future(self._say_goodbye())
        await unless(stop.hurried, leaving)

    async def _say_goodbye(self) -> None:
        self._leaves = True
        self._judge()
        if not (self._options.ports or self._options.gateway):
            return
        log.info("leaving: no new requests")
        told = await self._registration.confirmed(State.DRAINING, time_limit=_CONFIRM)
        if told:
            await asyncio.sleep(self._options.leaving.delay)
        await self._envoy.drain(time_limit=self._options.leaving.drain, told=told)

    @asynccontextmanager
    async def _running(self) -> AsyncIterator[None]:
        member = self._member
        relay = Relay(member.control_plane, member.last_good, self._gate, member.counts)
        handlers = [service.handlers() for service in (SecretService(member.credentials), relay)]
        async with AsyncExitStack() as stack:
            local = await start_local_server(self._directory.path / SOCKET, handlers)
            stack.push_async_callback(local.stop, None)
            stack.push_async_callback(self._parts.end)
            stack.push_async_callback(self._filters.stop)
            stack.push_async_callback(self._envoy.stop)
            self._member.start(self._parts)
            self._parts.start("envoy", self._run_envoy())
            yield

    async def _run_envoy(self) -> None:
        # The control plane has nothing for a proxy whose workload it does not know.
        await self._registration.tried.wait()
        if self._registration.known is None:
            self._filters.want(load_filters(self._directory, self._member.made_for))
        await self._envoy.run()

    async def _own_up(self) -> None:
        """An Envoy that begins anew must not be taken for the one that served without a held filter."""
        if self._filters.held and self._registration.known is State.READY:
            await self._registration.confirmed(State.UNREADY, time_limit=_CONFIRM)

    def _want(self, filters: Iterable[WantedFilter], held: frozenset[str]) -> None:
        """Run the filters that the control plane asks for, and remember which, for when it is away."""
        wanted = list(filters)
        self._filters.want(wanted, held=held)
        if wanted != load_filters(self._directory, self._member.made_for):
            store_filters(self._directory, wanted, self._member.made_for)

    def _setup(self) -> EnvoySetup:
        options = self._options
        return EnvoySetup(
            name=options.name,
            identity=self._member.workload.identity,
            outbound=options.outbound,
            agent=self._directory.path / SOCKET,
            admin=self._directory.path / ENVOY / "admin.sock",
            locality=options.locality,
            sotw=options.envoy.sotw,
            stats=options.envoy.stats,
            transparent=self._transparent,
        )

    def _way(self) -> str:
        """How connections come to it, for the log."""
        if self._options.gateway:
            return ""
        way = "its proxy at" if self._transparent is None else "connections are led to"
        return f", {way} port {self._options.outbound}"

    def _note_answers(self, ready: bool) -> None:
        self._answers = ready
        self._judge()

    def _judge(self) -> None:
        """The workload's state follows from its parts'."""
        ready = self._envoy.ready and self._answers and self._filters.ready
        here = State.READY if ready else State.UNREADY
        if ready:
            self._gate.open()
        serving = frozenset(name for name, serves in self._filters.serving.items() if serves)
        self._registration.set_serving(serving)
        self._registration.set_state(State.DRAINING if self._leaves else here)
