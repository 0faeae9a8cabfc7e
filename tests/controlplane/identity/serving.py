"""Both ports of the control plane, as far as identities go, and clients of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import grpc

from meshext_controlplane.identity.enrollment import Enrollment
from meshext_controlplane.identity.jwt_authority import JwtAuthority
from meshext_controlplane.identity.jwt_service import TokensService
from meshext_controlplane.identity.keys import PrivateKey, new_key, to_pkcs8
from meshext_controlplane.identity.own_svid import DNS_NAME, OwnSvid
from meshext_controlplane.identity.pace import Pace
from meshext_controlplane.identity.services import JOINING, RENEWAL, JoiningService, RenewalService
from meshext_controlplane.identity.svid import to_pem
from meshext_controlplane.identity.trust_feed import TrustFeed
from meshext_controlplane.state.store import StateStore
from meshext_controlplane.state.worker import StateThread
from meshext_proto.meshext import svids_pb2
from tests.controlplane.identity.requests import csr

OPTIONS = (("grpc.ssl_target_name_override", DNS_NAME),)


@dataclass(frozen=True)
class Served:
    """Two ports, and what stands behind them."""

    join: int
    ads: int
    own: OwnSvid
    feed: TrustFeed


@asynccontextmanager
async def serving(
    store: StateStore, enrollment: Enrollment, *, jwt: JwtAuthority | None = None, pace: Pace | None = None
) -> AsyncIterator[Served]:
    """Joining and Renewal on ports of their own, and Tokens beside the latter where `jwt` signs some."""
    thread = StateThread()
    own = OwnSvid(enrollment.authority)
    feed = TrustFeed(store, enrollment.authority, thread)
    joining, ads = grpc.aio.server(), grpc.aio.server()
    joining.add_generic_rpc_handlers(JoiningService(enrollment, thread).handlers())
    ads.add_generic_rpc_handlers(RenewalService(enrollment, thread, feed).handlers())
    if jwt is not None:
        ads.add_generic_rpc_handlers(TokensService(jwt, thread, pace=pace).handlers())
    join_port = joining.add_secure_port("127.0.0.1:0", own.join_credentials())
    ads_port = ads.add_secure_port("127.0.0.1:0", own.ads_credentials())
    await joining.start()
    await ads.start()
    try:
        yield Served(join_port, ads_port, own, feed)
    finally:
        await joining.stop(None)
        await ads.stop(None)
        thread.close()


@dataclass(frozen=True)
class Member:
    """A workload with its key and what it was given."""

    key: PrivateKey
    svid: svids_pb2.Svid

    def channel(self, port: int) -> grpc.aio.Channel:
        credentials = grpc.ssl_channel_credentials(
            to_pem(tuple(self.svid.roots)), to_pkcs8_pem(self.key), to_pem(tuple(self.svid.chain))
        )
        return grpc.aio.secure_channel(f"127.0.0.1:{port}", credentials, OPTIONS)

    async def renew(self, port: int, request: bytes | None = None) -> svids_pb2.Svid:
        message = svids_pb2.RenewRequest(csr=csr(key=self.key) if request is None else request)
        async with self.channel(port) as channel:
            return await unary(channel, f"/{RENEWAL}/Renew", message)

    @asynccontextmanager
    async def watching(self, port: int) -> AsyncIterator[Callable[[], Any]]:
        """What gives the next `Trust` of a stream."""
        async with self.channel(port) as channel:
            method: Any = channel.unary_stream(
                f"/{RENEWAL}/WatchTrust", response_deserializer=svids_pb2.Trust.FromString
            )
            call = method(b"")
            yield lambda: asyncio.wait_for(call.read(), 20)


async def join(port: int, roots: bytes, token: str, key: PrivateKey | None = None) -> Member:
    """A workload that has joined."""
    key = key or new_key()
    credentials = grpc.ssl_channel_credentials(roots)
    message = svids_pb2.JoinRequest(token=token, csr=csr(key=key))
    async with grpc.aio.secure_channel(f"127.0.0.1:{port}", credentials, OPTIONS) as channel:
        return Member(key, await unary(channel, f"/{JOINING}/Join", message))


async def unary(
    channel: grpc.aio.Channel, method: str, message: Any, *, patience: float = 20
) -> svids_pb2.Svid:
    call: Any = channel.unary_unary(
        method,
        request_serializer=lambda each: each.SerializeToString(),
        response_deserializer=svids_pb2.Svid.FromString,
    )
    svid: svids_pb2.Svid = await call(message, timeout=patience)
    return svid


def to_pkcs8_pem(key: PrivateKey) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding

    return to_pkcs8(key, Encoding.PEM)
