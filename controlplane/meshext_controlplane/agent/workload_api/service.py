"""The methods of the Workload API over gRPC: bytes in, bytes out, refusals as the standard's statuses."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import UTC, datetime
from typing import Any, NoReturn, TypeVar

import grpc
import grpc.aio
from google.protobuf.message import DecodeError, Message

from meshext_controlplane.agent.credentials import Credentials
from meshext_controlplane.agent.errors import RefusedError, UnreachableError
from meshext_controlplane.agent.metrics import Counts
from meshext_controlplane.agent.svid import Svid
from meshext_controlplane.agent.workload_api.answers import (
    build_jwt_bundles,
    build_validated,
    build_x509_bundles,
    build_x509_svid,
    find_refusal,
)
from meshext_controlplane.agent.workload_api.tokens import Tokens
from meshext_controlplane.identity.errors import AudienceError, JwtError
from meshext_controlplane.identity.jwt_checking import check_jwt_svid
from meshext_controlplane.identity.jwt_svid import check_audiences
from meshext_proto.spiffe import workload_pb2

SERVICE = "SpiffeWorkloadAPI"
PROOF = ("workload.spiffe.io", "true")
"""Metadata that every call has to carry: SPIFFE_Workload_Endpoint.md, section 3. A request that somebody was
talked into sending (SSRF) does not have it."""

OPTIONS: tuple[tuple[str, int], ...] = (
    ("grpc.so_reuseport", 0),
    ("grpc.max_concurrent_streams", 64),
    ("grpc.max_metadata_size", 8_192),
    ("grpc.max_receive_message_length", 65_536),
    ("grpc.http2.min_ping_interval_without_data_ms", 5_000),
    ("grpc.http2.max_ping_strikes", 2),
)
"""For the server on the socket."""

_LONGEST_WAIT = 20.0  # seconds; a clock that was set, or a machine that slept, is noticed after that

Context = Any  # grpc.aio.ServicerContext, whose stubs know less than it has
Build = Callable[[Svid], Message]
M = TypeVar("M", bound=Message)

log = logging.getLogger("meshext.sidecar")


STREAMS: Mapping[str, tuple[type[Message], Build]] = {
    "FetchX509SVID": (workload_pb2.X509SVIDRequest, build_x509_svid),
    "FetchX509Bundles": (workload_pb2.X509BundlesRequest, build_x509_bundles),
    "FetchJWTBundles": (workload_pb2.JWTBundlesRequest, build_jwt_bundles),
}
"""Methods that tell something of the SVID, and tell it again when it is something else."""


class WorkloadApi:
    """Serves the SVID of the moment; PERMISSION_DENIED as long as `identify` was not called.

    A stream gets a message whenever that would be another one than the last, and ends when the SVID is not
    valid any more.
    """

    def __init__(self, counts: Counts | None = None) -> None:
        self.counts = counts or Counts()
        """What becomes of calls; the sidecar counts the rest there."""
        self._known: tuple[Credentials, Tokens] | None = None

    def identify(self, credentials: Credentials, tokens: Tokens) -> None:
        """From now on the application has this identity, and tokens of it."""
        self._known = credentials, tokens

    def handlers(self) -> grpc.GenericRpcHandler:
        """To be added to a grpc.aio server."""
        methods = {name: self._stream(name, *each) for name, each in STREAMS.items()}
        methods["FetchJWTSVID"] = grpc.unary_unary_rpc_method_handler(self._fetch_jwt_svid)
        methods["ValidateJWTSVID"] = grpc.unary_unary_rpc_method_handler(self._validate_jwt_svid)
        return grpc.method_handlers_generic_handler(SERVICE, methods)

    def _stream(self, name: str, request: type[Message], build: Build) -> grpc.RpcMethodHandler[Any, Any]:
        async def serve(body: bytes, context: Context) -> AsyncIterator[bytes]:
            await self._begin(name, request, body, context)
            told = b""
            while True:
                svid, credentials, _ = await self._entitled(context)
                message = build(svid).SerializeToString(deterministic=True)
                if message != told:
                    yield message
                    told = message
                await _other_than(credentials, svid)

        return grpc.unary_stream_rpc_method_handler(serve)

    async def _fetch_jwt_svid(self, body: bytes, context: Context) -> bytes:
        request = await self._begin("FetchJWTSVID", workload_pb2.JWTSVIDRequest, body, context)
        svid, _, tokens = await self._entitled(context)
        if request.spiffe_id not in ("", str(svid.identity)):
            text = f"the application is {svid.identity}, and gets no token of {request.spiffe_id[:80]!r}"
            await self._refuse(context, grpc.StatusCode.PERMISSION_DENIED, text)
        try:
            token = await tokens.get(check_audiences(request.audience))
        except AudienceError as error:
            await self._refuse(context, grpc.StatusCode.INVALID_ARGUMENT, str(error))
        except RefusedError as error:
            await self._refuse(context, grpc.StatusCode[error.code], str(error))
        except UnreachableError as error:
            await self._refuse(context, grpc.StatusCode.UNAVAILABLE, str(error))
        message = workload_pb2.JWTSVIDResponse()
        message.svids.add(spiffe_id=str(svid.identity), svid=token)
        return message.SerializeToString()

    async def _validate_jwt_svid(self, body: bytes, context: Context) -> bytes:
        kind = workload_pb2.ValidateJWTSVIDRequest
        request = await self._begin("ValidateJWTSVID", kind, body, context)
        svid, _, _ = await self._entitled(context)
        if not request.audience:
            await self._refuse(context, grpc.StatusCode.INVALID_ARGUMENT, "name the audience that you are")
        try:
            believed = check_jwt_svid(
                request.svid,
                svid.jwt_keys,
                audience=request.audience,
                trust_domain=svid.identity.trust_domain,
                now=time.time(),
                banned=svid.banned,
            )
            return build_validated(believed).SerializeToString()
        except (JwtError, ValueError) as error:
            await self._refuse(context, grpc.StatusCode.INVALID_ARGUMENT, str(error))

    async def _entitled(self, context: Context) -> tuple[Svid, Credentials, Tokens]:
        """What the application has, and where more comes from; the call ends where that is nothing."""
        if self._known is None:
            await self._refuse(
                context, grpc.StatusCode.PERMISSION_DENIED, "this sidecar has not joined its mesh yet"
            )
        credentials, tokens = self._known
        svid = credentials.svid
        if refusal := find_refusal(svid, datetime.now(UTC)):
            await self._refuse(context, grpc.StatusCode.PERMISSION_DENIED, refusal)
        return svid, credentials, tokens

    async def _begin(self, name: str, kind: type[M], body: bytes, context: Context) -> M:
        """The request of a call; one without `PROOF`, with another value beside it, or with bytes that are
        no request is ended with INVALID_ARGUMENT."""
        self.counts.asked(name)
        key, value = PROOF
        if [each for found, each in context.invocation_metadata() or () if found == key] != [value]:
            await self._refuse(
                context, grpc.StatusCode.INVALID_ARGUMENT, f"the metadata {key}: {value} is missing"
            )
        try:
            return kind.FromString(body)
        except DecodeError:
            text = f"no {kind.DESCRIPTOR.full_name}"
            await self._refuse(context, grpc.StatusCode.INVALID_ARGUMENT, text)

    async def _refuse(self, context: Context, status: grpc.StatusCode, text: str) -> NoReturn:
        """End a call."""
        self.counts.denied(status.name)
        await context.abort(status, text)
        raise AssertionError("abort returned")


async def _other_than(credentials: Credentials, svid: Svid) -> None:
    """Until there is another SVID, this one has expired, or it is time to look at the clock."""
    left = svid.seconds_left(datetime.now(UTC))
    try:
        async with asyncio.timeout(min(max(left, 0.0), _LONGEST_WAIT)):
            await credentials.changed(svid)
    except TimeoutError:
        pass
