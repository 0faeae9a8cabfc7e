"""`python -m e2e.bench.pages`: what the filters that ship with us cost, for their pages.

Each filter has the example of its page as configuration and meets the same request again and again, in
process; a filter with the same hooks that does nothing is what its CPU is compared with, turn by turn.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from e2e.bench.figures import describe_machine
from e2e.bench.load import HEADERS
from meshext import Filter
from meshext.cli.filter_costs import FILE
from meshext.cli.filter_page import Page, build_page
from meshext.needs import Hook
from meshext.plugins import find_offers
from meshext.testing import Harness

PACKAGE = "meshext_filters"
OUT = Path(__file__).parents[2] / "filters" / PACKAGE / FILE
ROUNDS = 15
REQUESTS = 1000
REQUEST = ("GET", "/orders?page=2")


def idle_twin(page: Page) -> type[Filter]:
    """A filter with the same hooks, in the example's configuration, that does nothing."""
    hooks = page.by_example.needs.hooks if page.by_example else ()
    return type("Idle", (Filter,), {Hook(hook).value: lambda _self, _message: None for hook in hooks})


def turn(harness: Harness, number: int) -> float:
    """Microseconds of CPU a request. Users differ, so that nothing is answered from memory."""
    began = time.process_time()
    for index in range(REQUESTS):
        who = f"u-{number}-{index}"
        headers = {**HEADERS, "x-user-id": who, "x-api-key": who}
        harness.request(*REQUEST, headers=headers, client_address="192.0.2.1")
    return 1e6 * (time.process_time() - began) / REQUESTS


def measure(page: Page) -> float:
    """The median over the rounds of what the filter takes more than its idle twin."""
    busy, idle = Harness(page.cls, page.words.example), Harness(idle_twin(page))
    turn(busy, -1)
    turn(idle, -1)
    return round(statistics.median(turn(busy, each) - turn(idle, each) for each in range(ROUNDS)), 1)


def to_record(costs: dict[str, float]) -> dict[str, Any]:
    """What the file holds."""
    machine = describe_machine()
    measured = {
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "cpu": machine["cpu"],
        "python": platform.python_version(),
    }
    request = " ".join(REQUEST)
    return {
        "measured": measured,
        "filters": {name: {"microseconds": cost, "request": request} for name, cost in costs.items()},
    }


def main(arguments: list[str] | None = None, *, tell: Callable[[str], object] = sys.stdout.write) -> int:
    """Measure each, write the file."""
    parser = argparse.ArgumentParser(prog="python -m e2e.bench.pages", description=__doc__.partition("\n")[0])
    parser.add_argument("--out", type=Path, default=OUT, metavar="FILE", help="where the figures go (JSON)")
    given = parser.parse_args(arguments)
    costs = {}
    for offer in find_offers():
        if offer.target.startswith(f"{PACKAGE}."):
            costs[offer.name] = measure(build_page(offer.name))
            tell(f"{offer.name}: {costs[offer.name]:g} us\n")
    given.out.write_text(json.dumps(to_record(costs), indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
