"""`meshext run --watch` where filters run inside of Envoy: what changed is compiled again.

Envoy gets a new listener with it. What does not compile, or what Envoy refuses, leaves the last good version
in force.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from meshext.errors import MeshextError
from meshext.needs import Needs
from meshext.plan import build_plan
from meshext.sandbox.succeeding import wait_taken

if TYPE_CHECKING:
    from meshext.envoy.admin import Admin
    from meshext.envoy.bootstrap import Gateway
    from meshext.envoy.wasm_filter import Module

KEPT = "the change is not taken, the last good version serves on"


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """Compiled filters. `files` are those that were read, each with the digest of its content."""

    module: Module
    needs: tuple[Needs, ...]
    files: Mapping[str, str]


class RefusedVersionError(MeshextError):
    """What does not compile, or whose configuration is wrong; `files` as of a version."""

    def __init__(self, reason: str, files: Mapping[str, str]) -> None:
        self.files = files
        super().__init__(reason)


Compile = Callable[[], Awaitable[Version]]
"""Compiles the filters as they are now. Raises RefusedVersionError."""


class Recompilations:
    """Compiles and replaces, one change after the other."""

    def __init__(
        self,
        folder: Path,
        *,
        compile_filters: Compile,
        files: Mapping[str, str],
        on_line: Callable[[str], None],
    ) -> None:
        """`files` are those that the first version was made of."""
        self._folder = folder
        self._compile = compile_filters
        self._files = files
        self._on_line = on_line
        self._version = 1
        self._changed = asyncio.Event()

    def write(self, gateway: Gateway) -> None:
        """What Envoy finds when it starts."""
        from meshext.envoy.dynamic import write_clusters, write_listener

        write_clusters([], self._folder, self._version)
        write_listener(gateway, self._folder, self._version)

    async def run(self, gateway: Gateway, admin: Admin) -> None:
        """Replace until cancelled."""
        from meshext.hosts.watching import Watcher

        watcher = Watcher(self._changed.set)
        await watcher.expect(self._files)
        async with asyncio.TaskGroup() as group:
            group.create_task(watcher.run())
            while True:
                await self._changed.wait()
                self._changed.clear()
                try:
                    version = await self._compile()
                    await watcher.expect(version.files)
                    gateway = await self._replace(gateway, version, admin)
                except RefusedVersionError as error:
                    await watcher.expect(error.files, refused=True)
                    self._on_line(f"{KEPT}: {error}")
                except MeshextError as error:
                    self._on_line(f"{KEPT}: {error}")

    async def _replace(self, gateway: Gateway, version: Version, admin: Admin) -> Gateway:
        from meshext.envoy.dynamic import write_listener

        module = version.module
        if module == gateway.module:
            self._on_line("nothing changed in what is compiled")
            return gateway
        self._version += 1
        changed = replace(gateway, plan=build_plan(version.needs, "wasm"), module=module)
        before = await admin.stats("update_rejected|update_success")
        write_listener(changed, self._folder, self._version)
        await wait_taken(admin, before, "listener_manager.lds.update_success")
        self._on_line(f"Envoy has {module.plugin}: {len(module.code)} bytes")
        return changed
