"""The service `meshext.workloads.Workloads`: one stream for each workload, open as long as it lives."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, TypeAlias

import grpc

from meshext_controlplane.identity.errors import LimitError
from meshext_controlplane.identity.limits import Limits
from meshext_controlplane.identity.peer import Peer
from meshext_controlplane.model.workload import Workload
from meshext_controlplane.server.registrations import RegistrationError, parse_registration
from meshext_controlplane.server.registry import Key, NotAllowed, Registry, to_key
from meshext_proto.meshext import workloads_pb2

SERVICE = "meshext.workloads.Workloads"

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"
Admit: TypeAlias = "Callable[[Context], Awaitable[tuple[Peer, Limits]]]"
"""Who calls, by the certificate that was shown, and what it may; aborts the call where it may nothing."""


class Registering:
    """Takes registrations into a registry."""

    def __init__(self, registry: Registry, admit: Admit) -> None:
        self._registry = registry
        self._admit = admit

    def handlers(self) -> grpc.GenericRpcHandler:
        """For `grpc.aio.Server.add_generic_rpc_handlers`."""
        register = grpc.stream_stream_rpc_method_handler(
            self._register,
            request_deserializer=workloads_pb2.Registration.FromString,
            response_serializer=workloads_pb2.Registered.SerializeToString,
        )
        return grpc.method_handlers_generic_handler(SERVICE, {"Register": register})

    async def _register(
        self, requests: AsyncIterator[workloads_pb2.Registration], context: Context
    ) -> AsyncIterator[workloads_pb2.Registered]:
        peer, limits = await self._admit(context)
        stream = object()
        key: Key | None = None
        try:
            async for message in requests:
                workload = await self._take(message, peer, limits, stream, key, context)
                key = to_key(workload)
                yield workloads_pb2.Registered(
                    state=workloads_pb2.Registration.State.Name(workload.state.value)
                )
        finally:
            if key is not None:
                self._registry.leave(key, stream)

    async def _take(
        self,
        message: workloads_pb2.Registration,
        peer: Peer,
        limits: Limits,
        stream: object,
        key: Key | None,
        context: Context,
    ) -> Workload:
        try:
            workload = parse_registration(message, peer.identity)
            check_stream(self._registry, workload, key, stream)
            return self._registry.register(workload, limits, stream)
        except RegistrationError as error:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
        except (NotAllowed, LimitError) as error:
            await context.abort(grpc.StatusCode.PERMISSION_DENIED, str(error))
        raise AssertionError("abort returns nothing")


def check_stream(registry: Registry, workload: Workload, key: Key | None, stream: object) -> None:
    """NotAllowed where a stream speaks for a second workload, or for one that a newer stream has taken."""
    if key is None:
        return
    if key != to_key(workload):
        raise NotAllowed(f"this stream registered {key[1]}; open another one for {workload.name}")
    if not registry.holds(key, stream):
        raise NotAllowed(f"another stream has taken {workload.name} over; end one of the two agents")
