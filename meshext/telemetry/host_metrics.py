"""What a worker measures of itself.

| metric | labels | kind | what |
|---|---|---|---|
| `meshext_exchanges_total` | `mode`, `decision`, `filter`, `status` | counter | exchanges that have ended, by decision (the names are in `meshext.engine.observer`); `filter` is the one that decided, `status` the class (`4xx`) of an answer |
| `meshext_open_exchanges` | `mode` | gauge | exchanges that are open now |
| `meshext_hook_seconds` | `filter`, `hook` | histogram | how long hooks took, waiting included, until what they wrote was judged |
| `meshext_hook_failures_total` | `filter`, `hook`, `kind` | counter | failed hooks; `kind` is `raised`, `overdue` or `nonsense` |
| `meshext_shed_total` | `reason` | counter | calls turned away unread; they are in `meshext_exchanges_total` as `shed` too |
| `meshext_store_seconds` | `operation`, `result` | histogram | how long the store took; `result` is `ok` or `failed` (refused, away, too slow, or cancelled with its hook) |

`mode` is `authz` or `proc`. Those of the process above the workers are in `parent_metrics`, filters' own in
`families`. On a request's path only lists and dicts made before are touched.
"""  # noqa: E501  # a table

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace

from meshext.engine.observer import InitialMetadata, Mode, Outcome
from meshext.errors import FilterFailure
from meshext.http.context import Surroundings
from meshext.http.headers import Lines
from meshext.needs import Hook, Needs
from meshext.series import Key
from meshext.telemetry.families import Family, Spread

HOOK_BUCKETS = (
    0.00001,
    0.000025,
    0.00005,
    0.0001,
    0.00025,
    0.0005,
    0.001,
    0.0025,
    0.005,
    0.01,
    0.05,
    0.25,
    1.0,
)
STORE_BUCKETS = (0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25)
EXCHANGES = Family(
    "meshext_exchanges_total",
    "counter",
    ("mode", "decision", "filter", "status"),
    "Exchanges that have ended, by decision and the filter that decided.",
)
OPEN = Family("meshext_open_exchanges", "gauge", ("mode",), "Exchanges that are open now.")
HOOK_SECONDS = Family(
    "meshext_hook_seconds", "histogram", ("filter", "hook"), "How long hooks took, in seconds.", HOOK_BUCKETS
)
HOOK_FAILURES = Family(
    "meshext_hook_failures_total", "counter", ("filter", "hook", "kind"), "Hooks that failed, by kind."
)
SHEDS = Family("meshext_shed_total", "counter", ("reason",), "Calls turned away unread.")
STORE_SECONDS = Family(
    "meshext_store_seconds",
    "histogram",
    ("operation", "result"),
    "How long the store took, in seconds.",
    STORE_BUCKETS,
)
PASSED: Key = ("passed", "", "")
SHED: Key = ("shed", "", "")


class Timer:
    """Durations in buckets: one series of a histogram."""

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def observe(self, seconds: float) -> None:
        """One more."""
        self.counts[bisect_left(self.bounds, seconds)] += 1
        self.total += seconds


class ModeTally:
    """The Sighting of every exchange of one mode: it keeps nothing of a single one."""

    __slots__ = ("ended", "failures", "opened", "timers")

    def __init__(self, timers: Mapping[str, Mapping[Hook, Timer]], failures: dict[Key, int]) -> None:
        self.timers = timers
        self.failures = failures
        self.opened = 0
        self.ended: dict[Key, int] = defaultdict(int, {PASSED: 0})

    def request(self, lines: Lines, surroundings: Surroundings) -> None:
        """Nothing is counted here."""

    def hook(self, name: str, hook: Hook, seconds: float, failure: FilterFailure | None) -> None:
        """See `Sighting.hook`."""
        timer = self.timers[name][hook]  # `observe` by hand: each call counts here
        timer.counts[bisect_left(timer.bounds, seconds)] += 1
        timer.total += seconds
        if failure is not None:
            self.failures[name, hook.value, failure.kind] += 1

    def end(self, outcome: Outcome) -> None:
        """See `Sighting.end`."""
        decision, name, status = outcome
        if decision == "passed":
            self.ended[PASSED] += 1
        else:
            shown = f"{status // 100}xx" if status and decision != "passed_open" else ""
            self.ended[decision, name, shown] += 1


class HostMetrics:
    """The Observer that counts: one for each worker."""

    def __init__(self, filters: Iterable[Needs] = ()) -> None:
        self._timers: dict[str, dict[Hook, Timer]] = {}
        self._failures: dict[Key, int] = defaultdict(int)
        self._sheds: dict[Key, int] = defaultdict(int)
        self._store: dict[Key, Timer] = defaultdict(lambda: Timer(STORE_BUCKETS))
        self._modes: dict[Mode, ModeTally] = {
            mode: ModeTally(self._timers, self._failures) for mode in ("authz", "proc")
        }
        self.know(filters)

    def know(self, filters: Iterable[Needs]) -> None:
        """Serve these filters from now on, too; what was counted stays."""
        for needs in filters:
            timers = self._timers.setdefault(needs.name, {})
            for hook in sorted(needs.hooks):
                timers.setdefault(hook, Timer(HOOK_BUCKETS))

    def begin(self, mode: Mode, metadata: InitialMetadata) -> ModeTally:  # noqa: ARG002  # the protocol's
        """See `Observer.begin`."""
        tally = self._modes[mode]
        tally.opened += 1
        return tally

    def shed(self, mode: Mode, reason: str) -> None:
        """See `Observer.shed`."""
        self._sheds[(reason,)] += 1
        tally = self._modes[mode]
        tally.opened += 1
        tally.ended[SHED] += 1

    def store_called(self, operation: str, seconds: float, done: bool) -> None:
        """One operation of the store has ended, with a result if it is `done`."""
        self._store[operation, "ok" if done else "failed"].observe(seconds)

    def families(self) -> list[Family]:
        """Everything as it stands."""
        modes = self._modes.items()
        ended = {(mode, *key): float(n) for mode, tally in modes for key, n in tally.ended.items()}
        still: dict[Key, float] = {
            (mode,): float(tally.opened - sum(tally.ended.values())) for mode, tally in modes
        }
        hooks: dict[Key, Timer] = {
            (name, hook.value): timer for name, each in self._timers.items() for hook, timer in each.items()
        }
        return [
            replace(EXCHANGES, numbers=ended),
            replace(OPEN, numbers=still),
            replace(HOOK_SECONDS, spreads=spreads(hooks)),
            replace(HOOK_FAILURES, numbers=floats(self._failures)),
            replace(SHEDS, numbers=floats(self._sheds)),
            replace(STORE_SECONDS, spreads=spreads(self._store)),
        ]


def floats(counts: Mapping[Key, int]) -> dict[Key, float]:
    """Counts as a family keeps them."""
    return {key: float(count) for key, count in counts.items()}


def spreads(timers: Mapping[Key, Timer]) -> dict[Key, Spread]:
    """Timers as a family keeps them."""
    return {key: (tuple(timer.counts), timer.total) for key, timer in timers.items()}
