"""A client of the ADS that speaks exactly what the test says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import grpc

from meshext_controlplane.xds.ads import SERVICE
from meshext_proto.envoy.service.discovery.v3 import discovery_pb2

DeltaRequest = discovery_pb2.DeltaDiscoveryRequest
DeltaResponse = discovery_pb2.DeltaDiscoveryResponse
StateRequest = discovery_pb2.DiscoveryRequest
StateResponse = discovery_pb2.DiscoveryResponse

SOON = 10.0  # seconds within which an answer has to come
SILENCE = 0.3  # seconds after which none comes any more


class Client:
    """One stream. `say` sends a request, `hear` gives the next response."""

    def __init__(self, call: Any, request: type[Any], node_id: str) -> None:
        self._call = call
        self._request = request
        self._node_id = node_id

    async def say(self, **fields: Any) -> None:
        message = self._request(**fields)
        message.node.id = self._node_id
        await self._call.write(message.SerializeToString())

    async def say_bytes(self, data: bytes) -> None:
        await self._call.write(data)

    async def hear(self) -> Any:
        return await asyncio.wait_for(self._call.read(), SOON)

    async def ack(self, response: Any, **fields: Any) -> None:
        if isinstance(response, StateResponse):
            fields = {"version_info": response.version_info, **fields}
        await self.say(type_url=response.type_url, response_nonce=response.nonce, **fields)

    async def status(self) -> tuple[grpc.StatusCode, str]:
        """What the stream ends with, after all that was sent before."""
        async with asyncio.timeout(SOON):
            with suppress(grpc.aio.AioRpcError):
                while await self._call.read() is not grpc.aio.EOF:
                    pass
            return await self._call.code(), await self._call.details()

    async def is_quiet(self) -> bool:
        """Whether nothing comes; ends the stream if something is awaited in vain."""
        try:
            await asyncio.wait_for(self._call.read(), SILENCE)
        except TimeoutError:
            return True
        return False


@asynccontextmanager
async def connected(
    port: int, *, delta: bool, node_id: str = "web-1.shop", credentials: grpc.ChannelCredentials | None = None
) -> AsyncIterator[Client]:
    target = f"127.0.0.1:{port}"
    if credentials is None:
        channel = grpc.aio.insecure_channel(target)
    else:
        options = [("grpc.ssl_target_name_override", "controlplane.meshext.internal")]
        channel = grpc.aio.secure_channel(target, credentials, options=options)
    async with channel:
        method = "Delta" if delta else "Stream"
        call: grpc.aio.StreamStreamCall[bytes, Any] = channel.stream_stream(
            f"/{SERVICE}/{method}AggregatedResources",
            response_deserializer=(DeltaResponse if delta else StateResponse).FromString,
        )()
        try:
            yield Client(call, DeltaRequest if delta else StateRequest, node_id)
        finally:
            call.cancel()
