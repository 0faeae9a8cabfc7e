"""Turns of every way: Envoy's CPU a request, the service's, latency; and the ratios that were promised."""

from __future__ import annotations

import shutil
import statistics
import tempfile
from collections.abc import Callable, Iterable, Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

from e2e.bench.figures import middle
from e2e.bench.load import Load
from e2e.bench.rounds import Round, Settings, Stand, measure
from e2e.bench.wasm.stands import raise_stand
from e2e.bench.wasm.ways import BY_HAND, LUA, NATIVE, NONE, OURS, Way, build_ways

REQUESTS = 2_000
"""Of one way's turn, before its share and the scale."""
PASSES = 6
"""Turns of every way that make a round: short ones, so that a noisy moment meets all ways alike."""


async def run_ways(settings: Settings, tell: Callable[[str], None]) -> dict[str, Any]:
    """All ways at once on this machine, in turn; each round begins with another one."""
    tell("the modules are compiled")
    ways = build_ways()
    async with AsyncExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="meshext-bench-"))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        stands = [await raise_stand(way, folder / str(at), stack) for at, way in enumerate(ways)]
        pairs = list(zip(ways, stands, strict=True))
        for way, stand in pairs:
            await settings.send(stand.address, Load(requests=share_of(way, settings), connections=4))
        for number in range(settings.rounds):
            tell(f"round {number + 1} of {settings.rounds}")
            turns = [await run_pass(pairs, start % len(pairs), settings) for start in range(PASSES)]
            for way, stand in pairs:
                stand.rounds.append(combine([each[way.name] for each in turns]))
    return to_record(pairs)


async def run_pass(pairs: Sequence[tuple[Way, Stand]], first: int, settings: Settings) -> dict[str, Round]:
    """A turn of each way, from the first one on."""
    return {
        way.name: await measure(stand, b"", share_of(way, settings), settings)
        for way, stand in [*pairs[first:], *pairs[:first]]
    }


def combine(turns: list[Round]) -> Round:
    """A round of its turns: the mean of the CPU, the median of the latencies."""
    columns = {name: [getattr(each, name) for each in turns] for name in asdict(turns[0])}
    middles = {name: round(statistics.median(column), 3) for name, column in columns.items()}
    means = {name: round(statistics.fmean(columns[name]), 2) for name in ("service", "envoy")}
    return Round(**{**middles, **means})


def share_of(way: Way, settings: Settings) -> int:
    """The requests of a turn."""
    return max(40, round(REQUESTS * way.share * settings.scale))


def to_record(pairs: Iterable[tuple[Way, Stand]]) -> dict[str, Any]:
    """The rounds and what follows from them."""
    rounds = {way.name: stand.rounds for way, stand in pairs}
    sizes = {way.name: len(way.module.code) for way, _ in pairs if way.module is not None}
    ways = {
        name: {
            "rounds": [asdict(each) for each in turns],
            "median": middle(turns),
            "added": round(statistics.median(added(turns, rounds[NONE])), 2),
            "module_bytes": sizes.get(name),
        }
        for name, turns in rounds.items()
    }
    return {"ways": ways, "ratios": {name: ratio(rounds) for name, ratio in RATIOS.items()}}


def added(turns: list[Round], none: list[Round]) -> list[float]:
    """Microseconds of Envoy's CPU above those of Envoy alone, round by round."""
    return [mine.envoy - its.envoy for mine, its in zip(turns, none, strict=True)]


def compare_added(other: str) -> Callable[[dict[str, list[Round]]], dict[str, float]]:
    """What ours adds to Envoy's CPU against what the other adds."""

    def compare(rounds: dict[str, list[Round]]) -> dict[str, float]:
        ours, its = (added(rounds[name], rounds[NONE]) for name in (OURS, other))
        return spread(ours, its)

    return compare


def compare_total(other: str) -> Callable[[dict[str, list[Round]]], dict[str, float]]:
    """Envoy's whole CPU with ours against that with the other."""

    def compare(rounds: dict[str, list[Round]]) -> dict[str, float]:
        ours, its = ([each.envoy for each in rounds[name]] for name in (OURS, other))
        return spread(ours, its)

    return compare


def spread(ours: list[float], its: list[float]) -> dict[str, float]:
    """The ratio round by round (median, least, most), and that of the medians and of the minima.

    A round in which the other seems to add nothing says nothing.
    """
    found = [mine / other for mine, other in zip(ours, its, strict=True) if other > 0]
    return {
        "median": round(statistics.median(found), 3) if found else 0.0,
        "least": round(min(found, default=0.0), 3),
        "most": round(max(found, default=0.0), 3),
        "of_medians": round(statistics.median(ours) / (statistics.median(its) or 1.0), 3),
        "of_minima": round(min(ours) / (min(its) or 1.0), 3),
    }


RATIOS = {
    "added, to C by hand (at most 1.1)": compare_added(BY_HAND),
    "added, to Lua (at most 1.2)": compare_added(LUA),
    "total, to native (at most 1.5)": compare_total(NATIVE),
    "total, to Envoy alone": compare_total(NONE),
}


def to_table(found: dict[str, Any]) -> str:
    """CPU in microseconds a request, latency in milliseconds, medians over the rounds."""
    lines = [
        f"{'':18}{'Envoy':>8}{'added':>8}{'service':>9}{'p50':>7}{'p99':>7}{'busy p50':>10}{'busy p99':>10}"
    ]
    for name, way in found["ways"].items():
        middles = way["median"]
        service = f"{middles['service']:.0f}" if middles["service"] else "-"
        lines.append(
            f"  {name:16}{middles['envoy']:8.1f}{way['added']:8.1f}{service:>9}{middles['calm_p50']:7.2f}"
            f"{middles['calm_p99']:7.2f}{middles['busy_p50']:10.2f}{middles['busy_p99']:10.2f}"
        )
    for name, ratio in found["ratios"].items():
        lines.append(
            f"  {name:36}{ratio['median']:7.2f} ({ratio['least']:.2f} to {ratio['most']:.2f}; "
            f"of medians {ratio['of_medians']:.2f}, of minima {ratio['of_minima']:.2f})"
        )
    return "\n".join(lines) + "\n"
