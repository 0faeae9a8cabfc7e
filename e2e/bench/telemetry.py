"""`python -m e2e.bench.telemetry`: what the telemetry filter costs beside a filter that does nothing.

Behind the real Envoy, service processes in turns as in `e2e.bench`: CPU of the service in microseconds a
request. The blank filters have the same hooks, so what is left is the filter's own.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import warnings
from pathlib import Path

from e2e.bench.figures import describe_machine, describe_versions
from e2e.bench.load import HEADERS
from e2e.bench.services import FILTERS
from e2e.bench.turns import METRICS, Figures, Subject, measure

ROUTES = ["/", "/users/{id}", "/users/{id}/orders", "/static/**"]
TAGS = [
    {"name": "language", "header": "accept-language", "to": ["metrics", "spans", "log"]},
    {"name": "port", "attribute": "source.port"},
]


def configured(**more: object) -> str:
    """A configuration with a few routes."""
    return json.dumps({"routes": ROUTES, **more})


REQUESTS = ["requests"]
SUBJECTS = (
    Subject(name="authz, blank", mode="authz", spec=f"{FILTERS}:Blank"),
    Subject(name="authz, telemetry", mode="authz", spec="telemetry", config=configured(metrics=REQUESTS)),
    Subject(
        name="authz, no log", mode="authz", spec="telemetry", config=configured(metrics=REQUESTS, log=False)
    ),
    Subject(name="proc, blank", mode="proc", spec=f"{FILTERS}:BlankToTheEnd"),
    Subject(name="proc, telemetry", mode="proc", spec="telemetry", config=configured()),
    Subject(name="proc, no log", mode="proc", spec="telemetry", config=configured(log=False)),
    Subject(name="proc, two tags", mode="proc", spec="telemetry", config=configured(tags=TAGS)),
    Subject(
        name="proc, blank, --otel", mode="proc", spec=f"{FILTERS}:BlankToTheEnd", options=(METRICS, "--otel")
    ),
    Subject(
        name="proc, telemetry, --otel",
        mode="proc",
        spec="telemetry",
        config=configured(),
        options=(METRICS, "--otel"),
    ),
)


def to_table(found: Figures) -> str:
    """Medians, and what is above the blank filter's."""
    lines, blank = [], 0.0
    for name, figures in found.items():
        middle = statistics.median(figures)
        blank = middle if "blank" in name else blank
        lines.append(f"{name:26} {middle:7.1f} us  {middle - blank:+7.1f}")
    return "\n".join(lines) + "\n"


def main() -> int:
    """Measure, print, and write the figures where asked to."""
    parser = argparse.ArgumentParser(prog="python -m e2e.bench.telemetry", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="turns of every service (default 5)")
    parser.add_argument("--requests", type=int, default=3000, help="requests of one turn (default 3000)")
    parser.add_argument("--out", type=Path, metavar="FILE", help="where the raw figures go (JSON)")
    given = parser.parse_args()
    warnings.simplefilter("ignore")  # envoy-data-plane is made for an older pydantic
    machine = describe_machine()
    found = asyncio.run(measure(SUBJECTS, given.rounds, given.requests))
    sys.stdout.write(to_table(found))
    if given.out is not None:
        record = {
            "machine": machine,
            "versions": describe_versions("h2load"),
            "headers": HEADERS,
            "requests": given.requests,
            "microseconds": found,
        }
        given.out.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
