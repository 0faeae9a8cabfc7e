"""Rounds: every variant of a case in turn, again and again, so that a noisy moment meets all alike."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

from e2e.bench.cases import Case, Variant
from e2e.bench.gateways import build_gateway, build_sink, start_envoy
from e2e.bench.load import Latency, Load
from e2e.bench.services import COLLECTOR, FILTERS, Service
from e2e.bench.usage import Meter, family, resident
from meshext.envoy.bootstrap import LISTENER
from meshext.envoy.process import EnvoyProcess
from meshext.loading import load_needs
from meshext.plan import build_plan

Sender = Callable[[str, Load], Awaitable[Latency]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How long to measure. `scale` multiplies every case's requests."""

    rounds: int
    scale: float
    connections: int
    send: Sender

    @property
    def whole(self) -> bool:
        """Whether all is measured; a small run is to see that everything works."""
        return self.scale >= 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One variant's turn: CPU in microseconds a request, latency in milliseconds.

    `busy` is with all connections at once, `calm` with one.
    """

    service: float
    envoy: float
    busy_p50: float
    busy_p99: float
    calm_p50: float
    calm_p99: float


@dataclass(slots=True, kw_only=True)
class Stand:
    """A variant, ready for its turns. Memory is Pss in MiB of each process, from the top down."""

    variant: Variant
    service: Service | None
    envoy: EnvoyProcess
    rounds: list[Round] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)

    @property
    def address(self) -> str:
        """Where its Envoy listens."""
        return f"127.0.0.1:{self.envoy.port(LISTENER)}"


async def run_case(case: Case, settings: Settings, tell: Callable[[str], None]) -> list[Stand]:
    """Set everything up, warm it up, measure in turns."""
    async with AsyncExitStack() as stack:
        stands = await raise_stands(case, stack)
        requests = max(10, round(case.requests * settings.scale))
        for stand in stands:
            await settings.send(
                stand.address, Load(requests=max(10, requests // 4), connections=4, body=case.body)
            )
        for number in range(settings.rounds):
            for stand in stands:
                tell(f"{case.name}: round {number + 1} of {settings.rounds}, {stand.variant.name}")
                stand.rounds.append(await measure(stand, case.body, requests, settings))
        for stand in stands:
            if stand.service is not None:
                stand.memory = [round(resident(pid) / 2**20, 1) for pid in family(stand.service.pid)]
        return stands


async def raise_stands(case: Case, stack: AsyncExitStack) -> list[Stand]:
    """A service and an Envoy for every variant, all at once on this machine."""
    folder = Path(tempfile.mkdtemp(prefix="meshext-bench-"))
    stack.callback(shutil.rmtree, folder, ignore_errors=True)
    sink = folder / "sink.sock" if case.body else None
    if sink is not None:
        upstream = await start_envoy(build_sink(sink), folder / "sink", listeners=())
        stack.push_async_callback(upstream.stop)
    stands = []
    for number, variant in enumerate(case.variants):
        service = await start_service(variant, stack) if variant.command else None
        stands.append(await raise_stand(case, variant, service, folder / str(number), sink))
        stack.push_async_callback(stands[-1].envoy.stop)
    return stands


async def start_service(variant: Variant, stack: AsyncExitStack) -> Service:
    """The service, and the collector of its spans where it has one."""
    variables = {}
    if variant.traced:
        collector = await Service.start(COLLECTOR)
        stack.push_async_callback(collector.stop)
        variables = {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{collector.address}"}
    service = await Service.start(variant.command, **variables)
    stack.push_async_callback(service.stop)
    return service


async def raise_stand(
    case: Case, variant: Variant, service: Service | None, folder: Path, sink: Path | None
) -> Stand:
    """One Envoy in front of a service, with the configuration that the filter asks for."""
    plan = build_plan(load_needs([f"{FILTERS}:{case.decision}"]), case.mode) if service else None
    bootstrap = build_gateway(folder, plan, service.address if service else None, sink)
    envoy = await start_envoy(bootstrap, folder, listeners=(LISTENER,), threads=variant.threads)
    return Stand(variant=variant, service=service, envoy=envoy)


async def measure(stand: Stand, body: bytes, requests: int, settings: Settings) -> Round:
    """One turn."""
    envoy = Meter.start(stand.envoy.pid)
    service = Meter.start(stand.service.pid) if stand.service else Meter({})
    busy = await settings.send(
        stand.address, Load(requests=requests, connections=settings.connections, body=body)
    )
    used, envoy_used = service.used(), envoy.used()
    calm = await settings.send(stand.address, Load(requests=max(10, requests // 8), connections=1, body=body))
    return Round(
        service=round(1e6 * used / requests, 1),
        envoy=round(1e6 * envoy_used / requests, 1),
        busy_p50=round(1e3 * busy.p50, 3),
        busy_p99=round(1e3 * busy.p99, 3),
        calm_p50=round(1e3 * calm.p50, 3),
        calm_p99=round(1e3 * calm.p99, 3),
    )
