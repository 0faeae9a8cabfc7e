"""Joining the mesh: a token and a key become a certificate."""

from __future__ import annotations

import asyncio
import logging

import grpc
import grpc.aio

from meshext.envoy.upstreams import TcpAddress
from meshext_controlplane.agent.backoff import Backoff
from meshext_controlplane.agent.channels import open_joining_channel, say
from meshext_controlplane.agent.errors import JoinError, UnreachableError
from meshext_controlplane.agent.root import fetch_trust
from meshext_controlplane.agent.svid import Key, Svid, build_csr, check_svid
from meshext_proto.meshext import svids_pb2

JOIN = "/meshext.svids.Joining/Join"
TIME_LIMIT = 10.0  # seconds for one call
_TRY_AGAIN = frozenset(
    {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.RESOURCE_EXHAUSTED}
)

log = logging.getLogger("meshext.sidecar")


async def join(
    address: TcpAddress, token: str, fingerprint: bytes, key: Key, *, patience: float = 60.0
) -> Svid:
    """The first SVID, for `key`. A control plane that can not be reached is tried for `patience` seconds.

    ForgedServerError where it is not the one of the token, JoinError where it refuses the token,
    UnreachableError where it stays away, SvidError where it gives a certificate that is none of ours.
    """
    backoff = Backoff(first=0.2, longest=5.0)
    end = asyncio.get_running_loop().time() + patience
    while True:
        try:
            return await _try(address, token, fingerprint, key)
        except UnreachableError as error:
            wait = backoff.next()
            if asyncio.get_running_loop().time() + wait > end:
                raise
            log.warning("%s; trying again", error)
        await asyncio.sleep(wait)


async def _try(address: TcpAddress, token: str, fingerprint: bytes, key: Key) -> Svid:
    root = await fetch_trust(address, fingerprint)
    async with open_joining_channel(address, root) as channel:
        call = channel.unary_unary(
            JOIN,
            request_serializer=svids_pb2.JoinRequest.SerializeToString,
            response_deserializer=svids_pb2.Svid.FromString,
        )
        try:
            answer = await call(
                svids_pb2.JoinRequest(token=token, csr=build_csr(key)),
                timeout=TIME_LIMIT,
                wait_for_ready=False,
            )
        except grpc.aio.AioRpcError as error:
            if error.code() in _TRY_AGAIN:
                raise UnreachableError(
                    f"the control plane at {address} gave no answer ({say(error)})"
                ) from None
            raise JoinError(f"the control plane refused the token ({say(error)})") from None
    return check_svid(answer, key)
