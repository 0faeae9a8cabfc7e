"""The policy rate-limit with time to spare, on a machine that runs tests."""

from __future__ import annotations

from meshext_filters.rate_limit import RateLimit


class Unhurried(RateLimit):
    """A hook that is overdue because others use the processor says nothing about the policy."""

    name = "rate-limit"
    time_limit = 5.0
