"""A hub and its gRPC server on loopback, whose snapshot the test changes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace

import grpc

from meshext_controlplane.model.proxy import Proxy, ProxyKind
from meshext_controlplane.model.spiffe import SpiffeId
from meshext_controlplane.model.workload import Workload
from meshext_controlplane.snapshot import Resource, Snapshot, build_snapshot
from meshext_controlplane.xds.ads import SERVER_OPTIONS, AdsService
from meshext_controlplane.xds.gathering import Kind
from meshext_controlplane.xds.hub import Hub
from meshext_controlplane.xds.limits import Node
from meshext_controlplane.xds.memory import Memory
from meshext_controlplane.xds.observer import Observer
from meshext_controlplane.xds.stream import Context

IDENTITY = SpiffeId("cluster.local", "shop", "web")


def proxy(node_id: str = "web-1.shop") -> Proxy:
    workload = Workload(name=node_id.partition(".")[0], identity=IDENTITY, address="127.1.0.1")
    return Proxy(node_id=node_id, identity=IDENTITY, workload=workload)


@dataclass
class Mesh:
    """What every proxy gets; `edit` changes it and tells the hub."""

    hub: Hub = field(init=False)
    port: int = 0
    snapshot: Snapshot = field(default_factory=lambda: build_snapshot(()))
    kind: ProxyKind = ProxyKind.SIDECAR

    def edit(self, resources: Iterable[Resource], kind: Kind = "configuration") -> None:
        self.snapshot = build_snapshot(resources)
        self.hub.notify(kind)

    def admit(self, context: Context, node: Node) -> Proxy:
        return replace(proxy(node.id), kind=self.kind)


@asynccontextmanager
async def serving(
    resources: Iterable[Resource],
    *,
    observer: Observer | None = None,
    special: Mapping[str, Snapshot] = {},
    credentials: grpc.ServerCredentials | None = None,
    port: int = 0,
    memory: Memory | None = None,
) -> AsyncIterator[Mesh]:
    mesh = Mesh(snapshot=build_snapshot(resources))
    mesh.hub = Hub(lambda proxy: special.get(proxy.node_id, mesh.snapshot), observer=observer, memory=memory)
    server = grpc.aio.server(options=SERVER_OPTIONS)
    server.add_generic_rpc_handlers((AdsService(mesh.hub, mesh.admit).handlers(),))
    target = f"127.0.0.1:{port}"
    if credentials is None:
        mesh.port = server.add_insecure_port(target)
    else:
        mesh.port = server.add_secure_port(target, credentials)
    await server.start()
    running = asyncio.create_task(mesh.hub.run())
    try:
        yield mesh
    finally:
        await server.stop(None)
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
