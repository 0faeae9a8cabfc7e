"""When a certificate is renewed: at half its life, spread, so that not all come at one time."""

from __future__ import annotations

from datetime import datetime

SPREAD = 0.1
"""How much of the whole life renewals are spread over, around its middle."""


def rotate_at(not_before: datetime, not_after: datetime, *, draw: float) -> datetime:
    """When to renew; `draw` is a random number from 0 to 1, drawn once for each certificate."""
    part = 0.5 + SPREAD * (min(max(draw, 0.0), 1.0) - 0.5)
    return not_before + part * (not_after - not_before)
