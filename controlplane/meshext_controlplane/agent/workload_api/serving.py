"""The Workload API as a whole: the socket, who may use it, and the server behind both."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from meshext_controlplane.agent.local_server import start_local_server
from meshext_controlplane.agent.workload_api.callers import Callers
from meshext_controlplane.agent.workload_api.options import WorkloadApiOptions
from meshext_controlplane.agent.workload_api.service import OPTIONS, WorkloadApi
from meshext_controlplane.agent.workload_api.socket_file import listen

INNER = "workload-api.sock"
"""In the sidecar's folder: what the server itself listens on."""


@asynccontextmanager
async def served(api: WorkloadApi, options: WorkloadApiOptions, folder: Path) -> AsyncIterator[None]:
    """Serve it as long as the block lasts; DirectoryError where its socket can not be made."""
    listening = options.listening or listen(options.path, users=options.users)
    inner = folder / INNER
    try:
        server = await start_local_server(inner, [api.handlers()], options=OPTIONS)
        try:
            async with Callers(inner, options.users, counts=api.counts).served(listening):
                yield
        finally:
            await server.stop(None)
    finally:
        listening.close()
        with suppress(OSError):  # made by root, in a folder of root's
            options.path.unlink(missing_ok=True)


@asynccontextmanager
async def offered(api: WorkloadApi, options: WorkloadApiOptions | None, folder: Path) -> AsyncIterator[None]:
    """The same where it is wanted: from before there is an identity, since who waits may ask."""
    if options is None:
        yield
        return
    async with served(api, options, folder):
        yield
