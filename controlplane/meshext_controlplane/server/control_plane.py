"""One control plane from start to end: state, authority, documents, workloads, streams."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

import grpc

from meshext.telemetry.families import Family
from meshext_controlplane.identity.authority import CertificateAuthority
from meshext_controlplane.identity.bans import Bans
from meshext_controlplane.identity.clock import utc_now
from meshext_controlplane.identity.enrollment import Enrollment
from meshext_controlplane.identity.jwt_authority import keep_jwt_keys, open_jwt_authority
from meshext_controlplane.identity.jwt_service import TokensService
from meshext_controlplane.identity.own_svid import OwnSvid
from meshext_controlplane.identity.services import JoiningService, RenewalService
from meshext_controlplane.identity.trust_feed import TrustFeed
from meshext_controlplane.model.mesh import Mesh
from meshext_controlplane.model.proxy import Proxy
from meshext_controlplane.model.workload import Workload
from meshext_controlplane.server.admin import AdminService
from meshext_controlplane.server.configuring import Configuring, Plans
from meshext_controlplane.server.gates import Gates
from meshext_controlplane.server.lingering import Lingering
from meshext_controlplane.server.metrics import Counts
from meshext_controlplane.server.options import ControlPlaneOptions
from meshext_controlplane.server.parts import Parts
from meshext_controlplane.server.ports import Ports
from meshext_controlplane.server.registering import Registering
from meshext_controlplane.server.registry import Registry, to_key, to_node_id
from meshext_controlplane.server.remembering import Remembering
from meshext_controlplane.server.serving import Serving, Translation
from meshext_controlplane.server.standing import Standing
from meshext_controlplane.server.stored import StoredDocuments, StoredRegistrations
from meshext_controlplane.sources.configuration import Configuration
from meshext_controlplane.state.store import StateStore
from meshext_controlplane.state.worker import StateThread
from meshext_controlplane.translate.translator import Translator
from meshext_controlplane.xds.ads import AdsService
from meshext_controlplane.xds.hub import Hub
from meshext_controlplane.xds.memory import Memory

log = logging.getLogger("meshext.controlplane")

LAST_GOOD = "last_good.json"
"""What of the folder was last in force, in the state's directory."""

LOOK = 1.0  # seconds between two looks at workloads whose grace period ends


class ControlPlane:
    """Everything between the state and the ports. `running` serves as long as its block lasts."""

    def __init__(
        self,
        options: ControlPlaneOptions,
        store: StateStore,
        authority: CertificateAuthority,
        *,
        counts: Counts | None = None,
    ) -> None:
        self._thread = StateThread()
        self.authority = authority
        self._options = options
        self.counts = counts or Counts()
        self.serving = Serving(translate, Lingering(clock=time.monotonic, later=self._look_again))
        memory = Memory()
        self._remembering = Remembering(memory, options.state)
        self.hub = Hub(self.serving.snapshot_of, observer=self.counts, memory=memory)
        self._registrations = StoredRegistrations(
            store, self._thread, time.time, forgotten=lambda key: memory.forget(to_node_id(key))
        )
        self.registry = Registry(self._registrations, clock=time.monotonic, changed=self._populate)
        documents = StoredDocuments(store, self._thread, time.time)
        self.configuring = Configuring(
            options.config,
            documents,
            clock=time.time,
            changed=self._configure,
            memory=options.state / LAST_GOOD,
        )
        self._own = OwnSvid(authority)
        self._enrollment = Enrollment(store, authority, life=options.life)
        self._feed = TrustFeed(store, authority, self._thread)
        self._jwt = open_jwt_authority(store, authority, secret=options.secret)
        self._standing = Standing(
            Bans(store, authority), self._thread, trust_domain=authority.trust_domain, clock=utc_now
        )
        self._gates = Gates(self._standing, self._enrollment, self._thread, self.registry.find, options.roles)
        admit = self._gates.admit_workload
        self._registering = Registering(self.registry, admit, self.serving, ended=self._release)
        self._ports, self._loaded = Ports(options), False
        self._show_gauges()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Ports]:
        """Load everything, then serve; streams are ended with the block, and proxies keep what they have."""
        async with AsyncExitStack() as stack:
            stack.callback(self._thread.close)
            stack.push_async_callback(self._remembering.finish)
            await self._load()
            stack.push_async_callback(self._registrations.finish)
            parts = Parts(self._recover)
            stack.push_async_callback(parts.stop)
            for part in (
                self.hub.run,
                self.configuring.watch,
                self.configuring.retry_filters,
                self._feed.follow,
                partial(keep_jwt_keys, self._jwt, self._thread, self._feed.notify),
                partial(self._standing.follow, self._feed, self._enforce),
                self._expire,
                self._remembering.run,
            ):
                parts.start(part)
            await stack.enter_async_context(self._serve())
            await stack.enter_async_context(self._ports.showing(self._gather, {b"/ready": self._tell_ready}))
            yield self._ports

    @property
    def ready(self) -> bool:
        """Whether the last configuration is loaded and served."""
        return self._loaded and self._ports.open

    def proxies(self) -> list[Proxy]:
        """Those that are connected, as their workloads have registered last."""
        return self.hub.proxies()

    def _show_gauges(self) -> None:
        gauge = self.counts.gauge
        gauge("ready", "1 where the last configuration is loaded and served.", lambda: self.ready)
        gauge("workloads", "Workloads that have registered.", lambda: len(self.registry.workloads))
        gauge("proxies", "Proxies that are connected.", lambda: len(self.hub.proxies()))
        gauge(
            "filters_held",
            "Filters that workloads go on without, as their services do not run yet.",
            lambda: self.serving.holding.count,
        )
        gauge(
            "configuration_problems",
            "Mistakes in what is written; the last good version of each document is served.",
            lambda: len(self.configuring.configuration.problems),
        )
        gauge(
            "certificate_seconds_left",
            "Until the control plane's own certificate expires.",
            lambda: (self._own.not_after - utc_now()).total_seconds(),
        )

    async def _load(self) -> None:
        """Documents and workloads before the first stream, so that nothing seems to have gone."""
        await self._thread.run(self._jwt.ensure)
        await self._standing.load()
        self.serving.ban(self._standing.banned_identities)
        await self.configuring.load()
        self.registry.restore(await self._registrations.load())
        await self._remembering.load()
        self.hub.memory.retain({to_node_id(to_key(each)) for each in self.registry.workloads})
        self._populate()
        self._loaded = True

    @asynccontextmanager
    async def _serve(self) -> AsyncIterator[None]:
        gates = self._gates
        ads = [
            AdsService(self.hub, gates.admit_proxy).handlers(),
            self._registering.handlers(),
            *RenewalService(self._enrollment, self._thread, self._feed).handlers(),
            *TokensService(self._jwt, self._thread).handlers(),
        ]
        join = list(JoiningService(self._enrollment, self._thread).handlers())
        admin = AdminService(self.configuring, self.serving, self.hub, self.proxies, ready=lambda: self.ready)
        remote = [admin.handlers(gates.admit_operator)]
        local = [admin.handlers()]
        async with self._ports.serving(self._own, ads=ads, join=join, admin=local, remote_admin=remote):
            yield

    async def _gather(self) -> list[Family]:
        return self.counts.families()

    def _tell_ready(self) -> tuple[int, str]:
        return (200, "ready") if self.ready else (503, "not ready: the configuration is not served yet")

    def _configure(self, configuration: Configuration, plans: Plans) -> None:
        config = configuration.config
        domain = self.authority.trust_domain
        if config.trust_domain != domain:
            log.error(
                "MeshConfig says trustDomain %s; the authority is for %s, which stays",
                config.trust_domain,
                domain,
            )
            config = config.model_copy(update={"trust_domain": domain})
        self.serving.configure(config, configuration.documents, plans)
        self.hub.notify("configuration")
        self._registering.refresh()

    def _populate(self) -> None:
        self.serving.populate(self.registry.workloads)
        self.hub.notify("endpoints")

    def _release(self, workload: Workload) -> None:
        """An agent has gone, for all we know: what comes in its place has every filter from the start."""
        if self.serving.holding.release(to_key(workload)):
            self.hub.notify("endpoints")

    def _look_again(self, seconds: float) -> None:
        asyncio.get_running_loop().call_later(seconds + LOOK, self.hub.notify, "configuration")

    def _enforce(self) -> None:
        """Bans have changed: whoever is banned now loses his streams and his place among the endpoints."""
        standing = self._standing
        if standing.banned_identities != self.serving.mesh.banned:
            self.serving.ban(standing.banned_identities)
            self.hub.notify("configuration")
        for identity in {workload.identity for workload in self.registry.workloads}:
            if standing.is_banned(identity):
                self.registry.banish(identity)
        self._registering.expel(standing.is_banned_peer)
        self.hub.disconnect(
            standing.is_banned_proxy, code=grpc.StatusCode.PERMISSION_DENIED, text="this proxy is banned"
        )

    def _recover(self) -> None:
        """A part has failed and begins again: what it may have left half done is done anew."""
        self.counts.part_failed()
        self.hub.notify("configuration")

    async def _expire(self) -> None:
        while True:
            await asyncio.sleep(LOOK)
            self.registry.expire()
            await self._thread.run(self._own.refresh)  # or it would be renewed only at the next handshake


def translate(mesh: Mesh, before: Translation | None) -> Translation:
    """The translation of a mesh."""
    return Translator(mesh, previous=before if isinstance(before, Translator) else None)
