"""The sandbox: started whole, stopped whole, nothing left behind."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from meshext.errors import MissingExtraError, OptionError
from meshext.loading import load_needs
from meshext.plan import Plan, build_plan
from meshext.sandbox.access import format_access
from meshext.sandbox.service import ServiceProcess
from meshext.sandbox.setup import Setup

if TYPE_CHECKING:
    from meshext.envoy.bootstrap import Gateway
    from meshext.envoy.logs import LogLine
    from meshext.envoy.process import EnvoyProcess
    from meshext.envoy.upstreams import Upstream
    from meshext.sandbox.recompiling import Compile, Recompilations
    from meshext.sandbox.succeeding import Successions


class Sandbox:
    """A running setup; an async context manager. `url` is where Envoy listens.

    Everything but that one port is on Unix sockets in a folder of mode 0700, so nobody else on the machine
    can call the filter service or Envoy's admin interface.
    """

    def __init__(
        self, setup: Setup, *, on_line: Callable[[str], None], compile_again: Compile | None = None
    ) -> None:
        """`compile_again` is what `watch` does where the setup has a module."""
        check_extra()
        self._setup = setup
        self._on_line = on_line
        self._stack = AsyncExitStack()
        self._tasks: list[asyncio.Task[None]] = []
        self._failed: asyncio.Queue[str] = asyncio.Queue()
        self._changed = asyncio.Event()  # a version is there that needs something else of Envoy
        self._successions: Successions | None = None
        self._compile_again = compile_again
        self._recompilations: Recompilations | None = None
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
        for task in self._tasks:
            task.cancel()
        await self._stack.aclose()

    async def wait(self) -> str:
        """Wait until the service or Envoy ends although nobody stopped it; which one, and how."""
        return await self._failed.get()

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
        service = None if setup.module is not None else await self._start_service(folder, 1)
        if service is not None:
            self.plan = build_plan(service.needs, setup.mode)
        gateway = self._gateway(folder, service, upstreams)
        self.envoy = await EnvoyProcess.start(
            self._bootstrap(gateway, folder),
            folder,
            envoy=binary,
            on_log=self._on_envoy,
            listeners=[LISTENER],
            concurrency=2,
            drain_time=setup.drain if setup.watch else None,
        )
        self._stack.push_async_callback(self.envoy.stop)
        scheme = "https" if setup.tls else "http"
        host = f"[{setup.host}]" if ":" in setup.host else setup.host
        self.url = f"{scheme}://{host}:{self.envoy.port(LISTENER)}"
        self._spawn(self._guard(self.envoy.wait(), "Envoy"))
        if self._successions is not None and service is not None:
            self._spawn(self._successions.run(gateway, service, self.envoy.admin))
            self._stack.push_async_callback(self._successions.close)
        if self._recompilations is not None:
            self._spawn(self._recompilations.run(gateway, self.envoy.admin))

    async def _start_service(self, folder: Path, number: int) -> ServiceProcess:
        name = "service.sock" if number == 1 else f"service-{number}.sock"
        options = self._setup.service_options(f"unix:{folder}/{name}")
        service = await ServiceProcess.start(options, on_line=self._on_line, on_needs=self._changed.set)
        self._stack.push_async_callback(service.stop)
        self._spawn(self._guard(service.wait(), "the filter's service", lambda: service.retired))
        return service

    async def _guard(
        self, ending: Awaitable[int], name: str, wanted: Callable[[], bool] = lambda: False
    ) -> None:
        code = await ending
        if not wanted():
            self._failed.put_nowait(f"{name} ended with {code}")

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        self._tasks.append(asyncio.create_task(work))

    def _gateway(
        self, folder: Path, service: ServiceProcess | None, upstreams: Sequence[Upstream]
    ) -> Gateway:
        from meshext.envoy.bootstrap import Gateway
        from meshext.envoy.service_cluster import Backend
        from meshext.envoy.upstreams import TcpAddress, UnixAddress

        setup = self._setup
        backend = None
        if service is not None:
            backend = Backend(addresses=tuple(UnixAddress(each.path) for each in service.addresses))
        return Gateway(
            upstreams=tuple(upstreams),
            admin=folder / "admin.sock",
            plan=self.plan,
            service=backend,
            module=setup.module,
            listen=TcpAddress(setup.host, setup.port),
            routes=setup.routes,
            tls=setup.tls,
            jwt=setup.jwt,
        )

    def _bootstrap(self, gateway: Gateway, folder: Path) -> str:
        from meshext.envoy.bootstrap import build_bootstrap
        from meshext.envoy.dynamic import build_dynamic_bootstrap
        from meshext.envoy.emit import to_json
        from meshext.sandbox.succeeding import Successions

        if not self._setup.watch:
            return to_json(build_bootstrap(gateway))
        if gateway.module is not None:
            self._recompilations = self._watch_module(folder)
            self._recompilations.write(gateway)
            return to_json(build_dynamic_bootstrap(gateway, folder))
        self._successions = Successions(
            folder,
            mode=self._setup.mode,
            start=lambda number: self._start_service(folder, number),
            asked=self._changed,
            on_line=self._on_line,
            drain=self._setup.drain,
        )
        self._successions.write(gateway)
        return to_json(build_dynamic_bootstrap(gateway, folder))

    def _watch_module(self, folder: Path) -> Recompilations:
        from meshext.sandbox.recompiling import Recompilations
        from meshext.sources import LOADED

        if self._compile_again is None:
            raise OptionError("a module is watched by who can compile it again")
        return Recompilations(
            folder,
            compile_filters=self._compile_again,
            files=dict(LOADED.files),
            on_line=self._on_line,
        )

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
