"""`python -m tests.wasm.differential --programs 10000 --seed 1`: as many programs as there is time for."""

from __future__ import annotations

import argparse
import sys

from tests.wasm.differential.running import Difference, run_seeds

TO_A_MODULE = 50


def told(difference: Difference) -> str:
    """A difference as text to read."""
    lines = [difference.source, f"with {difference.arguments}"]
    return "\n".join([*lines, f"CPython: {difference.python}", f"module:  {difference.module}", ""])


def main() -> int:
    parser = argparse.ArgumentParser(description="compare compiled programs with CPython")
    parser.add_argument("--programs", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--first", type=int, default=0, help="number of the first program")
    options = parser.parse_args()
    sys.setrecursionlimit(10_000)
    same = different = refused = 0
    for start in range(options.first, options.first + options.programs, TO_A_MODULE):
        tally = run_seeds(
            options.seed, range(start, min(start + TO_A_MODULE, options.first + options.programs))
        )
        same += tally.same
        different += len({each.source for each in tally.differences})
        refused += len(tally.refused)
        for source, reason in tally.refused:
            sys.stdout.write(f"REFUSED {reason}\n{source}\n")
        for each in {each.source: each for each in tally.differences}.values():
            sys.stdout.write(f"DIFFERS\n{told(each)}\n")
        sys.stdout.write(f"same {same}, different {different}, refused {refused}\n")
        sys.stdout.flush()
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
