"""What the supervisor does for its workers beside watching over them: the shared store, one metrics port."""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from meshext.hosts.options import ServiceOptions
from meshext.hosts.parent_loop import ParentLoop
from meshext.hosts.parent_telemetry import ParentTelemetry
from meshext.stores import check_store

if TYPE_CHECKING:
    from meshext.hosts.watching import Watcher
    from meshext.stores.server import StoreServer
    from meshext.telemetry.parent_metrics import ParentMetrics


class Parent:
    """The services behind the sockets that each worker inherits."""

    def __init__(self, options: ServiceOptions) -> None:
        """Raises StoreError and MissingExtraError for a store's URL."""
        check_store(options.store)
        self._loop = ParentLoop()
        self._telemetry = ParentTelemetry(options, self._loop)
        self._watcher: Watcher | None = None
        self._store = build_store_server() if options.shares_memory else None

    @property
    def counts(self) -> ParentMetrics | None:
        """What the supervisor counts in itself; None where nobody wants to know."""
        return self._telemetry.counts

    def start(self) -> None:
        """Begin; raises ListenError, and MissingExtraError or OptionError for `--otel`."""
        self._loop.start()
        self._telemetry.start()

    def adopt(self, store: socket.socket, metrics: socket.socket) -> None:
        """Serve one more worker until it is gone."""
        if self._store is not None:
            self._loop.serve(self._store.serve, store)
        else:
            store.close()
        self._telemetry.adopt(metrics)

    def watch(self, on_change: Callable[[], None]) -> None:
        """Tell, in the loop's thread, when what was loaded is no longer what is on disk."""
        from meshext.hosts.watching import Watcher

        self._watcher = Watcher(on_change)
        self._loop.spawn(self._watcher.run())

    def expect(self, files: Mapping[str, str], *, refused: bool = False) -> None:
        """These files were loaded, or refused."""
        if self._watcher is not None:
            self._loop.spawn(self._watcher.expect(files, refused=refused))

    def stop(self) -> None:
        """End all of it."""
        if self._loop.running:
            self._telemetry.stop()
        self._loop.stop()


def build_store_server() -> StoreServer:
    """The store in this process's memory, for all workers."""
    from meshext.store import MemoryStore
    from meshext.stores.server import StoreServer

    return StoreServer(MemoryStore())
