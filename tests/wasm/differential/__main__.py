"""`python -m tests.wasm.differential --programs 10000 --seed 1`: as many programs as there is time for.

Each module of 100 programs becomes a line of the results file: what was run, and how it came out.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from meshext_wasm.build.cache import key_of
from meshext_wasm.build.library import COMPILER
from tests.wasm.differential.generating import generate
from tests.wasm.differential.results import FILE, read_lines, write_lines
from tests.wasm.differential.running import INPUTS, Difference, Tally, run_seeds
from tests.wasm.differential.shrinking import shrink

TO_A_MODULE = 100
THOROUGH = 10
"""One module of so many is optimised as a filter is."""


def told(difference: Difference, *, shorter: bool) -> str:
    """A difference as text to read."""
    source = shrink(difference.source, difference.arguments) if shorter else difference.source
    lines = [source, f"with {difference.arguments}"]
    return "\n".join([*lines, f"CPython: {difference.python}", f"module:  {difference.module}", ""])


def note(results: Path, seed: int, numbers: range, tally: Tally, seconds: float) -> None:
    """One line of the results, and the last one anew."""
    line = {
        "seed": seed,
        "first": numbers.start,
        "programs": len(numbers),
        "distinct": len({generate(f"{seed}:{number}", "p") for number in numbers}),
        "inputs": INPUTS,
        "same": tally.same,
        "different": len({each.source for each in tally.differences}),
        "refused": len(tally.refused),
        "broken": len(tally.broken),
        "cpu_seconds": round(seconds, 1),
        "compiler": key_of(COMPILER.rglob("*.py"))[:12],
    }
    write_lines(results, [*read_lines(results), line])


def show(tally: Tally, *, shorter: bool) -> None:
    """What is not as it should be, one of each program."""
    for source, reason in tally.refused:
        sys.stdout.write(f"REFUSED {reason}\n")
        del source
    for source, reason in tally.broken:
        sys.stdout.write(f"BROKEN {reason}\n{source}\n")
    for each in {each.source: each for each in tally.differences}.values():
        sys.stdout.write(f"DIFFERS\n{told(each, shorter=shorter)}\n")
    sys.stdout.flush()


def main() -> int:
    parser = argparse.ArgumentParser(description="compare compiled programs with CPython")
    parser.add_argument("--programs", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--first", type=int, default=0, help="number of the first program")
    parser.add_argument("--shrink", action="store_true", help="show the smallest program that differs")
    parser.add_argument("--results", type=Path, default=FILE, help="file that gets a line a module")
    options = parser.parse_args()
    sys.setrecursionlimit(10_000)
    wrong = 0
    end = options.first + options.programs
    for start in range(options.first, end, TO_A_MODULE):
        numbers = range(start, min(start + TO_A_MODULE, end))
        before = time.process_time()
        tally = run_seeds(options.seed, numbers, thorough=start // TO_A_MODULE % THOROUGH == THOROUGH - 1)
        note(options.results, options.seed, numbers, tally, time.process_time() - before)
        show(tally, shorter=options.shrink)
        wrong += len(tally.differences) + len(tally.broken)
        sys.stdout.write(f"{numbers}: same {tally.same}, wrong so far {wrong}\n")
        sys.stdout.flush()
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
