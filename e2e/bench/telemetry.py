"""`python -m e2e.bench.telemetry`: what the telemetry filter costs beside a filter that does nothing.

Behind the real Envoy, service processes in turns as in `e2e.bench`: CPU of the service in microseconds a
request. The blank filters have the same hooks, so what is left is the filter's own.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import statistics
import sys
import tempfile
import warnings
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from e2e.bench.figures import describe_machine, describe_versions
from e2e.bench.gateways import build_gateway, start_envoy
from e2e.bench.load import HEADERS, Load, h2load
from e2e.bench.services import COLLECTOR, FILTERS, Service
from e2e.bench.usage import Meter
from meshext.envoy.bootstrap import LISTENER
from meshext.loading import load_needs
from meshext.plan import Mode, build_plan

ROUTES = ["/", "/users/{id}", "/users/{id}/orders", "/static/**"]
TAGS = [
    {"name": "language", "header": "accept-language", "to": ["metrics", "spans", "log"]},
    {"name": "port", "attribute": "source.port"},
]
METRICS = "--metrics=127.0.0.1:0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """One service: a filter, its configuration, and what the service is started with."""

    name: str
    mode: Mode
    spec: str = "telemetry"
    config: str = ""
    options: tuple[str, ...] = (METRICS,)

    @property
    def configs(self) -> list[str]:
        """As `--config` takes it."""
        return [self.config] if self.config else []

    @property
    def command(self) -> tuple[str, ...]:
        """`meshext serve`."""
        config = ("--config", self.config) if self.config else ()
        serve = ("-m", "meshext", "serve", self.spec, "--listen=127.0.0.1:0", "--log-level=warning")
        return (*serve, *config, *self.options)


def configured(**more: object) -> str:
    """A configuration with a few routes."""
    return json.dumps({"routes": ROUTES, **more})


REQUESTS = ["requests"]
SUBJECTS = (
    Subject(name="authz, blank", mode="authz", spec=f"{FILTERS}:Blank"),
    Subject(name="authz, telemetry", mode="authz", config=configured(metrics=REQUESTS)),
    Subject(name="authz, no log", mode="authz", config=configured(metrics=REQUESTS, log=False)),
    Subject(name="proc, blank", mode="proc", spec=f"{FILTERS}:BlankToTheEnd"),
    Subject(name="proc, telemetry", mode="proc", config=configured()),
    Subject(name="proc, no log", mode="proc", config=configured(log=False)),
    Subject(name="proc, two tags", mode="proc", config=configured(tags=TAGS)),
    Subject(
        name="proc, blank, --otel", mode="proc", spec=f"{FILTERS}:BlankToTheEnd", options=(METRICS, "--otel")
    ),
    Subject(name="proc, telemetry, --otel", mode="proc", config=configured(), options=(METRICS, "--otel")),
)


async def measure(rounds: int, requests: int) -> dict[str, list[float]]:
    """Microseconds a request of every subject, one figure for each round."""
    found: dict[str, list[float]] = {subject.name: [] for subject in SUBJECTS}
    async with AsyncExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="meshext-bench-"))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        collector = await Service.start(COLLECTOR)
        stack.push_async_callback(collector.stop)
        stands = []
        for number, subject in enumerate(SUBJECTS):
            endpoint = {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{collector.address}"}
            service = await Service.start(subject.command, **endpoint)
            stack.push_async_callback(service.stop)
            plan = build_plan(load_needs([subject.spec], subject.configs), subject.mode)
            gateway = build_gateway(folder / str(number), plan, service.address, None)
            envoy = await start_envoy(gateway, folder / str(number), listeners=(LISTENER,))
            stack.push_async_callback(envoy.stop)
            stands.append((subject, service, f"127.0.0.1:{envoy.port(LISTENER)}"))
        for _, _, address in stands:
            await h2load(address, Load(requests=requests // 2, connections=4))
        for _ in range(rounds):
            for subject, service, address in stands:
                meter = Meter.start(service.pid)
                await h2load(address, Load(requests=requests, connections=16))
                found[subject.name].append(round(1e6 * meter.used() / requests, 1))
    return found


def to_table(found: dict[str, list[float]]) -> str:
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
    found = asyncio.run(measure(given.rounds, given.requests))
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
