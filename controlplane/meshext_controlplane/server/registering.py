"""The service `meshext.workloads.Workloads`: one stream for each workload, open as long as it lives."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Any, Protocol, TypeAlias

import grpc

from meshext_controlplane.identity.errors import LimitError
from meshext_controlplane.identity.limits import Limits
from meshext_controlplane.identity.peer import Peer
from meshext_controlplane.model.workload import Workload
from meshext_controlplane.registrations import RegistrationError, parse_registration
from meshext_controlplane.server.registry import NotAllowed, Registry, to_key
from meshext_controlplane.translate.filter_policy import FilterService
from meshext_proto.meshext import workloads_pb2

log = logging.getLogger("meshext.controlplane")

SERVICE = "meshext.workloads.Workloads"

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"
Admit: TypeAlias = "Callable[[Context], Awaitable[tuple[Peer, Limits]]]"
"""Who calls, by the certificate that was shown, and what it may; aborts the call where it may nothing."""


class Filters(Protocol):
    """What a workload's sidecar has to run beside itself, by the newest configuration."""

    def filters_of(self, workload: Workload) -> Sequence[FilterService]:
        """All of them."""

    def held_of(self, workload: Workload) -> Collection[str]:
        """The names of those that its Envoy is not to ask yet."""


class Registering:
    """Takes registrations into a registry, and tells sidecars which filters to run.

    `ended` is told of a workload whose stream has ended, and which no newer one has taken.
    """

    def __init__(
        self, registry: Registry, admit: Admit, filters: Filters, *, ended: Callable[[Workload], None]
    ) -> None:
        self._registry = registry
        self._admit = admit
        self._filters = filters
        self._ended = ended
        self._streams: set[_Stream] = set()

    def handlers(self) -> grpc.GenericRpcHandler:
        """For `grpc.aio.Server.add_generic_rpc_handlers`."""
        register = grpc.stream_stream_rpc_method_handler(
            self._register,
            request_deserializer=workloads_pb2.Registration.FromString,
            response_serializer=workloads_pb2.Registered.SerializeToString,
        )
        return grpc.method_handlers_generic_handler(SERVICE, {"Register": register})

    def refresh(self) -> None:
        """The configuration has changed: tell whoever has other filters now."""
        for stream in self._streams:
            stream.due.set()

    def expel(self, is_banned: Callable[[Peer], bool]) -> None:
        """End the streams of whoever is banned; its agent tries again, until the ban is lifted."""
        for stream in self._streams:
            if is_banned(stream.peer):
                stream.over.set()

    async def _register(self, _: object, context: Context) -> None:
        peer, limits = await self._admit(context)
        stream = _Stream(peer, limits)
        self._streams.add(stream)
        telling = asyncio.create_task(self._tell(stream, context))
        try:
            while (message := await _read(context, stream)) is not grpc.aio.EOF:
                stream.workload = await self._take(message, stream, context)
                stream.answers += 1
                stream.due.set()
        finally:
            self._streams.discard(stream)
            telling.cancel()
            if stream.workload is not None and self._registry.holds(to_key(stream.workload), stream):
                self._registry.leave(to_key(stream.workload), stream)
                self._ended(stream.workload)

    async def _tell(self, stream: _Stream, context: Context) -> None:
        """An answer for each registration, and one whenever the filters are others."""
        told: tuple[int, list[workloads_pb2.Registered.Filter]] | None = None
        while True:
            await stream.due.wait()
            stream.due.clear()
            if stream.workload is None:
                continue
            try:
                filters = self._list_filters(stream.workload)
            except Exception:  # of the translation; the next configuration may be a better one
                log.exception("the filters of %s are not known", stream.workload.name)
                continue
            now = stream.answers, filters
            if now != told:
                state = workloads_pb2.Registration.State.Name(stream.workload.state.value)
                sent = int(time.time() * 1000)
                await context.write(workloads_pb2.Registered(state=state, filters=now[1], sent_ms=sent))
                told = now

    def _list_filters(self, workload: Workload) -> list[workloads_pb2.Registered.Filter]:
        held = self._filters.held_of(workload)
        return [to_message(each, held=each.name in held) for each in self._filters.filters_of(workload)]

    async def _take(self, message: workloads_pb2.Registration, stream: _Stream, context: Context) -> Workload:
        try:
            workload = parse_registration(message, stream.peer.identity)
            check_stream(self._registry, workload, stream.workload, stream)
            return self._registry.register(workload, stream.limits, stream)
        except RegistrationError as error:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
        except (NotAllowed, LimitError) as error:
            await context.abort(grpc.StatusCode.PERMISSION_DENIED, str(error))
        raise AssertionError("abort returns nothing")


class _Stream:
    """One workload's stream: `answers` that it is owed, and `due` when there may be something to say."""

    def __init__(self, peer: Peer, limits: Limits) -> None:
        self.peer = peer
        self.limits = limits
        self.workload: Workload | None = None
        self.answers = 0
        self.due = asyncio.Event()
        self.over = asyncio.Event()


async def _read(context: Context, stream: _Stream) -> Any:
    """The next message; the call is aborted where the peer is banned meanwhile."""
    reading = asyncio.ensure_future(context.read())
    over = asyncio.ensure_future(stream.over.wait())
    try:
        await asyncio.wait({reading, over}, return_when=asyncio.FIRST_COMPLETED)
        if over.done():
            await context.abort(grpc.StatusCode.PERMISSION_DENIED, f"{stream.peer.identity} is banned")
        return reading.result()
    finally:
        over.cancel()
        reading.cancel()


def to_message(service: FilterService, *, held: bool) -> workloads_pb2.Registered.Filter:
    """A filter for the wire."""
    return workloads_pb2.Registered.Filter(
        name=service.name,
        filter=service.filter,
        config=service.config,
        socket=service.socket,
        held=held,
    )


def check_stream(registry: Registry, workload: Workload, before: Workload | None, stream: object) -> None:
    """NotAllowed where a stream speaks for a second workload, or for one that a newer stream has taken."""
    if before is None:
        return
    if to_key(before) != to_key(workload):
        raise NotAllowed(f"this stream registered {before.name}; open another one for {workload.name}")
    if not registry.holds(to_key(workload), stream):
        raise NotAllowed(f"another stream has taken {workload.name} over; end one of the two agents")
