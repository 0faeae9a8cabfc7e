"""Joining and Renewal over gRPC (`proto/meshext/svids.proto`): bytes in, bytes out, errors as statuses."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable
from typing import Any, NoReturn, TypeVar

import grpc
from google.protobuf.message import DecodeError, Message

from meshext.errors import MeshextError
from meshext_controlplane.identity.clock import utc_now
from meshext_controlplane.identity.csr import LARGEST
from meshext_controlplane.identity.enrollment import Enrollment
from meshext_controlplane.identity.errors import (
    AudienceError,
    BannedError,
    BusyError,
    CsrError,
    PeerError,
    SubjectError,
    TokenError,
)
from meshext_controlplane.identity.grouped import Grouped, Joining, Renewal
from meshext_controlplane.identity.peer import Peer
from meshext_controlplane.identity.refusals import Refusals
from meshext_controlplane.identity.svid import Svid, Trust
from meshext_controlplane.identity.trust_feed import TrustFeed
from meshext_controlplane.state.worker import StateThread
from meshext_proto.meshext import svids_pb2

JOINING = "meshext.svids.Joining"
RENEWAL = "meshext.svids.Renewal"
LARGEST_MESSAGE = LARGEST + 4096  # bytes: a request for a certificate, a token, and some room

STATUS: tuple[tuple[type[MeshextError], grpc.StatusCode], ...] = (
    (TokenError, grpc.StatusCode.UNAUTHENTICATED),
    (PeerError, grpc.StatusCode.UNAUTHENTICATED),
    (BannedError, grpc.StatusCode.PERMISSION_DENIED),
    (SubjectError, grpc.StatusCode.PERMISSION_DENIED),
    (CsrError, grpc.StatusCode.INVALID_ARGUMENT),
    (AudienceError, grpc.StatusCode.INVALID_ARGUMENT),
    (BusyError, grpc.StatusCode.RESOURCE_EXHAUSTED),
    (MeshextError, grpc.StatusCode.UNAVAILABLE),
)
"""What an error is to the caller; what is not his fault (disk, authority) may be tried again."""

UNAVAILABLE = "no certificate can be issued now, see the control plane's log; try again"

log = logging.getLogger("meshext.identity")

Context = Any  # grpc.aio.ServicerContext, whose stubs know less than it has
R = TypeVar("R")
M = TypeVar("M", bound=Message)


class JoiningService:
    """For a port of its own, where clients have no certificate."""

    def __init__(self, enrollment: Enrollment, thread: StateThread) -> None:
        self._joinings: Grouped[Joining] = Grouped(enrollment.join_all, thread)
        self._refusals = Refusals()

    def handlers(self) -> tuple[grpc.GenericRpcHandler, ...]:
        """To add to a grpc.aio server."""
        methods: dict[str, grpc.RpcMethodHandler[bytes, bytes]] = {
            "Join": grpc.unary_unary_rpc_method_handler(self._join)
        }
        return (grpc.method_handlers_generic_handler(JOINING, methods),)

    async def _join(self, body: bytes, context: Context) -> bytes:
        request = await parse(svids_pb2.JoinRequest, body, context)
        joined = self._joinings.ask((request.token, request.csr))
        svid = await answer(joined, context, self._refusals)
        log.info("%s has joined: certificate %s until %s", svid.identity, svid.serial, svid.not_after)
        return encode_svid(svid)


class RenewalService:
    """For the port of ADS: the identity is that of the caller's certificate."""

    def __init__(self, enrollment: Enrollment, thread: StateThread, feed: TrustFeed) -> None:
        self._enrollment = enrollment
        self._thread = thread
        self._renewals: Grouped[Renewal] = Grouped(enrollment.renew_all, thread)
        self._refusals = Refusals()
        self._feed = feed

    def handlers(self) -> tuple[grpc.GenericRpcHandler, ...]:
        """To add to a grpc.aio server."""
        methods: dict[str, grpc.RpcMethodHandler[Any, Any]] = {
            "Renew": grpc.unary_unary_rpc_method_handler(self._renew),
            "WatchTrust": grpc.unary_stream_rpc_method_handler(self._watch_trust),
        }
        return (grpc.method_handlers_generic_handler(RENEWAL, methods),)

    async def _renew(self, body: bytes, context: Context) -> bytes:
        request = await parse(svids_pb2.RenewRequest, body, context)
        peer = await self._admit(context)
        svid = await answer(self._renewals.ask((peer, request.csr)), context, self._refusals)
        log.info("%s has renewed: certificate %s until %s", svid.identity, svid.serial, svid.not_after)
        return encode_svid(svid)

    async def _watch_trust(self, body: bytes, context: Context) -> AsyncIterator[bytes]:
        await parse(svids_pb2.WatchTrustRequest, body, context)
        peer = await self._admit(context)
        told: Trust | None = None
        while True:
            changed = asyncio.ensure_future(self._feed.change())
            try:
                trust = await answer(self._feed.current(), context, self._refusals)
                if trust != told:
                    yield encode_trust(trust)
                    told = trust
                left = (peer.not_after - utc_now()).total_seconds()
                await asyncio.wait([changed], timeout=max(left, 0.0))
            finally:
                changed.cancel()
            await answer(self._thread.run(self._enrollment.check, peer), context, self._refusals)

    async def _admit(self, context: Context) -> Peer:
        admitted = self._thread.run(self._enrollment.admit, context.auth_context())
        return await answer(admitted, context, self._refusals)


def encode_svid(svid: Svid) -> bytes:
    """As it goes over the wire."""
    return svids_pb2.Svid(
        spiffe_id=str(svid.identity),
        chain=svid.chain,
        roots=svid.trust.roots,
        revocations=svid.trust.revocations,
        jwt_keys=to_jwt_keys(svid.trust),
        banned=svid.trust.banned,
    ).SerializeToString()


def encode_trust(trust: Trust) -> bytes:
    """As it goes over the wire."""
    return svids_pb2.Trust(
        roots=trust.roots,
        revocations=trust.revocations,
        jwt_keys=to_jwt_keys(trust),
        banned=trust.banned,
    ).SerializeToString()


def to_jwt_keys(trust: Trust) -> list[svids_pb2.JwtKey]:
    """What tokens are checked with."""
    return [svids_pb2.JwtKey(id=each.id, public=each.public) for each in trust.jwt_keys]


async def parse(kind: type[M], body: bytes, context: Context) -> M:
    """The message; INVALID_ARGUMENT where the bytes are too many or none of it."""
    try:
        if len(body) > LARGEST_MESSAGE:
            raise DecodeError
        return kind.FromString(body)
    except DecodeError:
        await refuse(context, grpc.StatusCode.INVALID_ARGUMENT, f"no {kind.DESCRIPTOR.full_name}")


async def answer(work: Awaitable[R], context: Context, refusals: Refusals) -> R:
    """What the work gives, or the end of the call with the status of its error."""
    try:
        return await work
    except MeshextError as error:
        status = next(status for kind, status in STATUS if isinstance(error, kind))
        refusals.tell(context.peer(), error)
        told = UNAVAILABLE if status is grpc.StatusCode.UNAVAILABLE else str(error)
    except Exception:
        log.exception("a call of %s has failed", context.peer())
        status, told = grpc.StatusCode.INTERNAL, UNAVAILABLE
    return await refuse(context, status, told)


async def refuse(context: Context, status: grpc.StatusCode, text: str) -> NoReturn:
    """End the call."""
    await context.abort(status, text)
    raise AssertionError("abort returned")
