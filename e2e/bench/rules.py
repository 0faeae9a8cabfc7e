"""`python -m e2e.bench.rules`: what a request costs the whole service of authorization-policy, by its rules.

Behind the real Envoy, services with 10 and with 1,000 rules in turns: gRPC, the facts of the request, the
decision and the answer are all in the CPU. Each request matches the last rule only. `e2e.bench.policies`
measures the decision alone.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from e2e.bench.figures import describe_machine, describe_versions
from e2e.bench.policies import FEW, MANY, RULES, write_policies
from e2e.bench.turns import Figures, Subject, measure
from meshext.plan import Mode

FILTER = "authorization-policy"
KINDS = ("exact paths", "path prefixes", "path templates")
MODES: tuple[Mode, ...] = ("authz", "proc")


def name_subject(mode: Mode, kind: str, count: int) -> str:
    """How a service's figures are called."""
    return f"{mode}, {kind}, {count} rules"


def write_subject(folder: Path, mode: Mode, kind: str, count: int) -> Subject:
    """A service with so many rules, asked for what its last one allows."""
    name = name_subject(mode, kind, count)
    file = folder / f"{name}.yaml"
    file.write_text(write_policies(RULES[kind], count), encoding="utf-8")
    target = f"/svc/{count - 1}/items?page=2"
    return Subject(name=name, mode=mode, spec=FILTER, config=str(file), target=target)


def compare(found: Figures, mode: Mode, kind: str) -> dict[str, Any]:
    """Many rules against few, round by round: the medians, the ratio's median, least and most."""
    few, many = (found[name_subject(mode, kind, count)] for count in (FEW, MANY))
    ratios = [above / below for above, below in zip(many, few, strict=True)]
    shown = [round(each, 3) for each in (statistics.median(ratios), min(ratios), max(ratios))]
    return {
        str(FEW): round(statistics.median(few), 1),
        str(MANY): round(statistics.median(many), 1),
        "ratio": dict(zip(("median", "least", "most"), shown, strict=True)),
    }


def to_table(found: Figures, kinds: Sequence[str]) -> dict[str, dict[str, Any]]:
    """What was compared, by name."""
    return {f"{mode}, {kind}": compare(found, mode, kind) for mode in MODES for kind in kinds}


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and write the figures where asked to."""
    parser = argparse.ArgumentParser(prog="python -m e2e.bench.rules", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7, help="turns of every service (default 7)")
    parser.add_argument("--requests", type=int, default=4000, help="requests of one turn (default 4000)")
    parser.add_argument("--kind", action="append", choices=KINDS, help="only these rules (default all)")
    parser.add_argument("--out", type=Path, metavar="FILE", help="where the raw figures go (JSON)")
    given = parser.parse_args(arguments)
    kinds = given.kind or KINDS
    warnings.simplefilter("ignore")  # envoy-data-plane is made for an older pydantic
    machine = describe_machine()
    with TemporaryDirectory() as folder:
        subjects = [
            write_subject(Path(folder), mode, kind, count)
            for mode in MODES
            for kind in kinds
            for count in (FEW, MANY)
        ]
        found = asyncio.run(measure(subjects, given.rounds, given.requests))
    table = to_table(found, kinds)
    for name, row in table.items():
        few, many, ratio = row[str(FEW)], row[str(MANY)], row["ratio"]
        sys.stdout.write(
            f"{name:24}{few:8.1f} us with {FEW} rules{many:8.1f} us with {MANY}"
            f"{ratio['median']:8.2f} times ({ratio['least']:.2f} to {ratio['most']:.2f})\n"
        )
    if given.out is not None:
        versions = describe_versions("h2load")
        record = {"machine": machine, "versions": versions, "requests": given.requests}
        record |= {"compared": table, "microseconds": found}
        given.out.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
