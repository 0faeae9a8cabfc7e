"""The Aggregated Discovery Service of `envoy.service.discovery.v3`, both RPCs."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import grpc
from cryptography import x509

from meshext.errors import MeshextError
from meshext_controlplane.model.proxy import Proxy
from meshext_controlplane.subscription.session import TooManyTypes
from meshext_controlplane.subscription.subscription import Request
from meshext_controlplane.xds.admission import Admission
from meshext_controlplane.xds.connection import Connection
from meshext_controlplane.xds.errors import StreamEnded
from meshext_controlplane.xds.hub import Hub
from meshext_controlplane.xds.limits import LARGEST_REQUEST, Node, RequestError
from meshext_controlplane.xds.stream import Context, Stream, read_message, to_ending
from meshext_controlplane.xds.variants import DELTA, STATE, Variant

log = logging.getLogger("meshext.xds")

SERVICE = "envoy.service.discovery.v3.AggregatedDiscoveryService"

Admit = Callable[[Context, Node], Proxy]
"""Who is at the other end, by the certificate that it has shown; StreamEnded where it gets nothing."""

SERVER_OPTIONS: tuple[tuple[str, int], ...] = (
    ("grpc.max_receive_message_length", LARGEST_REQUEST),
    ("grpc.max_metadata_size", 16 << 10),
    ("grpc.max_concurrent_streams", 16),
    # A proxy whose machine is gone is noticed, and one that asks too often is turned away.
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
    ("grpc.http2.max_ping_strikes", 2),
    # Connections spread anew over several control planes; gRPC adds a tenth of jitter.
    ("grpc.max_connection_age_ms", 30 * 60_000),
    ("grpc.max_connection_age_grace_ms", 10_000),
    ("grpc.so_reuseport", 0),
)
"""For `grpc.aio.server` on the port that proxies connect to."""

_FIRST_REQUEST = 10.0  # seconds for a stream to say who it is


class AdsService:
    """Serves a hub's snapshots; add `handlers` to a grpc.aio server made with SERVER_OPTIONS."""

    def __init__(self, hub: Hub, admit: Admit, *, admission: Admission | None = None) -> None:
        self._hub = hub
        self._admit = admit
        self._admission = admission or Admission()

    def handlers(self) -> grpc.GenericRpcHandler:
        """Both RPCs, as raw bytes."""
        methods: dict[str, grpc.RpcMethodHandler[bytes, bytes]] = {
            DELTA.method: grpc.stream_stream_rpc_method_handler(self._serving(DELTA)),
            STATE.method: grpc.stream_stream_rpc_method_handler(self._serving(STATE)),
        }
        return grpc.method_handlers_generic_handler(SERVICE, methods)

    def _serving(self, variant: Variant[Request]) -> Callable[[object, Context], Awaitable[None]]:
        async def serve(_: object, context: Context) -> None:
            try:
                await self._serve(variant, context)
            except (StreamEnded, TooManyTypes, RequestError) as error:
                ending = to_ending(error)
                log.info("a stream of %s ends: %s", context.peer(), ending)
                await context.abort(ending.code, str(ending))

        return serve

    async def _serve(self, variant: Variant[Request], context: Context) -> None:
        await self._admission.enter()
        connection = await self._begin(variant, context)
        if connection is None:
            return
        expiry = _end_at_expiry(context, lambda: connection.end(*_EXPIRED))
        try:
            await Stream(self._hub, variant, context, connection).run()
        finally:
            if expiry is not None:
                expiry.cancel()
            self._hub.leave(connection)

    async def _begin(self, variant: Variant[Request], context: Context) -> Connection[Request] | None:
        """The connection of a proxy that has asked for something; None where it has left at once."""
        try:
            data = await asyncio.wait_for(read_message(context), _FIRST_REQUEST)
        except TimeoutError:
            text = f"no request in {_FIRST_REQUEST:g} seconds"
            raise StreamEnded(grpc.StatusCode.DEADLINE_EXCEEDED, text) from None
        if data is None:
            return None
        request, node = variant.read(data)
        connection = self._hub.join(self._admit(context, node), variant)
        try:
            connection.receive(request)
        except MeshextError:
            self._hub.leave(connection)
            raise
        return connection


_EXPIRED = (grpc.StatusCode.UNAUTHENTICATED, "the certificate of this connection has expired")


def _end_at_expiry(context: Context, end: Callable[[], None]) -> asyncio.TimerHandle | None:
    """Call `end` when the peer's certificate expires; None where there is none."""
    certificate = next(iter(context.auth_context().get("x509_pem_cert", ())), None)
    if certificate is None:
        return None
    left = x509.load_pem_x509_certificate(certificate).not_valid_after_utc - datetime.now(UTC)
    return asyncio.get_running_loop().call_later(max(0.0, left.total_seconds()), end)
