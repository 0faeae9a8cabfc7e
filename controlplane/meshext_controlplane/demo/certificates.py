"""How long each sidecar's certificate still lives, as anybody sees it who connects."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from meshext_controlplane.demo.claims.identity import fetch_certificate
from meshext_controlplane.demo.claims.stage import ClaimFails
from meshext_controlplane.up.instances import Instance


@dataclass(frozen=True, slots=True)
class Life:
    """`left` and `whole` are in seconds; both are 0 where the sidecar shows no certificate."""

    node: str
    serial: str
    left: float
    whole: float


async def read_lives(instances: Sequence[Instance]) -> list[Life]:
    """One for each workload that listens."""
    return list(await asyncio.gather(*(_read(each) for each in instances if each.ports)))


async def _read(instance: Instance) -> Life:
    try:
        found = await fetch_certificate(instance)
    except ClaimFails:
        return Life(instance.node, "", 0.0, 0.0)
    begun, end = found.not_valid_before_utc, found.not_valid_after_utc
    left = max((end - datetime.now(UTC)).total_seconds(), 0.0)
    return Life(instance.node, f"{found.serial_number:x}"[:8], left, (end - begun).total_seconds())
