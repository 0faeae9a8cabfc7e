"""Every claim tried, one after the other; one that can not be tried does not hold."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from meshext_controlplane.demo.claims.stage import Claim, ClaimFails, Stage

LIMIT = 40.0  # seconds for one claim


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of a claim: `seen` is what was found, or what stands against it; `seconds` it took."""

    claim: str
    holds: bool
    seen: str
    seconds: float


async def try_claims(claims: Sequence[Claim], stage: Stage) -> AsyncIterator[Verdict]:
    """A verdict for each claim, in their order."""
    for claim in claims:
        begun = time.monotonic()
        holds, seen = await try_claim(claim, stage)
        yield Verdict(claim.text, holds, seen, time.monotonic() - begun)


async def try_claim(claim: Claim, stage: Stage) -> tuple[bool, str]:
    """Whether it holds, and what was seen. Whatever goes wrong means that it does not."""
    try:
        async with asyncio.timeout(LIMIT):
            return True, await claim.holds(stage)
    except ClaimFails as failing:
        return False, str(failing)
    except TimeoutError:
        return False, f"it could not be tried in {LIMIT:g} s"
    except Exception as error:
        return False, f"it could not be tried: {type(error).__name__}: {error}"
