"""The ports of a control plane: ADS, joining, administration, and metrics apart from those."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import grpc

from meshext.errors import ListenError
from meshext.hosts.address import Address, check_socket_path, explain
from meshext.telemetry.endpoint import Gather, MetricsEndpoint, Page
from meshext_controlplane.identity.own_svid import OwnSvid
from meshext_controlplane.identity.services import LARGEST_MESSAGE
from meshext_controlplane.server.options import ControlPlaneOptions
from meshext_controlplane.xds.ads import SERVER_OPTIONS

log = logging.getLogger("meshext.controlplane")

ADMIN = "admin.sock"
LEAVE = 0.5  # seconds that calls have to end when we stop
LARGEST_ADMIN = 256 << 20  # bytes: a whole mesh

JOIN_OPTIONS: tuple[tuple[str, int], ...] = (
    ("grpc.max_receive_message_length", LARGEST_MESSAGE),
    ("grpc.max_metadata_size", 8 << 10),
    ("grpc.max_concurrent_streams", 4),
    ("grpc.max_connection_age_ms", 60_000),
    ("grpc.max_connection_idle_ms", 20_000),
    ("grpc.http2.max_ping_strikes", 2),
    ("grpc.so_reuseport", 0),
)
ADMIN_OPTIONS: tuple[tuple[str, int], ...] = (
    ("grpc.max_receive_message_length", LARGEST_ADMIN),
    ("grpc.max_send_message_length", LARGEST_ADMIN),
)
REMOTE_ADMIN_OPTIONS: tuple[tuple[str, int], ...] = (
    ("grpc.max_receive_message_length", 16 << 20),  # whoever has a certificate may send one of these
    ("grpc.max_send_message_length", LARGEST_ADMIN),
    ("grpc.max_metadata_size", 8 << 10),
    ("grpc.max_concurrent_streams", 4),
    ("grpc.so_reuseport", 0),
)
MOST_ADMIN = 64  # calls at once on the port for administration
MOST_JOINING = 256  # calls at once on the port that anybody may call

Handlers = Sequence[grpc.GenericRpcHandler]


class Ports:
    """Where a control plane listens; the addresses are known once `serving` has begun."""

    def __init__(self, options: ControlPlaneOptions) -> None:
        self._options = options
        self.open = False
        self.ads = options.listen
        self.join = options.join
        self.metrics = options.metrics
        self.admin = Path(os.path.abspath(options.state)) / ADMIN
        self.remote_admin = options.admin

    @asynccontextmanager
    async def serving(
        self, own: OwnSvid, *, ads: Handlers, join: Handlers, admin: Handlers, remote_admin: Handlers
    ) -> AsyncIterator[None]:
        """All of them; ListenError where one can not be listened on."""
        async with AsyncExitStack() as stack:
            server = grpc.aio.server(options=SERVER_OPTIONS)
            self.ads = await _start(stack, server, ads, self._options.listen, own.ads_credentials())
            server = grpc.aio.server(options=JOIN_OPTIONS, maximum_concurrent_rpcs=MOST_JOINING)
            self.join = await _start(stack, server, join, self._options.join, own.join_credentials())
            await self._start_admin(stack, admin)
            if self._options.admin is not None:
                server = grpc.aio.server(options=REMOTE_ADMIN_OPTIONS, maximum_concurrent_rpcs=MOST_ADMIN)
                shown = own.ads_credentials()
                self.remote_admin = await _start(stack, server, remote_admin, self._options.admin, shown)
            self.open = True
            try:
                yield
            finally:
                self.open = False

    async def _start_admin(self, stack: AsyncExitStack, handlers: Handlers) -> None:
        check_socket_path(str(self.admin))
        server = grpc.aio.server(options=ADMIN_OPTIONS)
        before = os.umask(0o177)  # from the first moment on nobody else can open it
        try:
            await _start(stack, server, handlers, Address(path=str(self.admin)), None)
        finally:
            os.umask(before)

    @asynccontextmanager
    async def showing(self, gather: Gather, pages: dict[bytes, Page]) -> AsyncIterator[None]:
        """Metrics and whether we are ready, where that is asked for."""
        if self._options.metrics is None:
            yield
            return
        listening = _bind(self._options.metrics)
        host, port = listening.getsockname()[:2]
        self.metrics = Address(host=host, port=port)
        task = asyncio.create_task(MetricsEndpoint(gather, pages=pages).serve(listening))
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


async def _start(
    stack: AsyncExitStack,
    server: grpc.aio.Server,
    handlers: Handlers,
    address: Address,
    credentials: grpc.ServerCredentials | None,
) -> Address:
    server.add_generic_rpc_handlers(tuple(handlers))
    target = f"unix:{address.path}" if address.path else str(address)
    try:
        port: Any = (
            server.add_insecure_port(target)
            if credentials is None
            else server.add_secure_port(target, credentials)
        )
    except RuntimeError:
        raise ListenError(f"{address} can not be listened on: it is in use, or not ours") from None
    await server.start()
    stack.push_async_callback(server.stop, LEAVE)
    return address if address.path else Address(host=address.host, port=port)


def _bind(address: Address) -> socket.socket:
    try:
        return socket.create_server((address.host, address.port))
    except OSError as error:
        raise ListenError(explain(address, error)) from error
