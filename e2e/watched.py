"""`meshext serve` as an operator starts it, behind the real Envoy: for what it tells of itself."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from e2e.front import at, front
from e2e.prometheus import Series, scrape, total
from e2e.stage import wait_for
from meshext.envoy.bootstrap import LISTENER
from meshext.plan import Mode
from meshext.sandbox.client import Answer, send

DEADLINE = 30.0  # seconds
METRICS = re.compile(r"metrics are at http://127\.0\.0\.1:([0-9]+)/")


@dataclass(slots=True)
class Served:
    """A running service: where it listens, and what it has written to standard error."""

    process: subprocess.Popen[str]
    port: int = 0
    metrics_port: int = 0
    lines: list[str] = field(default_factory=list)

    def read_metrics_port(self) -> bool:
        """Take it from the log; whether it is there."""
        found = next(filter(None, map(METRICS.search, self.lines)), None)
        self.metrics_port = int(found[1]) if found else 0
        return found is not None

    def scrape(self) -> Series:
        """What Prometheus would read."""
        return scrape(self.metrics_port)

    def total(self, name: str, **labels: str) -> float:
        """The sum of a metric's series with these labels."""
        return total(self.metrics_port, name, **labels)


@contextmanager
def serving(spec: str, *options: str, **env: str) -> Iterator[Served]:
    """`meshext serve SPEC`, with a metrics port."""
    command = [sys.executable, "-m", "meshext", "serve", spec, "--listen", "127.0.0.1:0"]
    command += ["--metrics", "127.0.0.1:0", *options]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, **env}
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        served = Served(process)
        reading = threading.Thread(target=read_lines, args=(process.stderr, served.lines))
        reading.start()
        try:
            said = process.stdout.readline().split()
            assert said[:1] == ["serving"], served.lines
            served.port = int(said[1].rpartition(":")[2])
            assert wait_for(served.read_metrics_port), served.lines
            yield served
        finally:
            process.terminate()
            try:
                process.wait(DEADLINE)
            finally:
                process.kill()
                reading.join(DEADLINE)


@contextmanager
def started(verb: str, spec: str, *options: str, errors: int = subprocess.DEVNULL) -> Iterator[str]:
    """`meshext run` or `serve`: where it listens. Its log goes to `errors`; it has to end in order."""
    command = [sys.executable, "-m", "meshext", verb, spec, *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True) as process:
        assert process.stdout is not None
        try:
            said = process.stdout.readline().split()
            assert said[:1] in (["ready"], ["serving"])
            yield said[1]
        finally:
            process.terminate()
            process.communicate(timeout=DEADLINE)
        assert process.returncode == 0


def read_lines(stream: Any, lines: list[str]) -> None:
    for line in stream:
        lines.append(line.rstrip("\n"))


@asynccontextmanager
async def gateway(
    spec: str, mode: Mode, port: int, folder: Path, collector: int = 0, *, config: str | None = None
) -> AsyncIterator[str]:
    """The real Envoy in front of a service on that port; it traces where there is a collector's port."""

    def change(bootstrap: dict[str, Any]) -> None:
        if collector:
            add_tracing(bootstrap, collector)

    async with front(spec, mode, at(port), folder, config=config, change=change) as envoy:
        yield f"http://127.0.0.1:{envoy.port(LISTENER)}"


def add_tracing(bootstrap: dict[str, Any], port: int) -> None:
    """Envoy's own OpenTelemetry tracer, `envoy.config.trace.v3.OpenTelemetryConfig`."""
    (chain,) = bootstrap["static_resources"]["listeners"][0]["filter_chains"]
    chain["filters"][0]["typed_config"]["tracing"] = {
        "provider": {
            "name": "envoy.tracers.opentelemetry",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.config.trace.v3.OpenTelemetryConfig",
                "grpc_service": {"envoy_grpc": {"cluster_name": "collector"}, "timeout": "1s"},
                "service_name": "envoy",
            },
        }
    }
    at_once = {"name": "at_once", "static_layer": {"tracing.opentelemetry.min_flush_spans": 1}}
    bootstrap["layered_runtime"] = {"layers": [at_once]}
    protocol = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
    address = {"socket_address": {"address": "127.0.0.1", "port_value": port}}
    bootstrap["static_resources"]["clusters"].append(
        {
            "name": "collector",
            "type": "STATIC",
            "typed_extension_protocol_options": {
                protocol: {
                    "@type": f"type.googleapis.com/{protocol}",
                    "explicit_http_config": {"http2_protocol_options": {}},
                }
            },
            "load_assignment": {
                "cluster_name": "collector",
                "endpoints": [{"lb_endpoints": [{"endpoint": {"address": address}}]}],
            },
        }
    )


async def ask(url: str, target: str = "/", **headers: str) -> Answer:
    """One request, on a connection of its own."""
    return await asyncio.to_thread(send, url, "GET", target, headers=list(headers.items()))
