"""`python -m e2e.bench`: measure, print a table, write the raw figures."""

from __future__ import annotations

import argparse
import asyncio
import sys
import warnings
from dataclasses import replace
from pathlib import Path

from e2e.bench.cases import CASES, Case
from e2e.bench.figures import describe_machine, to_case, to_record, to_table, write_record
from e2e.bench.load import LoadError, find_h2load, h2load, python_load
from e2e.bench.rounds import Settings, run_case
from meshext.errors import MeshextError

SENDERS = {"h2load": h2load, "python": python_load}


def build_parser() -> argparse.ArgumentParser:
    """The options."""
    parser = argparse.ArgumentParser(
        prog="python -m e2e.bench",
        description="CPU a request and latency: Envoy alone, a bare grpcio aio servicer, and meshext serve.",
        epilog="CPU in microseconds a request, latency in milliseconds, ratios against the bare servicer.",
    )
    parser.add_argument(
        "--case", action="append", metavar="TEXT", help="only cases whose name has TEXT in it"
    )
    parser.add_argument("--rounds", type=int, default=7, help="turns of every variant (default 7)")
    parser.add_argument(
        "--scale", type=float, default=1.0, help="multiplies the requests of a turn (default 1)"
    )
    parser.add_argument("--connections", type=int, default=16, help="at once in the busy part (default 16)")
    parser.add_argument("--quick", action="store_true", help="2 rounds of a fifth: to see that it runs")
    parser.add_argument(
        "--load", choices=sorted(SENDERS), default="h2load", help="who sends (default h2load)"
    )
    parser.add_argument("--out", type=Path, metavar="FILE", help="where the raw figures go (JSON)")
    parser.add_argument(
        "--plain", action="store_true", help="leave out ours without metrics, traced, 2 workers"
    )
    parser.add_argument("--list", action="store_true", help="name the cases and end")
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Measure what was asked for."""
    given = build_parser().parse_args(arguments)
    chosen = [case for case in CASES if not given.case or any(text in case.name for text in given.case)]
    if given.list or not chosen:
        sys.stdout.write("".join(f"{case.name}\n" for case in CASES))
        return 0 if given.list else 2
    if given.plain:
        chosen = [replace(case, options=False) for case in chosen]
    settings = Settings(
        rounds=2 if given.quick else given.rounds,
        scale=0.2 if given.quick else given.scale,
        connections=given.connections,
        send=SENDERS[given.load],
    )
    warnings.simplefilter("ignore")  # envoy-data-plane is made for an older pydantic
    try:
        if given.load == "h2load":
            find_h2load()
        return asyncio.run(run(chosen, settings, given.load, given.out))
    except (LoadError, MeshextError) as error:
        sys.stderr.write(f"bench: {error}\n")
        return 2


async def run(chosen: list[Case], settings: Settings, loader: str, out: Path | None) -> int:
    """Case after case; the file is written after each, so that a run that is cut short leaves what it has."""
    machine = describe_machine()
    cases = {}
    for case in chosen:
        stands = await run_case(case, settings, tell)
        cases[case.name] = to_case(stands, case.mode, case.decision, len(case.body))
        if out is not None:
            write_record(out, to_record(machine, settings, loader, cases))
    tell("")
    sys.stdout.write(to_table(cases))
    return 0


def tell(words: str) -> None:
    """Progress, on one line of a terminal."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\033[K{words}")
    elif words:
        sys.stderr.write(f"{words}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
