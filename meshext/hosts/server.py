"""The gRPC server: both of Envoy's protocols and health on one port, over grpcio's asyncio."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from contextvars import ContextVar
from functools import partial
from typing import Any, NoReturn

import grpc
from google.protobuf.internal import api_implementation

from meshext.engine.chain import Chain
from meshext.engine.observer import InitialMetadata, Observer
from meshext.engine.watch import Watch
from meshext.errors import ListenError, MeshextError, ProtocolError, ResponseCut, UnsupportedError
from meshext.hosts import ext_authz, ext_proc
from meshext.hosts.address import Address
from meshext.hosts.draining import drain
from meshext.hosts.health import Health
from meshext.hosts.in_flight import InFlight
from meshext.hosts.listener import Port
from meshext.hosts.options import CONNECTION_AGE, MAX_IN_FLIGHT
from meshext.plan import Plan, build_plan

log = logging.getLogger("meshext.service")

SLACK = 1 << 20  # bytes of headers, attributes and framing around a body
LEAST_MESSAGE = 64 << 20  # bytes; above what Envoy buffers by default (16 MiB over HTTP/2), so that an
# oversized body is refused with 413 here and does not end the call, which `failure = "open"` would let pass
LARGEST_METADATA = 64 << 10  # bytes; a certificate's URI SANs travel there
LEAST_WAITING = 1000  # calls that gRPC holds for us; its own default
SEE_LOG = "see the service's log"
TOO_MANY = "too many exchanges are open here"
METADATA: ContextVar[InitialMetadata] = ContextVar("meshext_metadata", default=())
"""The initial metadata of the call that this task works on."""
CANCELLED_INSIDE = "an exchange was cancelled in the service; a filter may only cancel tasks of its own"


class Service:
    """A chain served on one address. `start`, then `drain` or `stop`; everything in between is Envoy's."""

    def __init__(
        self,
        chain: Chain,
        watch: Watch,
        *,
        observer: Observer | None = None,
        credentials: grpc.ServerCredentials | None = None,
        max_in_flight: int = MAX_IN_FLIGHT,
        connection_age: float = CONNECTION_AGE,
    ) -> None:
        self.age = connection_age
        self._chain = chain
        self._watch = watch
        self._observer = observer
        self._credentials = credentials
        self._limit = max_in_flight
        self._proc_plan = build_plan(chain.needs, "proc")
        self._authz_plan, self._authz_refusal = try_authz(chain)
        self._server: grpc.aio.Server | None = None
        self._port: Port | None = None
        self._in_flight = InFlight(max_in_flight, observer)
        self._health = Health(
            (ext_authz.SERVICE, ext_proc.SERVICE, *(needs.name for needs in chain.needs)),
            refused=() if self._authz_plan else (ext_authz.SERVICE,),
        )
        self._completions: set[asyncio.Task[None]] = set()

    async def start(self, address: Address) -> None:
        """Listen and serve; ListenError where that is not possible."""
        if api_implementation.Type() == "python":
            raise UnsupportedError(
                "protobuf runs in pure Python here, 100 times slower; install its binary wheel"
            )
        server = grpc.aio.server(options=self._options())
        server.add_generic_rpc_handlers((self._handlers(),))
        self._health.add_to(server)
        port = Port(address)
        try:
            if self._credentials is None:
                server.add_insecure_port(port.target)
            else:
                server.add_secure_port(port.target, self._credentials)
        except RuntimeError as error:
            raise ListenError(f"{address} can not be listened on: {error}") from error
        await server.start()
        port.publish()
        self._server, self._port = server, port
        await self._health.serving()

    async def drain(self, seconds: float) -> None:
        """Take no more connections, let open exchanges end within so many seconds, then stop."""
        await self._health.draining()
        if self._port is not None:
            self._port.close()
        await drain(self, seconds)

    async def stop(self, grace: float = 0.0) -> None:
        """End the server. What is open after `grace` seconds is cut: a gRPC error, never OK."""
        await self._health.draining()
        if self._port is not None:
            self._port.withdraw()
        if self._server is not None:
            await self._server.stop(grace)
        if self._completions:
            await asyncio.wait(self._completions, timeout=grace)

    async def empty(self) -> None:
        """Wait until no exchange is open."""
        await self._in_flight.empty()

    def connections(self) -> int | None:
        """Open connections; None where the system does not tell."""
        return self._port.count_connections() if self._port is not None else 0

    def _options(self) -> list[tuple[str, int]]:
        largest = max(LEAST_MESSAGE, max(needs.max_body for needs in self._chain.needs) + SLACK)
        # What waits to be read is bounded by us: gRPC turns away by chance from 1,000 on.
        waiting = max(self._limit, LEAST_WAITING)
        return [
            ("grpc.so_reuseport", 1),
            ("grpc.max_receive_message_length", largest),
            ("grpc.max_send_message_length", -1),
            ("grpc.max_metadata_size", LARGEST_METADATA),
            ("grpc.max_concurrent_streams", 1 << 20),
            ("grpc.max_connection_age_ms", round(1000 * self.age)),
            ("grpc.server.max_pending_requests", waiting),
            ("grpc.server.max_pending_requests_hard_limit", waiting),
            ("grpc.http2.max_ping_strikes", 0),
        ]

    def _handlers(self) -> grpc.GenericRpcHandler:
        # A partial: gRPC looks at each call what kind of function it is, and through a method is a step more.
        check: grpc.RpcMethodHandler[bytes, bytes] = grpc.unary_unary_rpc_method_handler(
            partial(Service._check, self)
        )
        process: grpc.RpcMethodHandler[bytes, bytes] = grpc.stream_stream_rpc_method_handler(self._process)
        return Handlers({f"/{ext_authz.SERVICE}/Check": check, f"/{ext_proc.SERVICE}/Process": process})

    async def _check(self, raw: bytes, context: Any) -> bytes:
        plan = self._authz_plan
        if plan is None:
            await refuse(context, grpc.StatusCode.UNIMPLEMENTED, self._authz_refusal)
        if not self._in_flight.enter("authz"):
            await refuse(context, grpc.StatusCode.RESOURCE_EXHAUSTED, TOO_MANY)
        try:
            return await ext_authz.check(
                raw, METADATA.get(), chain=self._chain, plan=plan, watch=self._watch, observer=self._observer
            )
        except asyncio.CancelledError:
            await refuse_cancelled(context)
            raise
        except Exception as error:
            await refuse_failed(context, error)
        finally:
            self._in_flight.leave()

    async def _process(self, _: Any, context: Any) -> None:
        if not self._in_flight.enter("proc"):
            await refuse(context, grpc.StatusCode.RESOURCE_EXHAUSTED, TOO_MANY)
        try:
            session = ext_proc.Session(
                self._chain, self._proc_plan, self._watch, METADATA.get(), self._observer
            )
            try:
                await converse(session, context)
            except Exception as error:
                await refuse_failed(context, error)
            finally:
                if session.has_completion:
                    self._complete(session)
                else:
                    session.end()
        finally:
            self._in_flight.leave()

    def _complete(self, session: ext_proc.Session) -> None:
        # In a task of its own: the call's may have been cancelled, as every stream is that Envoy drops.
        completion = asyncio.get_running_loop().create_task(session.close())
        self._completions.add(completion)
        completion.add_done_callback(self._completions.discard)


class Handlers(grpc.GenericRpcHandler):
    """Finds the handler of a call, in the call's own task, and keeps its metadata for it.

    A handler could ask its context for them, which makes them again from what came on the wire.
    """

    def __init__(self, handlers: Mapping[str, grpc.RpcMethodHandler[bytes, bytes]]) -> None:
        self._handlers = handlers

    def service(
        self, handler_call_details: grpc.HandlerCallDetails
    ) -> grpc.RpcMethodHandler[bytes, bytes] | None:
        """See `grpc.GenericRpcHandler`."""
        METADATA.set(handler_call_details.invocation_metadata)
        return self._handlers.get(handler_call_details.method)


async def converse(session: ext_proc.Session, context: Any) -> None:
    """Answer every message of one stream until Envoy ends it."""
    task: Any = asyncio.current_task()
    while True:
        raw = await context.read()
        if raw is grpc.aio.EOF:
            return
        if session.answered:
            continue  # sent before Envoy had read the answer
        try:
            answers = await session.receive(raw)
            if task.cancelling():  # by a hook that did not wait: a write would be cancelled, without a status
                raise asyncio.CancelledError
        except asyncio.CancelledError:
            await refuse_cancelled(context)
            raise
        for answer in answers:
            await context.write(answer)


async def refuse_failed(context: Any, error: Exception) -> NoReturn:
    """End a call with an error for what ended the work on it: one that ends with OK lets the request pass."""
    if isinstance(error, grpc.aio.AbortError):
        raise error
    if isinstance(error, ResponseCut):
        log.warning("%s", error)
        await refuse(context, grpc.StatusCode.ABORTED, SEE_LOG)
    if isinstance(error, ProtocolError):
        log.error("refused a message: %s", error)
        await refuse(context, grpc.StatusCode.FAILED_PRECONDITION, SEE_LOG)
    log.error("an exchange failed inside the service", exc_info=error)
    await refuse(context, grpc.StatusCode.INTERNAL, SEE_LOG)


async def refuse_cancelled(context: Any) -> None:
    """End a call whose hooks have begun and were cancelled; never as CANCELLED, which Envoy would ask again.

    CANCELLED is what gRPC makes of a handler that was cancelled. Envoy itself does that by ending the call;
    nobody hears an answer then. Else it was a filter, with tasks that are not its own.
    """
    try:
        await refuse(context, grpc.StatusCode.ABORTED, SEE_LOG)
    except grpc.aio.InternalError:
        return  # Envoy has ended the call
    except grpc.aio.AbortError:
        log.error(CANCELLED_INSIDE)
        raise


async def refuse(context: Any, code: grpc.StatusCode, details: str) -> NoReturn:
    """End the call with a gRPC error."""
    await context.abort(code, details)
    raise AssertionError("abort raises")


def try_authz(chain: Chain) -> tuple[Plan | None, str]:
    """The plan for ext_authz, or why there is none: then its calls are refused by name."""
    try:
        return build_plan(chain.needs, "authz"), ""
    except MeshextError as error:
        return None, str(error)
