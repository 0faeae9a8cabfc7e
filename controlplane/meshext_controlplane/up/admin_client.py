"""Ask the control plane over its local socket, from the event loop: `meshext.admin.Admin`."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import grpc
import grpc.aio
from google.protobuf.message import Message

from meshext_controlplane.up.errors import UpError
from meshext_proto.meshext import admin_pb2

SOCKET = "admin.sock"
PATIENCE = 10.0  # seconds for an answer
LARGEST = 64 * 1024 * 1024  # bytes of an answer
M = TypeVar("M", bound=Message)
UNAVAILABLE = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)


class AdminClient:
    """Open while its context is; every method raises UpError where the control plane says no."""

    def __init__(self, state: Path) -> None:
        options = [("grpc.max_receive_message_length", LARGEST), ("grpc.max_reconnect_backoff_ms", 500)]
        self._channel = grpc.aio.insecure_channel(f"unix:{state / SOCKET}", options=options)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._channel.close()

    async def answers(self) -> bool:
        """Whether the control plane is there."""
        try:
            await self._ask("Look", admin_pb2.LookRequest(), admin_pb2.LookReply)
        except grpc.aio.AioRpcError as error:
            if error.code() in UNAVAILABLE:
                return False
            raise _refused(error) from None
        return True

    async def look(self) -> admin_pb2.LookReply:
        """Documents and workloads."""
        return await self._call("Look", admin_pb2.LookRequest(), admin_pb2.LookReply)

    async def proxies(self) -> admin_pb2.ProxyStatusReply:
        """Which proxy has what."""
        return await self._call("ProxyStatus", admin_pb2.ProxyStatusRequest(), admin_pb2.ProxyStatusReply)

    async def _call(self, method: str, request: Message, reply: type[M]) -> M:
        try:
            return await self._ask(method, request, reply)
        except grpc.aio.AioRpcError as error:
            raise _refused(error) from None

    async def _ask(self, method: str, request: Message, reply: type[M]) -> M:
        ask: Any = self._channel.unary_unary(
            f"/meshext.admin.Admin/{method}",
            request_serializer=type(request).SerializeToString,
            response_deserializer=reply.FromString,
        )
        answer: M = await ask(request, timeout=PATIENCE)
        return answer


def _refused(error: grpc.aio.AioRpcError) -> UpError:
    return UpError(f"the control plane: {error.details() or error.code().name}")
