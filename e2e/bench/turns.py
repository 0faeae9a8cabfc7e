"""Configured filters in turns behind the real Envoy: CPU of each service in microseconds a request."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from e2e.bench.gateways import build_gateway, start_envoy
from e2e.bench.load import TARGET, Load, h2load
from e2e.bench.services import COLLECTOR, Service
from e2e.bench.usage import Meter
from meshext.envoy.bootstrap import LISTENER
from meshext.loading import load_needs
from meshext.plan import Mode, build_plan

METRICS = "--metrics=127.0.0.1:0"
Figures = dict[str, list[float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """One service: a filter, its configuration, what it is started with; and the path it is asked for."""

    name: str
    mode: Mode
    spec: str
    config: str = ""
    options: tuple[str, ...] = (METRICS,)
    target: str = TARGET

    @property
    def configs(self) -> list[str]:
        """As `--config` takes it."""
        return [self.config] if self.config else []

    @property
    def command(self) -> tuple[str, ...]:
        """`meshext serve`."""
        config = ("--config", self.config) if self.config else ()
        serve = ("-m", "meshext", "serve", self.spec, "--listen=127.0.0.1:0", "--log-level=error")
        return (*serve, *config, *self.options)

    async def start(self, folder: Path, collector: str, stack: AsyncExitStack) -> Stand:
        """The service and an Envoy of its own; `collector` is where its spans would go (`HOST:PORT`)."""
        service = await Service.start(self.command, OTEL_EXPORTER_OTLP_ENDPOINT=f"http://{collector}")
        stack.push_async_callback(service.stop)
        plan = build_plan(load_needs([self.spec], self.configs), self.mode)
        gateway = build_gateway(folder, plan, service.address, None)
        envoy = await start_envoy(gateway, folder, listeners=(LISTENER,))
        stack.push_async_callback(envoy.stop)
        return Stand(self, service, f"127.0.0.1:{envoy.port(LISTENER)}")


@dataclass(frozen=True, slots=True)
class Stand:
    """A subject that runs, and where its Envoy listens."""

    subject: Subject
    service: Service
    address: str

    async def load(self, requests: int, connections: int) -> float:
        """Microseconds of the service's CPU for each of so many requests."""
        meter = Meter.start(self.service.pid)
        load = Load(requests=requests, connections=connections, target=self.subject.target)
        await h2load(self.address, load)
        return round(1e6 * meter.used() / requests, 1)


async def measure(subjects: Sequence[Subject], rounds: int, requests: int) -> Figures:
    """Microseconds a request of every subject, one figure for each round."""
    found: Figures = {subject.name: [] for subject in subjects}
    async with AsyncExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="meshext-bench-"))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        collector = await Service.start(COLLECTOR)
        stack.push_async_callback(collector.stop)
        stands = [
            await subject.start(folder / str(number), str(collector.address), stack)
            for number, subject in enumerate(subjects)
        ]
        for stand in stands:
            await stand.load(requests // 2, 4)
        for _ in range(rounds):
            for stand in stands:
                found[stand.subject.name].append(await stand.load(requests, 16))
    return found
