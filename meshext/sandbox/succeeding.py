"""`meshext run --watch`: when a changed filter needs something else of Envoy, the listener is replaced.

A service that answers for other hooks can not take over from the one before, since exchanges that are open
go on as they began. So the new version gets a service and a cluster of its own; then Envoy gets the new
listener, and when the last exchange on the old one has ended, the old service goes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from meshext.errors import EnvoyError, MeshextError
from meshext.plan import build_plan
from meshext.sandbox.service import ServiceProcess

if TYPE_CHECKING:
    from meshext.envoy.admin import Admin
    from meshext.envoy.bootstrap import Gateway
    from meshext.envoy.service_cluster import Backend
    from meshext.plan import Mode

Start = Callable[[int], Awaitable[ServiceProcess]]
"""Starts the service of that number."""

POLL = 0.05  # seconds between two questions to Envoy
LIMIT = 10.0  # seconds for Envoy to take a configuration
REJECTED = ("listener_manager.lds.update_rejected", "cluster_manager.cds.update_rejected")
DRAINING = ("listener_manager.total_filter_chains_draining", "listener_manager.total_listeners_draining")


class Successions:
    """Replaces service and listener, one change after the other."""

    def __init__(
        self,
        folder: Path,
        *,
        mode: Mode | None,
        start: Start,
        asked: asyncio.Event,
        on_line: Callable[[str], None],
        drain: float,
    ) -> None:
        """`asked` is set where a version is there that needs something else; `drain` is in seconds."""
        self._folder = folder
        self._mode = mode
        self._start = start
        self._on_line = on_line
        self._drain = drain
        self._version = 1
        self._asked = asked
        self._retiring: set[asyncio.Task[None]] = set()
        self._backends: list[Backend] = []

    def write(self, gateway: Gateway) -> None:
        """What Envoy finds when it starts."""
        from meshext.envoy.dynamic import write_clusters, write_listener

        assert gateway.service is not None
        self._backends = [gateway.service]
        write_clusters(self._backends, self._folder, self._version)
        write_listener(gateway, self._folder, self._version)

    async def run(self, gateway: Gateway, service: ServiceProcess, admin: Admin) -> None:
        """Replace until cancelled."""
        while True:
            await self._asked.wait()
            self._asked.clear()
            try:
                gateway, service = await self._replace(gateway, service, admin)
            except MeshextError as error:
                self._on_line(f"the change is not taken, the last good version serves on: {error}")

    async def close(self) -> None:
        """Stop what is still about to end."""
        for task in self._retiring:
            task.cancel()
        await asyncio.gather(*self._retiring, return_exceptions=True)

    async def _replace(
        self, gateway: Gateway, service: ServiceProcess, admin: Admin
    ) -> tuple[Gateway, ServiceProcess]:
        from meshext.envoy.dynamic import write_clusters, write_listener
        from meshext.envoy.service_cluster import CLUSTER, Backend
        from meshext.envoy.upstreams import UnixAddress

        self._version += 1
        fresh = await self._start(self._version)
        try:
            backend = Backend(
                addresses=tuple(UnixAddress(each.path) for each in fresh.addresses),
                cluster=f"{CLUSTER}-{self._version}",
            )
            changed = replace(gateway, plan=build_plan(fresh.needs, self._mode), service=backend)
            before = await admin.stats("update_rejected|update_success")
            write_clusters([*self._backends, backend], self._folder, self._version)
            await wait_taken(admin, before, "cluster_manager.cds.update_success")
            self._backends.append(backend)
            write_listener(changed, self._folder, self._version)
            await wait_taken(admin, before, "listener_manager.lds.update_success")
        except BaseException:
            await fresh.stop()
            raise
        assert gateway.service is not None
        retiring = asyncio.create_task(self._retire(gateway.service, service, admin))
        self._retiring.add(retiring)
        retiring.add_done_callback(self._retiring.discard)
        self._on_line("Envoy has a new listener for what the changed filters need")
        return changed, fresh

    async def _retire(self, backend: Backend, service: ServiceProcess, admin: Admin) -> None:
        """End the old service once Envoy asks it no more."""
        from meshext.envoy.dynamic import write_clusters

        service.retired = True
        await wait_for(lambda: is_drained(admin), self._drain + LIMIT)
        self._backends.remove(backend)
        write_clusters(self._backends, self._folder, self._version)
        await service.stop()


async def wait_taken(admin: Admin, before: dict[str, int], counter: str) -> None:
    """Until Envoy has taken what was written; EnvoyError where it refuses it."""

    async def taken() -> bool:
        now = await admin.stats("update_rejected|update_success")
        if any(now.get(name, 0) > before.get(name, 0) for name in REJECTED):
            raise EnvoyError("Envoy refused the configuration that the changed filters need; see its log")
        return now.get(counter, 0) > before.get(counter, 0)

    if not await wait_for(taken, LIMIT):
        raise EnvoyError(f"Envoy did not take its new configuration in {LIMIT:g} s")


async def is_drained(admin: Admin) -> bool:
    """Whether nothing of an older listener is left."""
    stats = await admin.stats("_draining$")
    return not any(stats.get(name, 0) for name in DRAINING)


async def wait_for(condition: Callable[[], Awaitable[bool]], limit: float) -> bool:
    """Whether it came to hold within so many seconds."""
    end = asyncio.get_running_loop().time() + limit
    while not await condition():
        if asyncio.get_running_loop().time() > end:
            return False
        await asyncio.sleep(POLL)
    return True
