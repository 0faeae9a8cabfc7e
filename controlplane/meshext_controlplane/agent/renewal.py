"""The SVID renewed at half its life, with a new key each time; the old one serves on while that fails."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable
from datetime import UTC, datetime

import grpc
import grpc.aio

from meshext_controlplane.agent.backoff import Backoff
from meshext_controlplane.agent.channels import ControlPlane, say
from meshext_controlplane.agent.errors import AgentError, SvidError, UnreachableError
from meshext_controlplane.agent.svid import Svid, build_csr, check_svid, make_key
from meshext_controlplane.identity.rotation import rotate_at
from meshext_proto.meshext import svids_pb2

RENEW = "/meshext.svids.Renewal/Renew"
TIME_LIMIT = 10.0  # seconds for one call
_LONGEST_SLEEP = 20.0  # seconds; a clock that was set, or a machine that slept, is noticed after that

log = logging.getLogger("meshext.sidecar")


async def keep_renewed(
    control_plane: ControlPlane,
    keep: Callable[[Svid], None],
    *,
    backoff: Backoff | None = None,
    chance: Callable[[], float] = random.random,
) -> None:
    """Renew for ever. `keep` stores a new SVID before it is used; AgentError from it is logged."""
    waits = backoff or Backoff(first=1.0, longest=60.0)
    credentials = control_plane.credentials
    while True:
        await _sleep_until(renew_at(credentials.svid, datetime.now(UTC), chance()))
        svid = await _renew_with_patience(control_plane, waits)
        try:
            keep(svid)
        except AgentError as error:  # a full disk: a restart would need the old one, traffic needs the new
            log.error("the renewed certificate is in use but not stored: %s", error)
        credentials.replace(svid)
        log.info("certificate of %s renewed, valid until %s UTC", svid.identity, f"{svid.not_after:%F %T}")


def renew_at(svid: Svid, now: datetime, draw: float) -> datetime:
    """When to renew a certificate that we have since `now`: at half of its life; `draw` is from 0 to 1.

    Not before a quarter of what is left: where clocks differ, or lives are short, half of it may be over.
    """
    half = rotate_at(svid.not_before, svid.not_after, draw=draw)
    return max(half, min(now + (svid.not_after - now) / 4, svid.not_after))


async def renew(control_plane: ControlPlane) -> Svid:
    """One new SVID with a new key. UnreachableError or SvidError."""
    key = make_key()
    async with control_plane.open() as channel:
        call = channel.unary_unary(
            RENEW,
            request_serializer=svids_pb2.RenewRequest.SerializeToString,
            response_deserializer=svids_pb2.Svid.FromString,
        )
        try:
            answer = await call(svids_pb2.RenewRequest(csr=build_csr(key)), timeout=TIME_LIMIT)
        except grpc.aio.AioRpcError as error:
            raise UnreachableError(say(error)) from None
    svid = check_svid(answer, key)
    if svid.identity != control_plane.credentials.svid.identity:
        raise SvidError(f"the control plane answered with the certificate of {svid.identity}")
    return svid


async def _renew_with_patience(control_plane: ControlPlane, waits: Backoff) -> Svid:
    while True:
        try:
            svid = await renew(control_plane)
        except (UnreachableError, SvidError) as error:
            wait = waits.next()
            left = control_plane.credentials.svid.seconds_left(datetime.now(UTC))
            _complain(error, left, wait)
        else:
            waits.reset()
            return svid
        await asyncio.sleep(wait)


def _complain(error: Exception, left: float, wait: float) -> None:
    if left > 0:
        log.warning(
            "can not renew the certificate, which is valid for %.0f s: %s; again in %.1f s", left, error, wait
        )
    else:
        log.error("the certificate has expired and peers refuse it: %s; a new --token gives another", error)


async def _sleep_until(moment: datetime) -> None:
    # The wall clock may be set and the machine may sleep: no single wait is for the whole time.
    while (left := (moment - datetime.now(UTC)).total_seconds()) > 0:  # noqa: ASYNC110
        await asyncio.sleep(min(left, _LONGEST_SLEEP))
