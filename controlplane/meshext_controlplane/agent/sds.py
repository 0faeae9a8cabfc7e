"""The secret discovery service that Envoy asks on a Unix socket (`envoy.service.secret.v3`)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import grpc
import grpc.aio
from google.protobuf.message import DecodeError

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

Context = grpc.aio.ServicerContext[Any, Any]

log = logging.getLogger("meshext.sidecar")


@dataclass(frozen=True, slots=True)
class Form:
    """SotW or delta: the method, its request, and who keeps what was asked."""

    method: str
    request: type[Any]
    subscription: Callable[[str], SotwSubscription | DeltaSubscription]


FORMS = (
    Form("StreamSecrets", discovery_pb2.DiscoveryRequest, SotwSubscription),
    Form("DeltaSecrets", discovery_pb2.DeltaDiscoveryRequest, DeltaSubscription),
)


class SecretService:
    """Serves the SVID of the moment; a new one goes to every open stream at once."""

    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials
        self._built_from: Svid | None = None
        self._built: Mapping[str, Resource] = {}

    def handlers(self) -> grpc.GenericRpcHandler:
        """To be added to a grpc.aio server."""
        methods: dict[str, grpc.RpcMethodHandler[Any, Any]] = {
            form.method: grpc.stream_stream_rpc_method_handler(self._handler(form)) for form in FORMS
        }
        return grpc.method_handlers_generic_handler(SERVICE, methods)

    def _handler(self, form: Form) -> Callable[[Any, Context], Any]:
        async def handle(_: object, context: Context) -> None:
            try:
                await self._serve(form, context)
            except (DecodeError, SubscriptionError) as error:
                await context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error)[:200])

        return handle

    async def _serve(self, form: Form, context: Context) -> None:
        """Answer requests and push changes until the client ends the stream."""
        subscription = form.subscription(SECRET)
        reading = asyncio.ensure_future(context.read())
        changing = asyncio.ensure_future(self._credentials.changed(self._credentials.svid))
        try:
            while True:
                if reading.done():
                    if (body := reading.result()) is grpc.aio.EOF:
                        return
                    _take(subscription, form.request.FromString(body))
                    reading = asyncio.ensure_future(context.read())
                if changing.done():
                    changing = asyncio.ensure_future(self._credentials.changed(changing.result()))
                if (response := subscription.answer(self._secrets())) is not None:
                    await context.write(response.SerializeToString())
                await asyncio.wait({reading, changing}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            reading.cancel()
            changing.cancel()

    def _secrets(self) -> Mapping[str, Resource]:
        svid = self._credentials.svid
        if svid is not self._built_from:
            self._built_from, self._built = svid, build_secrets(svid)
        return self._built


def _take(subscription: SotwSubscription | DeltaSubscription, request: Any) -> None:
    if request.type_url not in ("", SECRET):
        raise SubscriptionError(f"only {SECRET} is served here, not {request.type_url[:200]!r}")
    if refused := subscription.take(request):
        log.error("Envoy refuses the certificate: %s", refused)
