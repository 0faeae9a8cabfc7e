"""`python -m e2e.bench.wasm`: measure, print a table, write the raw figures."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import warnings
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from e2e.bench.__main__ import SENDERS, tell
from e2e.bench.figures import describe_machine, describe_versions, write_record
from e2e.bench.load import LoadError, find_h2load
from e2e.bench.rounds import Settings
from e2e.bench.wasm import building, computing, held, instructions, memory, million, readiness, requests
from meshext.errors import MeshextError

ROUNDS = 12
QUICK = 0.02  # of the requests
ONLY = "only this; instructions, under valgrind in some minutes, has to be asked for (default all others)"


@dataclass(frozen=True, slots=True)
class Part:
    """Something that is measured: how, and its figures for a person; `aside`: only where it is asked for."""

    run: Callable[[Settings, Callable[[str], None]], Coroutine[Any, Any, dict[str, Any]]]
    to_table: Callable[[dict[str, Any]], str]
    aside: bool = False


PARTS = {
    "requests": Part(requests.run_ways, requests.to_table),
    "instructions": Part(instructions.run_counts, instructions.to_table, aside=True),
    "builds": Part(building.run_builds, building.to_table),
    "ready": Part(readiness.run_swaps, readiness.to_table),
    "memory": Part(memory.run_vms, memory.to_table),
    "held": Part(held.run_away, held.to_table),
    "work": Part(computing.run_work, computing.to_table),
    "million": Part(million.run_million, million.to_table),
}


def build_parser() -> argparse.ArgumentParser:
    """The options."""
    parser = argparse.ArgumentParser(
        prog="python -m e2e.bench.wasm",
        description="What a compiled filter costs, beside C, Lua, native filters and our services.",
        epilog="CPU in microseconds a request, latency in milliseconds.",
    )
    parser.add_argument("--part", action="append", choices=PARTS, help=ONLY)
    parser.add_argument("--rounds", type=int, help="turns of every way (default 12, with --quick 1)")
    parser.add_argument(
        "--scale", type=float, default=1.0, help="multiplies the requests of a turn (default 1)"
    )
    parser.add_argument("--connections", type=int, default=16, help="at once in the busy part (default 16)")
    parser.add_argument("--quick", action="store_true", help="a small round of some: to see that it runs")
    parser.add_argument(
        "--load", choices=sorted(SENDERS), default="h2load", help="who sends (default h2load)"
    )
    parser.add_argument("--out", type=Path, metavar="FILE", help="where the raw figures go (JSON)")
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Measure what was asked for."""
    given = build_parser().parse_args(arguments)
    settings = Settings(
        rounds=given.rounds or (1 if given.quick else ROUNDS),
        scale=QUICK if given.quick else given.scale,
        connections=given.connections,
        send=SENDERS[given.load],
    )
    warnings.simplefilter("ignore")  # envoy-data-plane is made for an older pydantic
    try:
        if given.load == "h2load":
            find_h2load()
        for name in given.part or [each for each, part in PARTS.items() if not part.aside]:
            machine = describe_machine()
            found = asyncio.run(PARTS[name].run(settings, tell))
            tell("")
            sys.stdout.write(f"{name}\n{PARTS[name].to_table(found)}")
            if given.out is not None:
                about = {"machine": machine, "versions": describe_versions(given.load)}
                keep(given.out, name, {**about, **describe(settings), **found})
    except (LoadError, MeshextError) as error:
        sys.stderr.write(f"bench: {error}\n")
        return 2
    return 0


def describe(settings: Settings) -> dict[str, Any]:
    """When, and how much."""
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "settings": {
            "rounds": settings.rounds,
            "scale": settings.scale,
            "connections": settings.connections,
        },
    }


def keep(path: Path, part: str, record: dict[str, Any]) -> None:
    """The part's figures in the file, beside those of the others."""
    before = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    write_record(path, {**before, part: record})


if __name__ == "__main__":
    sys.exit(main())
