"""The secret discovery service that Envoy asks on a Unix socket (`envoy.service.secret.v3`)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

import grpc
import grpc.aio

from meshext_controlplane.agent.credentials import Credentials
from meshext_controlplane.agent.local_subscription import (
    DeltaSubscription,
    SotwSubscription,
    SubscriptionError,
)
from meshext_controlplane.agent.secrets import build_secrets
from meshext_controlplane.agent.svid import Svid
from meshext_controlplane.snapshot import SECRET, Resource
from meshext_proto.envoy.service.discovery.v3 import discovery_pb2

SERVICE = "envoy.service.secret.v3.SecretDiscoveryService"

log = logging.getLogger("meshext.sidecar")


class SecretService:
    """Serves the SVID of the moment; a new one goes to every open stream at once."""

    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials
        self._built_from: Svid | None = None
        self._built: Mapping[str, Resource] = {}

    def handlers(self) -> grpc.GenericRpcHandler:
        """To be added to a grpc.aio server."""
        sotw = grpc.stream_stream_rpc_method_handler(
            self._stream,
            request_deserializer=discovery_pb2.DiscoveryRequest.FromString,
            response_serializer=discovery_pb2.DiscoveryResponse.SerializeToString,
        )
        delta = grpc.stream_stream_rpc_method_handler(
            self._delta,
            request_deserializer=discovery_pb2.DeltaDiscoveryRequest.FromString,
            response_serializer=discovery_pb2.DeltaDiscoveryResponse.SerializeToString,
        )
        return grpc.method_handlers_generic_handler(SERVICE, {"StreamSecrets": sotw, "DeltaSecrets": delta})

    async def _stream(self, _: object, context: grpc.aio.ServicerContext[Any, Any]) -> None:
        await self._serve(SotwSubscription(SECRET), context)

    async def _delta(self, _: object, context: grpc.aio.ServicerContext[Any, Any]) -> None:
        await self._serve(DeltaSubscription(SECRET), context)

    async def _serve(
        self,
        subscription: SotwSubscription | DeltaSubscription,
        context: grpc.aio.ServicerContext[Any, Any],
    ) -> None:
        """Answer requests and push changes until the client ends the stream."""
        reading = asyncio.ensure_future(context.read())
        changing = asyncio.ensure_future(self._credentials.changed(self._credentials.svid))
        try:
            while True:
                if reading.done():
                    request = reading.result()
                    if request is grpc.aio.EOF:
                        return
                    await self._take(subscription, request, context)
                    reading = asyncio.ensure_future(context.read())
                if changing.done():
                    changing = asyncio.ensure_future(self._credentials.changed(changing.result()))
                if (response := subscription.answer(self._secrets())) is not None:
                    await context.write(response)
                await asyncio.wait({reading, changing}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            reading.cancel()
            changing.cancel()

    async def _take(
        self,
        subscription: SotwSubscription | DeltaSubscription,
        request: Any,
        context: grpc.aio.ServicerContext[Any, Any],
    ) -> None:
        try:
            if request.type_url not in ("", SECRET):
                raise SubscriptionError(f"only {SECRET} is served here, not {request.type_url[:200]!r}")
            refused = subscription.take(request)
        except SubscriptionError as error:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
        if refused:
            log.error("Envoy refuses the certificate: %s", refused)

    def _secrets(self) -> Mapping[str, Resource]:
        svid = self._credentials.svid
        if svid is not self._built_from:
            self._built_from, self._built = svid, build_secrets(svid)
        return self._built
