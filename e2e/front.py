"""The real Envoy in front of services that a test has started itself, with an echo service behind it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from meshext.envoy.bootstrap import LISTENER, Gateway, build_bootstrap
from meshext.envoy.echo import EchoServer
from meshext.envoy.emit import to_json
from meshext.envoy.process import EnvoyProcess
from meshext.envoy.service_cluster import Backend
from meshext.envoy.service_tls import ServiceTls
from meshext.envoy.upstreams import TcpAddress, UnixAddress, Upstream
from meshext.loading import load_needs
from meshext.plan import Mode, build_plan
from meshext.sandbox.client import Answer, send
from tests.conformance.background import Background

Change = Callable[[dict[str, Any]], None]
"""Something done to a bootstrap before Envoy gets it."""


def as_it_is(_: dict[str, Any]) -> None:
    """Change nothing."""


def at(*ports: int, tls: ServiceTls | None = None) -> Backend:
    """Services on these ports here, all of the same filters."""
    return Backend(addresses=tuple(TcpAddress("127.0.0.1", port) for port in ports), tls=tls)


@asynccontextmanager
async def front(
    spec: str,
    mode: Mode,
    service: Backend,
    folder: Path,
    *,
    config: str | None = None,
    change: Change = as_it_is,
) -> AsyncIterator[EnvoyProcess]:
    """An Envoy that asks that service for that filter; its files are in the folder."""
    folder.mkdir(exist_ok=True)
    async with EchoServer("echo") as echo:
        await echo.start(f"unix:{folder}/echo.sock")
        gateway = Gateway(
            upstreams=(Upstream("echo", UnixAddress(f"{folder}/echo.sock")),),
            admin=folder / "admin.sock",
            plan=build_plan(load_needs([spec], [config] if config else []), mode),
            service=service,
        )
        bootstrap = json.loads(to_json(build_bootstrap(gateway)))
        change(bootstrap)
        async with await EnvoyProcess.start(json.dumps(bootstrap), folder, concurrency=2) as envoy:
            yield envoy


@dataclass(frozen=True, slots=True)
class Front:
    """The same for a test that blocks."""

    envoy: EnvoyProcess
    background: Background

    @property
    def port(self) -> int:
        return self.envoy.port(LISTENER)

    def send(self, target: str = "/", **headers: str) -> Answer:
        """One request, on a connection of its own."""
        return send(f"http://127.0.0.1:{self.port}", "GET", target, headers=list(headers.items()))

    def stats(self, pattern: str) -> int:
        """The sum of Envoy's counters and gauges whose name matches."""
        return sum(self.background.run(self.envoy.admin.stats(pattern)).values())


@contextmanager
def fronting(
    spec: str, mode: Mode, service: Backend, *, config: str | None = None, change: Change = as_it_is
) -> Iterator[Front]:
    """A front in a thread of its own."""
    background, stack = Background(), AsyncExitStack()
    with TemporaryDirectory(prefix="mx-") as folder:
        try:
            running = front(spec, mode, service, Path(folder), config=config, change=change)
            yield Front(background.run(stack.enter_async_context(running)), background)
        finally:
            background.run(stack.aclose())
            background.close()
