"""gRPC health (`grpc.health.v1`): the service as a whole, each of Envoy's protocols, each filter by name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


class Health:
    """Answers for some names. `refused` are names that never serve, such as a protocol without a plan."""

    def __init__(self, names: Iterable[str], refused: Iterable[str] = ()) -> None:
        self._servicer = health.aio.HealthServicer()
        self._names = ("", *names)
        self._refused = frozenset(refused)

    def add_to(self, server: grpc.aio.Server) -> None:
        """Let that server answer."""
        generic: Any = Unregistered(server)
        health_pb2_grpc.add_HealthServicer_to_server(self._servicer, generic)

    async def serving(self) -> None:
        """From now on all is well."""
        for name in self._names:
            await self._servicer.set(name, NOT_SERVING if name in self._refused else SERVING)

    async def draining(self) -> None:
        """From now on nobody should come here."""
        for name in self._names:
            await self._servicer.set(name, NOT_SERVING)


class Unregistered:
    """A server that takes generic handlers alone.

    For each method that is registered by its path, grpcio's asyncio server keeps a task of its own, and it
    waits for all of them anew with every call of any other method.
    """

    def __init__(self, server: grpc.aio.Server) -> None:
        self._server = server

    def add_generic_rpc_handlers(self, handlers: Iterable[grpc.GenericRpcHandler]) -> None:
        """See `grpc.aio.Server.add_generic_rpc_handlers`."""
        self._server.add_generic_rpc_handlers(tuple(handlers))

    def add_registered_method_handlers(self, service: str, handlers: Mapping[str, object]) -> None:
        """The same handlers, which are there already."""
