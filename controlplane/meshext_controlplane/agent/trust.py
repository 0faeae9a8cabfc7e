"""Whom to trust, kept up to date between renewals: a ban or a new root counts at once."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace

import grpc
import grpc.aio

from meshext_controlplane.agent.backoff import Backoff
from meshext_controlplane.agent.channels import ControlPlane, say
from meshext_controlplane.agent.credentials import Credentials
from meshext_controlplane.agent.errors import AgentError, SvidError, UnreachableError
from meshext_controlplane.agent.metrics import Counts
from meshext_controlplane.agent.svid import Svid
from meshext_proto.meshext import svids_pb2

WATCH = "/meshext.svids.Renewal/WatchTrust"

log = logging.getLogger("meshext.sidecar")


async def keep_trust(
    control_plane: ControlPlane, keep: Callable[[Svid], None], *, counts: Counts | None = None
) -> None:
    """Follow the control plane's word for ever. `keep` stores what is new; AgentError from it is logged.

    While the control plane is away the last word counts.
    """
    backoff = Backoff(longest=10.0)
    credentials, counts = control_plane.credentials, counts or Counts()
    while True:
        watching = asyncio.create_task(_watch(control_plane, keep, backoff, counts))
        renewed = asyncio.create_task(credentials.renewed(credentials.svid))
        try:
            await asyncio.wait({watching, renewed}, return_when=asyncio.FIRST_COMPLETED)
            if not renewed.done():
                watching.result()
        except UnreachableError as error:
            wait = backoff.next()
            log.debug("can not follow whom to trust (%s); again in %.1f s", error, wait)
            await asyncio.sleep(wait)
        finally:
            for task in (watching, renewed):
                task.cancel()
            await asyncio.gather(watching, renewed, return_exceptions=True)


async def _watch(
    control_plane: ControlPlane, keep: Callable[[Svid], None], backoff: Backoff, counts: Counts
) -> None:
    """One stream, until it ends: always UnreachableError."""
    async with control_plane.open() as channel:
        call = channel.unary_stream(
            WATCH,
            request_serializer=svids_pb2.WatchTrustRequest.SerializeToString,
            response_deserializer=svids_pb2.Trust.FromString,
        )
        try:
            async for trust in call(svids_pb2.WatchTrustRequest()):
                backoff.reset()
                if _take(control_plane, trust, keep):
                    counts.trust_changed()
        except grpc.aio.AioRpcError as error:
            if error.code() is grpc.StatusCode.PERMISSION_DENIED:
                _note_ban(control_plane.credentials, say(error))
            raise UnreachableError(say(error)) from None
    raise UnreachableError("the control plane ended the stream")


def _note_ban(credentials: Credentials, reason: str) -> None:
    """Who is banned is told nothing any more, not even that; what the control plane says next undoes it."""
    svid = credentials.svid
    if str(svid.identity) not in svid.banned:
        log.error("the control plane has nothing for this workload any more: %s", reason)
        credentials.replace(replace(svid, banned=(*svid.banned, str(svid.identity))))


def _take(control_plane: ControlPlane, trust: svids_pb2.Trust, keep: Callable[[Svid], None]) -> bool:
    """Use what is new; whether it was."""
    now = control_plane.credentials.svid
    try:
        svid = now.trusting(trust)
        if svid == now:
            return False
        keep(svid)
    except SvidError as error:
        log.error("what the control plane says about trust is not used: %s", error)
        return False
    except AgentError as error:
        log.error("whom to trust has changed and is not stored: %s", error)
    control_plane.credentials.replace(svid)
    log.info(
        "trust has changed: %d roots, %d lists of bans, %d keys of tokens",
        *map(len, (svid.roots, svid.revocations, svid.jwt_keys)),
    )
    return True
