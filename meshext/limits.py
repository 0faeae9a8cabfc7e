"""Rate limits as pure arithmetic: no clock, no store, no I/O.

One function for each algorithm takes the state of a counter, the limit and the time, and gives the new
state and the outcome. Times are whole microseconds and every division is one of whole numbers, so that
all stores decide the same. A state is a tuple of whole numbers below 2**53 (what a Lua number in Redis
holds exactly); a counter that was never hit has none, and one that is whole again can be forgotten.

| algorithm | state | what it admits |
|---|---|---|
| `fixed_window` | start, hits | `rate` hits in each window |
| `sliding_window` | start, hits, hits before | as long as hits + share of the hits before <= `rate` |
| `token_bucket`, `gcra` | instant, fraction | what a bucket holds that refills evenly |

- Windows begin at multiples of `window` since 1970. The share of the hits of the window before is the
  part of it that the last `window` seconds still overlap, rounded up.
- `fixed_window` lets up to twice `rate` hits pass around the edge of two windows; `sliding_window` does
  not, at the price of taking the hits of the window before as evenly spread.
- `token_bucket` and `gcra` are one rule seen from two sides (ITU-T I.371 annex A shows leaky bucket and
  virtual scheduling to be the same), so one function serves both: the state is the instant at which the
  bucket is full again. `burst=1` spaces hits evenly; without `burst` the bucket holds `rate` hits.
- A forced hit is taken whether there is room or not: the cost of what has already happened. The debt is
  paid back as hits are, and ends at `OVERDRAFT` times the capacity, so that no single number locks anybody
  out for good.
- The clock may be set back: a window that begins at most one window ahead is stayed in, one further
  ahead is forgotten, and a bucket owes no more than any debt.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, get_args

Algorithm = Literal["fixed_window", "sliding_window", "token_bucket", "gcra"]
State = tuple[int, ...]
Step = Callable[["State | None", "Limit", int], "tuple[State, Outcome]"]

MICROS = 1_000_000  # microseconds in a second
LONGEST = 10 * 366 * 86_400  # seconds; now + LONGEST in microseconds stays below 2**53
LARGEST = 1_000_000_000  # hits
OVERDRAFT = 8  # times the capacity; with it all numbers stay below 2**53
GROUPS = 64


def to_micros(seconds: float) -> int:
    """Seconds as whole microseconds, rounded to the nearest."""
    return round(seconds * MICROS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """At most `rate` hits in each `window` for `key`, and what this hit costs.

    `key` says who is limited (`"user:" + name`), `window` is in seconds, `rate`, `burst` and `cost` are
    in hits. `burst` (token_bucket and gcra alone) is how many hits may come at once; None means `rate`.
    `cost=0` only looks: it is decided like a hit of 1 and takes nothing. A cost above the capacity
    (`burst` or `rate`) can never pass and is refused with `retry_after` infinite. `forced` takes the cost
    even where it is not there, of a response for example, whose cost is known when it is too late to refuse.
    Limits of one `group` (0 to 63) are decided as one, all or nothing; groups do not touch each other.
    Raises ValueError for what is no limit.
    """

    key: str
    algorithm: Algorithm
    rate: int
    window: float
    burst: int | None = None
    cost: int = 1
    forced: bool = False
    group: int = 0
    _head: str = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        check_limit(self)
        head = f"{self.algorithm}:{self.rate}:{self.window_micros}:{self.capacity}:"
        object.__setattr__(self, "_head", head)

    def counting(self, key: str, cost: int) -> Limit:
        """The same limit for another key and cost; a fifth of what `replace` takes, which checks all anew."""
        check_limit_key(key)
        if cost.__class__ is not int or cost < 0:
            _check_hits("cost", cost, least=0, most=math.inf)
        made = object.__new__(Limit)
        write = object.__setattr__
        write(made, "key", key)
        write(made, "cost", cost)
        write(made, "algorithm", self.algorithm)
        write(made, "rate", self.rate)
        write(made, "window", self.window)
        write(made, "burst", self.burst)
        write(made, "forced", self.forced)
        write(made, "group", self.group)
        write(made, "_head", self._head)
        return made

    @property
    def capacity(self) -> int:
        """The most hits that can pass at one instant."""
        return self.rate if self.burst is None else self.burst

    @property
    def most(self) -> int:
        """The most hits that a counter ever holds."""
        return OVERDRAFT * self.capacity

    @property
    def window_micros(self) -> int:
        """The window in whole microseconds."""
        return to_micros(self.window)

    @property
    def identity(self) -> str:
        """What names the counter: all that makes the limit, so that two different limits never share one.

        The key comes last and nothing before it can hold a colon, so no two limits have one identity.
        """
        return self._head + self.key


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What one limit says to one hit.

    `remaining` is how many hits would still pass now, after this one. `reset_after` is the seconds until
    the limit is whole again if nobody hits it. `retry_after` is the seconds until this hit would pass:
    0.0 when it passed, `math.inf` when it never can.
    """

    allowed: bool
    limit: Limit
    remaining: int
    reset_after: float
    retry_after: float


def decide(
    limits: Sequence[Limit], states: Mapping[str, State], now: int
) -> tuple[dict[str, State], tuple[Outcome, ...]]:
    """Decide several limits as one: if one refuses, no counter of its group moves.

    `states` and the states given back (those that moved) are by `Limit.identity`, `now` in microseconds.
    Each outcome's `allowed` is that limit's own verdict, so that the one that refused can be named; where
    the hits as a whole are refused, `remaining` and `reset_after` are those of the counters left as they
    were. Limits of one identity are one: the costs add up and get one verdict, forced if all are.
    """
    wholes = add_up(limits)
    steps = {
        identity: ALGORITHMS[whole.algorithm](states.get(identity), whole, now)
        for identity, whole in wholes.items()
    }
    refused = {outcome.limit.group for _, outcome in steps.values() if not outcome.allowed}
    moved = {
        identity: state
        for identity, (state, outcome) in steps.items()
        if outcome.limit.cost and outcome.limit.group not in refused
    }
    told = {
        identity: _untaken(outcome, states.get(identity), now) if outcome.limit.group in refused else outcome
        for identity, (_, outcome) in steps.items()
    }
    if len(told) == len(limits):
        return moved, tuple(told.values())
    return moved, tuple(replace(told[limit.identity], limit=limit) for limit in limits)


def add_up(limits: Sequence[Limit]) -> dict[str, Limit]:
    """The limits by identity, each with the whole cost; the group is that of the first."""
    wholes: dict[str, Limit] = {}
    for limit in limits:
        identity = limit.identity
        known = wholes.get(identity)
        if known is not None:
            forced = known.forced and limit.forced
            limit = replace(known, cost=known.cost + limit.cost, forced=forced)
        wholes[identity] = limit
    return wholes


def free_again(limit: Limit, state: State, now: int) -> int:
    """The time, in microseconds, from which on a hit of 1 passes if nobody else hits."""
    _, look = ALGORITHMS[limit.algorithm](state, replace(limit, cost=0, forced=False), now)
    return now + to_micros(look.retry_after)


def spent(limit: Limit, until: int, now: int) -> State:
    """The state of a counter that takes no hit before `until`, or as long after `now` as any may last."""
    width = limit.window_micros
    if limit.algorithm == "sliding_window":
        return (now - now % width, limit.rate, 0)
    if limit.algorithm == "fixed_window":
        return (min(until, now + width) - width, limit.rate)
    used = limit.capacity * width - width + (until - now) * limit.rate
    whole, fraction = divmod(min(used, limit.most * width), limit.rate)
    return (now + whole, fraction)


def _untaken(outcome: Outcome, state: State | None, now: int) -> Outcome:
    limit = outcome.limit
    _, look = ALGORITHMS[limit.algorithm](state, limit.counting(limit.key, 0), now)
    return replace(outcome, remaining=look.remaining, reset_after=look.reset_after)


def step_fixed_window(state: State | None, limit: Limit, now: int) -> tuple[State, Outcome]:
    """Count hits in windows that begin at multiples of the window; `now` in microseconds."""
    width = limit.window_micros
    start, hits = _current(state, width, now) or (now - now % width, 0)
    if start + width <= now:
        start, hits = now - now % width, 0
    end = start + width
    allowed = limit.forced or hits + (limit.cost or 1) <= limit.rate
    if allowed:
        hits = min(hits + limit.cost, limit.most)
    return (start, hits), _outcome(
        limit, allowed, remaining=limit.rate - hits, reset=end - now if hits else 0, retry=end - now
    )


def step_sliding_window(state: State | None, limit: Limit, now: int) -> tuple[State, Outcome]:
    """Count hits in windows and weigh in those of the window before; `now` in microseconds."""
    width = limit.window_micros
    start, hits, before = _slid(state, width, now)
    elapsed = max(now - start, 0)
    room = limit.rate - hits - _share(before, width - elapsed, width)
    allowed = limit.forced or (limit.cost or 1) <= room
    passes = start + _passes_at(limit, hits, before)
    if allowed:
        hits = min(hits + limit.cost, limit.most)
        room -= limit.cost
    whole = start + 2 * width if hits else start + width if before else now
    return (start, hits, before), _outcome(
        limit, allowed, remaining=room, reset=whole - now, retry=passes - now
    )


def step_bucket(state: State | None, limit: Limit, now: int) -> tuple[State, Outcome]:
    """Take hits from a bucket that refills evenly (token_bucket and gcra); `now` in microseconds.

    The unit of the sums is 1/rate microsecond: in it a hit costs `window` units, a microsecond refills
    `rate`, and nothing is ever rounded.
    """
    rate, hit = limit.rate, limit.window_micros
    full = limit.capacity * hit
    instant, fraction = state or (now, 0)
    used = min(max((instant - now) * rate + fraction, 0), OVERDRAFT * full)
    wanted = (limit.cost or 1) * hit
    retry = -(-(used + wanted - full) // rate)
    allowed = limit.forced or used + wanted <= full
    if allowed:
        used = min(used + limit.cost * hit, OVERDRAFT * full)
    whole, fraction = divmod(used, rate)
    outcome = _outcome(
        limit, allowed, remaining=(full - used) // hit, reset=whole + (fraction > 0), retry=retry
    )
    return (now + whole, fraction), outcome


ALGORITHMS: Mapping[Algorithm, Step] = {
    "fixed_window": step_fixed_window,
    "sliding_window": step_sliding_window,
    "token_bucket": step_bucket,
    "gcra": step_bucket,
}


def _current(state: State | None, width: int, now: int) -> State | None:
    """The state unless it is so far ahead that the clock must have been set back."""
    return None if state is None or state[0] - now > width else state


def _slid(state: State | None, width: int, now: int) -> State:
    aligned = now - now % width
    start, hits, before = _current(state, width, now) or (aligned, 0, 0)
    if start >= aligned:
        return start, hits, before
    return (aligned, 0, hits) if start + width == aligned else (aligned, 0, 0)


def _share(before: int, overlap: int, width: int) -> int:
    """The hits of the window before that still count, rounded up."""
    return -(-before * overlap // width)


def _passes_at(limit: Limit, hits: int, before: int) -> int:
    """Microseconds after the start of this window at which a refused hit passes, if nobody else hits."""
    width, wanted = limit.window_micros, limit.cost or 1
    room = limit.rate - hits - wanted
    if room >= 0:
        return width - room * width // before if before else 0
    return 2 * width - (limit.rate - wanted) * width // hits if hits else 0


def _outcome(limit: Limit, allowed: bool, *, remaining: int, reset: int, retry: int) -> Outcome:
    wait = 0.0 if allowed else math.inf if limit.cost > limit.capacity else retry / MICROS
    return Outcome(
        allowed=allowed,
        limit=limit,
        remaining=max(remaining, 0),
        reset_after=reset / MICROS,
        retry_after=wait,
    )


def check_limit_key(key: object) -> None:
    """Raise ValueError where a key is no text."""
    if not isinstance(key, str):
        raise ValueError(f"Limit key {key!r} is not text; write a str such as 'user:42'")


def check_limit(limit: Limit) -> None:
    """Raise ValueError, saying what to write, where a limit's fields make no limit."""
    check_limit_key(limit.key)
    if limit.algorithm not in get_args(Algorithm):
        raise ValueError(
            f"Limit algorithm {limit.algorithm!r} is unknown; write one of {', '.join(get_args(Algorithm))}"
        )
    _check_hits("rate", limit.rate, least=1)
    _check_hits("cost", limit.cost, least=0, most=math.inf)
    if limit.burst is not None:
        _check_hits("burst", limit.burst, least=1)
        if limit.algorithm in ("fixed_window", "sliding_window"):
            raise ValueError(
                f"Limit burst {limit.burst!r} has no meaning for {limit.algorithm};"
                " leave it out, or write algorithm='token_bucket'"
            )
    if not isinstance(limit.forced, bool):
        raise ValueError(f"Limit forced {limit.forced!r}: write True or False")
    _check_hits("group", limit.group, least=0, most=GROUPS - 1)
    _check_window(limit)


def _check_hits(field: str, hits: object, *, least: int, most: float = LARGEST) -> None:
    if isinstance(hits, bool) or not isinstance(hits, int) or not least <= hits <= most:
        reach = f"from {least} to {most}" if most < math.inf else f"of at least {least}"
        raise ValueError(f"Limit {field} {hits!r}: write a whole number {reach}")


def _check_window(limit: Limit) -> None:
    window: object = limit.window
    if isinstance(window, bool) or not isinstance(window, (int, float)) or not 0 < window <= LONGEST:
        raise ValueError(
            f"Limit window {window!r}: write a number of seconds above 0 and at most {LONGEST}, e.g. 60"
        )
    if limit.window_micros < 1:
        raise ValueError(f"Limit window {window!r} is below one microsecond; write e.g. 0.001")
    if limit.capacity * limit.window > LONGEST * limit.rate:
        raise ValueError(
            f"Limit burst {limit.burst!r} needs more than {LONGEST} seconds to refill at {limit.rate} each"
            f" {window!r} s; write a smaller burst or a higher rate"
        )
