"""Every algorithm as slow and simple as can be: all hits are kept, and nothing is ever rounded."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from meshext.limits import Algorithm, Limit

Hits = list[tuple[int, int]]  # (time, cost) of every hit that passed
Model = Callable[[Limit, Hits, int], bool]


def fixed_window(limit: Limit, hits: Hits, now: int) -> bool:
    window = now // limit.window_micros
    return sum(cost for at, cost in hits if at // limit.window_micros == window) + limit.cost <= limit.rate


def sliding_window(limit: Limit, hits: Hits, now: int) -> bool:
    width = limit.window_micros
    window, elapsed = divmod(now, width)
    current = sum(cost for at, cost in hits if at // width == window)
    before = sum(cost for at, cost in hits if at // width == window - 1)
    return before * (1 - Fraction(elapsed, width)) + current + limit.cost <= limit.rate


def token_bucket(limit: Limit, hits: Hits, now: int) -> bool:
    tokens, last = Fraction(limit.capacity), 0
    for at, cost in [*hits, (now, limit.cost)]:
        refill = Fraction((at - last) * limit.rate, limit.window_micros)
        tokens, last = min(Fraction(limit.capacity), tokens + refill) - cost, at
    return tokens >= 0


def gcra(limit: Limit, hits: Hits, now: int) -> bool:
    """Within any span of time no more pass than the burst and what the rate allows for the span."""
    everything = [*hits, (now, limit.cost)]
    return all(
        sum(cost for _, cost in everything[first:])
        <= limit.capacity + Fraction((now - at) * limit.rate, limit.window_micros)
        for first, (at, _) in enumerate(everything)
    )


MODELS: dict[Algorithm, Model] = {
    "fixed_window": fixed_window,
    "sliding_window": sliding_window,
    "token_bucket": token_bucket,
    "gcra": gcra,
}
