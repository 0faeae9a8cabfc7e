"""Rate limits as arithmetic: `meshext.limits`, whose rules these are, step by step."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

MICROS = 1000000
LONGEST = 316224000
LARGEST = 1000000000
OVERDRAFT = 8
GROUPS = 64
Algorithm = Literal["fixed_window", "sliding_window", "token_bucket", "gcra"]
ALGORITHMS = ("fixed_window", "sliding_window", "token_bucket", "gcra")


def to_micros(seconds: float) -> int:
    """Seconds as whole microseconds, rounded to the nearest."""
    return round(seconds * MICROS)


@dataclass(frozen=True, kw_only=True)
class Limit:
    """At most `rate` hits in each `window` for `key`, and what this hit costs; see `meshext.Limit`."""

    key: str
    algorithm: Algorithm
    rate: int
    window: float
    burst: int | None = None
    cost: int = 1
    forced: bool = False
    group: int = 0

    def __post_init__(self) -> None:
        check_limit(self)

    def counting(self, key: str, cost: int) -> "Limit":
        """The same limit for another key and cost."""
        return Limit(
            key=key,
            algorithm=self.algorithm,
            rate=self.rate,
            window=self.window,
            burst=self.burst,
            cost=cost,
            forced=self.forced,
            group=self.group,
        )

    @property
    def capacity(self) -> int:
        """The most hits that can pass at one instant."""
        burst = self.burst
        if burst is None:
            return self.rate
        return burst

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
        """What names the counter: all that makes the limit, and the key last."""
        return f"{self.algorithm}:{self.rate}:{self.window_micros}:{self.capacity}:{self.key}"


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What one limit says to one hit; see `meshext.Outcome`."""

    allowed: bool
    limit: Limit
    remaining: int
    reset_after: float
    retry_after: float


class Step:
    """What a hit makes of a counter's state, and what the limit says to it."""

    def __init__(self, state: tuple[int, ...], outcome: Outcome) -> None:
        self.state = state
        self.outcome = outcome


class Decision:
    """The states that moved, by identity, and an outcome for each limit."""

    def __init__(self, moved: dict[str, tuple[int, ...]], outcomes: list[Outcome]) -> None:
        self.moved = moved
        self.outcomes = outcomes


def decide(limits: Iterable[Limit], states: dict[str, tuple[int, ...]], now: int) -> Decision:
    """Decide several limits as one: if one refuses, no counter of its group moves."""
    given: list[Limit] = []
    for limit in limits:
        given.append(limit)
    wholes = add_up(given)
    steps: dict[str, Step] = {}
    refused: list[int] = []
    for identity, whole in wholes.items():
        step = take_step(states.get(identity), whole, now)
        steps[identity] = step
        if not step.outcome.allowed:
            refused.append(whole.group)
    moved: dict[str, tuple[int, ...]] = {}
    told: dict[str, Outcome] = {}
    for identity, step in steps.items():
        told[identity] = step.outcome
        if step.outcome.limit.group in refused:
            told[identity] = untaken(step.outcome, states.get(identity), now)
        elif step.outcome.limit.cost > 0:
            moved[identity] = step.state
    outcomes: list[Outcome] = []
    for limit in given:
        found = told[limit.identity]
        outcomes.append(
            Outcome(
                allowed=found.allowed,
                limit=limit,
                remaining=found.remaining,
                reset_after=found.reset_after,
                retry_after=found.retry_after,
            )
        )
    return Decision(moved, outcomes)


def add_up(limits: list[Limit]) -> dict[str, Limit]:
    """The limits by identity, each with the whole cost; the group is that of the first."""
    wholes: dict[str, Limit] = {}
    for limit in limits:
        known = wholes.get(limit.identity)
        if known is None:
            wholes[limit.identity] = limit
        else:
            wholes[limit.identity] = Limit(
                key=known.key,
                algorithm=known.algorithm,
                rate=known.rate,
                window=known.window,
                burst=known.burst,
                cost=known.cost + limit.cost,
                forced=known.forced and limit.forced,
                group=known.group,
            )
    return wholes


def take_step(state: tuple[int, ...] | None, limit: Limit, now: int) -> Step:
    """A hit, by the limit's algorithm."""
    if limit.algorithm == "fixed_window":
        return step_fixed_window(state, limit, now)
    if limit.algorithm == "sliding_window":
        return step_sliding_window(state, limit, now)
    return step_bucket(state, limit, now)


def look(state: tuple[int, ...] | None, limit: Limit, now: int) -> Outcome:
    """What the limit says to a hit that takes nothing, not forced."""
    looking = Limit(
        key=limit.key,
        algorithm=limit.algorithm,
        rate=limit.rate,
        window=limit.window,
        burst=limit.burst,
        cost=0,
        group=limit.group,
    )
    return take_step(state, looking, now).outcome


def free_again(limit: Limit, state: tuple[int, ...], now: int) -> int:
    """The time, in microseconds, from which on a hit of 1 passes if nobody else hits."""
    return now + to_micros(look(state, limit, now).retry_after)


def spent(limit: Limit, until: int, now: int) -> tuple[int, ...]:
    """The state of a counter that takes no hit before `until`, or as long after `now` as any may last."""
    width = limit.window_micros
    if limit.algorithm == "sliding_window":
        return (now - now % width, limit.rate, 0)
    if limit.algorithm == "fixed_window":
        return (min(until, now + width) - width, limit.rate)
    used = limit.capacity * width - width + (until - now) * limit.rate
    used = min(used, limit.most * width)
    return (now + used // limit.rate, used % limit.rate)


def untaken(outcome: Outcome, state: tuple[int, ...] | None, now: int) -> Outcome:
    """The outcome where the hits as a whole were refused: the counter was left as it was."""
    limit = outcome.limit
    seen = take_step(state, limit.counting(limit.key, 0), now).outcome
    return Outcome(
        allowed=outcome.allowed,
        limit=limit,
        remaining=seen.remaining,
        reset_after=seen.reset_after,
        retry_after=outcome.retry_after,
    )


def step_fixed_window(state: tuple[int, ...] | None, limit: Limit, now: int) -> Step:
    """Count hits in windows that begin at multiples of the window."""
    width = limit.window_micros
    start = now - now % width
    hits = 0
    if state is not None and state[0] - now <= width and state[0] + width > now:
        start = state[0]
        hits = state[1]
    end = start + width
    allowed = limit.forced or hits + (limit.cost or 1) <= limit.rate
    if allowed:
        hits = min(hits + limit.cost, limit.most)
    reset = 0
    if hits > 0:
        reset = end - now
    return Step((start, hits), to_outcome(limit, allowed, limit.rate - hits, reset, end - now))


def step_sliding_window(state: tuple[int, ...] | None, limit: Limit, now: int) -> Step:
    """Count hits in windows and weigh in those of the window before."""
    width = limit.window_micros
    start = now - now % width
    hits = 0
    before = 0
    if state is not None and state[0] - now <= width:
        if state[0] >= start:
            start = state[0]
            hits = state[1]
            before = state[2]
        elif state[0] + width == start:
            before = state[1]
    elapsed = max(now - start, 0)
    room = limit.rate - hits - -(-before * (width - elapsed) // width)
    allowed = limit.forced or (limit.cost or 1) <= room
    passes = start + passes_at(limit, hits, before)
    if allowed:
        hits = min(hits + limit.cost, limit.most)
        room -= limit.cost
    whole = now
    if hits > 0:
        whole = start + 2 * width
    elif before > 0:
        whole = start + width
    return Step((start, hits, before), to_outcome(limit, allowed, room, whole - now, passes - now))


def passes_at(limit: Limit, hits: int, before: int) -> int:
    """Microseconds after the start of this window at which a refused hit passes, if nobody else hits."""
    width = limit.window_micros
    wanted = limit.cost or 1
    room = limit.rate - hits - wanted
    if room >= 0:
        if before == 0:
            return 0
        return width - room * width // before
    if hits == 0:
        return 0
    return 2 * width - (limit.rate - wanted) * width // hits


def step_bucket(state: tuple[int, ...] | None, limit: Limit, now: int) -> Step:
    """Take hits from a bucket that refills evenly; the unit of the sums is 1/rate microsecond."""
    rate = limit.rate
    hit = limit.window_micros
    full = limit.capacity * hit
    used = 0
    if state is not None:
        used = min(max((state[0] - now) * rate + state[1], 0), OVERDRAFT * full)
    wanted = (limit.cost or 1) * hit
    retry = -(-(used + wanted - full) // rate)
    allowed = limit.forced or used + wanted <= full
    if allowed:
        used = min(used + limit.cost * hit, OVERDRAFT * full)
    whole = used // rate
    fraction = used % rate
    reset = whole
    if fraction > 0:
        reset = whole + 1
    return Step((now + whole, fraction), to_outcome(limit, allowed, (full - used) // hit, reset, retry))


def to_outcome(limit: Limit, allowed: bool, remaining: int, reset: int, retry: int) -> Outcome:
    """In seconds; a cost that never fits is refused for good."""
    wait = retry / MICROS
    if allowed:
        wait = 0.0
    elif limit.cost > limit.capacity:
        wait = float("inf")
    return Outcome(
        allowed=allowed,
        limit=limit,
        remaining=max(remaining, 0),
        reset_after=reset / MICROS,
        retry_after=wait,
    )


def check_limit(limit: Limit) -> None:
    """Raise ValueError, saying what to write, where a limit's fields make no limit."""
    check_hits("rate", limit.rate, 1, LARGEST)
    if limit.cost < 0:
        raise ValueError(f"Limit cost {limit.cost!r}: write a whole number of at least 0")
    burst = limit.burst
    if burst is not None:
        check_hits("burst", burst, 1, LARGEST)
        if limit.algorithm == "fixed_window" or limit.algorithm == "sliding_window":
            raise ValueError(
                f"Limit burst {burst!r} has no meaning for {limit.algorithm}; leave it out, or write "
                "algorithm='token_bucket'"
            )
    check_hits("group", limit.group, 0, GROUPS - 1)
    window = limit.window
    if not 0 < window <= LONGEST:
        raise ValueError(
            f"Limit window {window!r}: write a number of seconds above 0 and at most {LONGEST}, e.g. 60"
        )
    if limit.window_micros < 1:
        raise ValueError(f"Limit window {window!r} is below one microsecond; write e.g. 0.001")
    if limit.capacity * window > LONGEST * limit.rate:
        raise ValueError(
            f"Limit burst {burst!r} needs more than {LONGEST} seconds to refill at {limit.rate} each "
            f"{window!r} s; write a smaller burst or a higher rate"
        )


def check_hits(field: str, hits: int, least: int, most: int) -> None:
    """Raise ValueError for a number out of reach."""
    if isinstance(hits, bool) or not least <= hits <= most:
        raise ValueError(f"Limit {field} {hits!r}: write a whole number from {least} to {most}")
