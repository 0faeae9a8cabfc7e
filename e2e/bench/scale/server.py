"""The benchmark's server: a hub with its ADS over mTLS, in a process of its own.

It reads one command a line (`endpoint`, `routes`, `connected N`, `counts`) and answers one line of JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc

from e2e.bench.scale.mesh import GrowingMesh
from e2e.bench.usage import cpu_seconds, resident
from meshext_controlplane.model.proxy import Proxy
from meshext_controlplane.xds.ads import SERVER_OPTIONS, AdsService
from meshext_controlplane.xds.hub import Hub
from meshext_controlplane.xds.limits import Node
from meshext_controlplane.xds.observer import Observer
from meshext_controlplane.xds.stream import Context

_TYPES = 4  # that every proxy asks for
_POLL = 0.05  # seconds


@dataclass
class Counting(Observer):
    """What was sent, and when everybody had it."""

    converged_waves: asyncio.Queue[dict[str, Any]] = field(default_factory=asyncio.Queue)
    pushes: int = 0
    resources: int = 0
    size: int = 0

    def pushed(self, type_url: str, *, size: int, resources: int) -> None:
        self.pushes += 1
        self.resources += resources
        self.size += size

    def converged(self, kind: str, *, gathered: float, after: float) -> None:
        self.converged_waves.put_nowait({"kind": kind, "gathered": gathered, "after": after})

    def counts(self) -> dict[str, Any]:
        own = {"cpu": cpu_seconds(_SELF), "memory": resident(_SELF)}
        return {"pushes": self.pushes, "resources": self.resources, "bytes": self.size, **own}


_SELF = os.getpid()


class Server:
    """Answers the commands."""

    def __init__(self, mesh: GrowingMesh) -> None:
        self.mesh = mesh
        self.counting = Counting()
        self.hub = Hub(lambda proxy: mesh.translator.snapshot(proxy), observer=self.counting)
        self._numbers = {mesh.proxy(number).node_id: number for number in range(mesh.proxies)}

    def admit(self, context: Context, node: Node) -> Proxy:
        assert context.peer_identities(), "every client shows a certificate"
        return self.mesh.proxy(self._numbers[node.id])

    async def command(self, name: str, *arguments: str) -> dict[str, Any]:
        before = self.counting.counts()
        match name:
            case "endpoint":
                self.mesh.add_endpoint()
                self.hub.notify("endpoints")
                found = await self.counting.converged_waves.get()
            case "routes":
                self.mesh.change_routes()
                self.hub.notify("configuration")
                found = await self.counting.converged_waves.get()
            case "connected":
                found = await self.connected(int(arguments[0]))
            case _:
                return before
        after = self.counting.counts()
        changes = {key: after[key] - before[key] for key in ("cpu", "pushes", "resources", "bytes")}
        return {**found, **changes, "memory": after["memory"]}

    async def connected(self, count: int) -> dict[str, Any]:
        """Wait until that many proxies have asked for everything and have answered everything."""
        begun = asyncio.get_running_loop().time()
        while True:
            if self.is_complete(count):
                return {"after": asyncio.get_running_loop().time() - begun}
            await asyncio.sleep(_POLL)

    def is_complete(self, count: int) -> bool:
        sessions = [connection.session for connection in self.hub.connections()]
        return len(sessions) == count and all(
            len(session.subscriptions) == _TYPES and session.idle for session in sessions
        )


async def serve(port: int, services: int, proxies: int, certificates: Path) -> None:
    server = Server(GrowingMesh(services, proxies))
    server.mesh.translator.snapshot(server.mesh.proxy(0))
    files = [certificates / name for name in ("server.key", "server.pem", "root.pem")]
    key, certificate, root = (file.read_bytes() for file in files)
    credentials = grpc.ssl_server_credentials([(key, certificate)], root, require_client_auth=True)
    listening = grpc.aio.server(options=SERVER_OPTIONS)
    listening.add_generic_rpc_handlers((AdsService(server.hub, server.admit).handlers(),))
    listening.add_secure_port(f"127.0.0.1:{port}", credentials)
    await listening.start()
    running = asyncio.create_task(server.hub.run())
    tell({"listening": port})
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        tell(await server.command(*line.split()))
    running.cancel()
    await listening.stop(None)


def tell(answer: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--services", type=int, required=True)
    parser.add_argument("--proxies", type=int, required=True)
    parser.add_argument("--certificates", type=Path, required=True)
    given = parser.parse_args()
    asyncio.run(serve(given.port, given.services, given.proxies, given.certificates))


if __name__ == "__main__":
    main()
