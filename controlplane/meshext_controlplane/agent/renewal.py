"""The SVID renewed at half its life, with a new key each time; the old one serves on while that fails.

While the mesh goes from one root to another it is renewed soon: so the control plane learns that this
workload trusts the new one, and the workload comes to a certificate of it.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import grpc
import grpc.aio

from meshext_controlplane.agent.backoff import Backoff
from meshext_controlplane.agent.channels import ControlPlane, say
from meshext_controlplane.agent.credentials import Credentials
from meshext_controlplane.agent.errors import AgentError, SvidError, UnreachableError
from meshext_controlplane.agent.metrics import Counts
from meshext_controlplane.agent.svid import Svid, build_csr, check_svid, make_key
from meshext_controlplane.identity.rotation import rotate_at
from meshext_proto.meshext import svids_pb2

RENEW = "/meshext.svids.Renewal/Renew"
TIME_LIMIT = 10.0  # seconds for one call
SOON = timedelta(seconds=30)
"""Within which a sidecar renews that has heard of other roots, or a twentieth of a shorter life."""

_LONGEST_SLEEP = 20.0  # seconds; a clock that was set, or a machine that slept, is noticed after that

log = logging.getLogger("meshext.sidecar")


async def keep_renewed(
    control_plane: ControlPlane,
    keep: Callable[[Svid], None],
    *,
    counts: Counts | None = None,
    backoff: Backoff | None = None,
    chance: Callable[[], float] = random.random,
) -> None:
    """Renew for ever. `keep` stores a new SVID before it is used; AgentError from it is logged."""
    waits, counts = backoff or Backoff(first=1.0, longest=60.0), counts or Counts()
    credentials = control_plane.credentials
    settled = len(credentials.svid.roots) == 1  # else a rotation may be under way since before we began
    while True:
        await _until_due(credentials, chance, settled=settled)
        settled = True
        svid = await _renew_with_patience(control_plane, waits, counts)
        counts.renewed(done=True)
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


def renew_soon(svid: Svid, now: datetime, draw: float) -> datetime:
    """When to renew a certificate whose holder has just heard of other roots."""
    return now + draw * min(SOON, (svid.not_after - svid.not_before) / 20)


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


async def _renew_with_patience(control_plane: ControlPlane, waits: Backoff, counts: Counts) -> Svid:
    while True:
        try:
            svid = await renew(control_plane)
        except (UnreachableError, SvidError) as error:
            counts.renewed(done=False)
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


async def _until_due(credentials: Credentials, chance: Callable[[], float], *, settled: bool) -> None:
    """Wait until the certificate is to be renewed. `settled` is whether its roots are those to stay."""
    known, now = credentials.svid, datetime.now(UTC)
    due = Due(renew_at(known, now, chance()))
    if not settled:
        due = due.or_at(renew_soon(known, now, chance()))
    while (left := due.seconds_left) > 0:
        try:
            async with asyncio.timeout(min(left, _LONGEST_SLEEP)):
                svid = await credentials.changed(known)
        except TimeoutError:
            continue
        if svid.roots != known.roots:
            due = due.or_at(renew_soon(svid, datetime.now(UTC), chance()))
        known = svid


class Due:
    """A moment by the wall clock and by one that nobody sets, whichever comes first.

    A wall clock that is set back would let the certificate expire; the other one stands still while the
    machine sleeps.
    """

    def __init__(self, moment: datetime) -> None:
        self._moment = moment
        self._end = time.monotonic() + (moment - datetime.now(UTC)).total_seconds()

    @property
    def seconds_left(self) -> float:
        """Until then; not above 0 once it has come."""
        return min((self._moment - datetime.now(UTC)).total_seconds(), self._end - time.monotonic())

    def or_at(self, moment: datetime) -> Due:
        """This one, or that moment if it is sooner."""
        other = Due(moment)
        return other if other.seconds_left < self.seconds_left else self
