"""The sandbox: started whole, stopped whole, nothing left behind."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from meshext.errors import MissingExtraError
from meshext.loading import load_needs
from meshext.plan import Plan, build_plan
from meshext.sandbox.access import format_access
from meshext.sandbox.service import ServiceProcess
from meshext.sandbox.setup import Setup

if TYPE_CHECKING:
    from meshext.envoy.logs import LogLine
    from meshext.envoy.process import EnvoyProcess
    from meshext.envoy.upstreams import Upstream
    from meshext.hosts.address import Address as ServiceAddress


class Sandbox:
    """A running setup; an async context manager. `url` is where Envoy listens.

    Everything but that one port is on Unix sockets in a folder of mode 0700, so nobody else on the machine
    can call the filter service or Envoy's admin interface.
    """

    def __init__(self, setup: Setup, *, on_line: Callable[[str], None]) -> None:
        check_extra()
        self._setup = setup
        self._on_line = on_line
        self._stack = AsyncExitStack()
        self._ended: list[asyncio.Task[int]] = []
        self.plan: Plan = build_plan(setup.needs or load_needs(setup.specs, setup.configs), setup.mode)
        self.url = ""
        self.envoy: EnvoyProcess | None = None

    async def __aenter__(self) -> Self:
        try:
            await self._start()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._ended:
            task.cancel()
        await self._stack.aclose()

    async def wait(self) -> str:
        """Wait until the service or Envoy ends although nobody stopped it; which one, and how."""
        done, _ = await asyncio.wait(self._ended, return_when=asyncio.FIRST_COMPLETED)
        task = next(iter(done))
        return f"{task.get_name()} ended with {task.result()}"

    async def _start(self) -> None:
        from meshext.envoy.binary import find_envoy
        from meshext.envoy.bootstrap import LISTENER
        from meshext.envoy.preflight import Address, check_free
        from meshext.envoy.process import EnvoyProcess

        setup = self._setup
        binary = find_envoy()
        check_free(Address(setup.host, setup.port))  # again when Envoy starts; here before all else does
        folder = Path(tempfile.mkdtemp(prefix="meshext-"))
        self._stack.callback(shutil.rmtree, folder, ignore_errors=True)
        upstreams = [*setup.upstreams, *await self._start_echoes(folder)]
        options = setup.service_options(f"unix:{folder}/service.sock")
        service = await ServiceProcess.start(options, on_line=self._on_line)
        self._stack.push_async_callback(service.stop)
        bootstrap = self._bootstrap(folder, service.addresses, upstreams)
        self.envoy = await EnvoyProcess.start(
            bootstrap, folder, envoy=binary, on_log=self._on_envoy, concurrency=2
        )
        self._stack.push_async_callback(self.envoy.stop)
        scheme = "https" if setup.tls else "http"
        host = f"[{setup.host}]" if ":" in setup.host else setup.host
        self.url = f"{scheme}://{host}:{self.envoy.port(LISTENER)}"
        self._ended = [
            asyncio.create_task(service.wait(), name="the filter's service"),
            asyncio.create_task(self.envoy.wait(), name="Envoy"),
        ]

    def _bootstrap(
        self, folder: Path, sockets: Sequence[ServiceAddress], upstreams: Sequence[Upstream]
    ) -> str:
        from meshext.envoy.bootstrap import Gateway, build_bootstrap
        from meshext.envoy.emit import to_json
        from meshext.envoy.service_cluster import Backend
        from meshext.envoy.upstreams import TcpAddress, UnixAddress

        setup = self._setup
        gateway = Gateway(
            upstreams=tuple(upstreams),
            admin=folder / "admin.sock",
            plan=self.plan,
            service=Backend(addresses=tuple(UnixAddress(socket.path) for socket in sockets)),
            listen=TcpAddress(setup.host, setup.port),
            routes=setup.routes,
            tls=setup.tls,
            jwt=setup.jwt,
        )
        return to_json(build_bootstrap(gateway))

    async def _start_echoes(self, folder: Path) -> list[Upstream]:
        from meshext.envoy.echo import EchoServer
        from meshext.envoy.upstreams import UnixAddress, Upstream

        names = self._setup.echoes or (() if self._setup.upstreams else ("echo",))
        upstreams = []
        for number, name in enumerate(names):
            path = folder / f"echo-{number}.sock"
            echo = EchoServer(name)
            await echo.start(f"unix:{path}")
            self._stack.push_async_callback(echo.close)
            upstreams.append(Upstream(name, UnixAddress(str(path)), grpc=False))
        return upstreams

    def _on_envoy(self, line: LogLine) -> None:
        from meshext.envoy.logs import OUTPUT, format_line, is_noise

        if line.component == OUTPUT:
            self._on_line(format_access(line.message, line.time))
        elif not is_noise(line):
            self._on_line(format_line(line))


def check_extra() -> None:
    """Say which extra is missing before anything is started."""
    from importlib.util import find_spec

    if find_spec("envoy_data_plane") is None:
        raise MissingExtraError("envoy", "running Envoy")
