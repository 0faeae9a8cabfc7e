"""The gRPC server: both of Envoy's protocols and health on one port, over grpcio's asyncio."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, NoReturn, TypeVar
from urllib.parse import quote

import grpc
from google.protobuf.internal import api_implementation
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from meshext.engine.chain import Chain
from meshext.engine.watch import Watch
from meshext.errors import ListenError, MeshextError, ProtocolError, ResponseCut, UnsupportedError
from meshext.hosts import ext_authz, ext_proc
from meshext.hosts.address import Address
from meshext.plan import Plan, build_plan

log = logging.getLogger("meshext.service")

T = TypeVar("T")

SLACK = 1 << 20  # bytes of headers, attributes and framing around a body
LEAST_MESSAGE = 64 << 20  # bytes; above what Envoy buffers by default (16 MiB over HTTP/2), so that an
# oversized body is refused with 413 here and does not end the call, which `failure = "open"` would let pass
LARGEST_METADATA = 64 << 10  # bytes; a certificate's URI SANs travel there
GRACE = 5.0  # seconds that open exchanges have when the server stops


class Service:
    """A chain served on one address. `start`, then `stop`; everything in between is Envoy's."""

    def __init__(self, chain: Chain, watch: Watch) -> None:
        self._chain = chain
        self._watch = watch
        self._proc_plan = build_plan(chain.needs, "proc")
        self._authz_plan, self._authz_refusal = try_authz(chain)
        self._server: grpc.aio.Server | None = None
        self._health = health.aio.HealthServicer()
        self._completions: set[asyncio.Task[None]] = set()

    async def start(self, address: Address) -> None:
        """Listen and serve; ListenError where that is not possible."""
        if api_implementation.Type() == "python":
            raise UnsupportedError(
                "protobuf runs in pure Python here, 100 times slower; install its binary wheel"
            )
        largest = max(LEAST_MESSAGE, max(needs.max_body for needs in self._chain.needs) + SLACK)
        server = grpc.aio.server(
            options=[
                ("grpc.so_reuseport", 1),
                ("grpc.max_receive_message_length", largest),
                ("grpc.max_send_message_length", -1),
                ("grpc.max_metadata_size", LARGEST_METADATA),
                ("grpc.max_concurrent_streams", 1 << 20),
                ("grpc.http2.max_ping_strikes", 0),
            ]
        )
        server.add_generic_rpc_handlers(self._handlers())
        health_pb2_grpc.add_HealthServicer_to_server(self._health, server)
        target = f"unix:{quote(address.path)}" if address.path else str(address)  # gRPC decodes %41
        try:
            server.add_insecure_port(target)
        except RuntimeError as error:
            raise ListenError(f"{address} can not be listened on: {error}") from error
        await server.start()
        self._server = server
        await self._set_health(health_pb2.HealthCheckResponse.SERVING)

    async def stop(self, grace: float = GRACE) -> None:
        """Take no more exchanges, let open ones end within `grace` seconds."""
        await self._set_health(health_pb2.HealthCheckResponse.NOT_SERVING)
        if self._server is not None:
            await self._server.stop(grace)
        if self._completions:
            await asyncio.wait(self._completions, timeout=grace)

    async def _set_health(self, status: Any) -> None:
        for name in ("", ext_authz.SERVICE, ext_proc.SERVICE):
            refused = name == ext_authz.SERVICE and self._authz_plan is None
            await self._health.set(name, health_pb2.HealthCheckResponse.NOT_SERVING if refused else status)

    def _handlers(self) -> tuple[grpc.GenericRpcHandler, ...]:
        check: grpc.RpcMethodHandler[bytes, bytes] = grpc.unary_unary_rpc_method_handler(self._check)
        process: grpc.RpcMethodHandler[bytes, bytes] = grpc.stream_stream_rpc_method_handler(self._process)
        return (
            grpc.method_handlers_generic_handler(ext_authz.SERVICE, {"Check": check}),
            grpc.method_handlers_generic_handler(ext_proc.SERVICE, {"Process": process}),
        )

    async def _check(self, raw: bytes, context: Any) -> bytes:
        plan = self._authz_plan
        if plan is None:
            await refuse(context, grpc.StatusCode.UNIMPLEMENTED, self._authz_refusal)
        metadata = context.invocation_metadata()
        return await guarded(
            context,
            lambda: ext_authz.check(raw, metadata, chain=self._chain, plan=plan, watch=self._watch),
        )

    async def _process(self, _: Any, context: Any) -> None:
        session = ext_proc.Session(self._chain, self._proc_plan, self._watch, context.invocation_metadata())
        try:
            await guarded(context, lambda: converse(session, context))
        finally:
            # In a task of its own: this one may have been cancelled, as every stream is that Envoy drops.
            completion = asyncio.get_running_loop().create_task(session.close())
            self._completions.add(completion)
            completion.add_done_callback(self._completions.discard)


async def converse(session: ext_proc.Session, context: Any) -> None:
    """Answer every message of one stream until Envoy ends it."""
    while True:
        raw = await context.read()
        if raw is grpc.aio.EOF:
            return
        if session.answered:
            continue  # sent before Envoy had read the answer
        for answer in await session.receive(raw):
            await context.write(answer)


async def guarded(context: Any, work: Callable[[], Awaitable[T]]) -> T:
    """Every abnormal end is a gRPC error: a stream that ends with OK would let the request pass."""
    try:
        return await work()
    except ResponseCut as error:
        log.warning("%s", error)
        await refuse(context, grpc.StatusCode.ABORTED, "see the service's log")
    except ProtocolError as error:
        log.error("refused a message: %s", error)
        await refuse(context, grpc.StatusCode.FAILED_PRECONDITION, "see the service's log")
    except grpc.aio.AbortError:
        raise
    except Exception:
        log.exception("an exchange failed inside the service")
        await refuse(context, grpc.StatusCode.INTERNAL, "see the service's log")


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
