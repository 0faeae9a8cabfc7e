"""Ask the control plane over its local socket, from the event loop: `meshext.admin.Admin`."""

from __future__ import annotations

import asyncio
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
Standing = tuple[admin_pb2.LookReply, admin_pb2.ProxyStatusReply]
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
        return await self.standing() is not None

    async def standing(self) -> Standing | None:
        """Who has registered, and which proxy has what; None where the control plane does not answer."""
        try:
            return await asyncio.gather(
                self._ask("Look", admin_pb2.LookRequest(), admin_pb2.LookReply),
                self._ask("ProxyStatus", admin_pb2.ProxyStatusRequest(), admin_pb2.ProxyStatusReply),
            )
        except grpc.aio.AioRpcError as error:
            if error.code() in UNAVAILABLE:
                return None
            raise UpError(f"the control plane: {error.details() or error.code().name}") from None

    async def _ask(self, method: str, request: Message, reply: type[M]) -> M:
        ask: Any = self._channel.unary_unary(
            f"/meshext.admin.Admin/{method}",
            request_serializer=type(request).SerializeToString,
            response_deserializer=reply.FromString,
        )
        answer: M = await ask(request, timeout=PATIENCE)
        return answer
