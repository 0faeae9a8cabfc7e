"""A service that starts again, stands still or is gone: what it never saw is asked again."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest

from e2e.burst import REQUEST, SPECS
from e2e.stage import FILTERS, Stage, report, staged
from meshext.engine.timed_watch import TimedWatch
from meshext.envoy.bootstrap import LISTENER, Gateway, build_bootstrap
from meshext.envoy.echo import EchoServer
from meshext.envoy.emit import to_json
from meshext.envoy.process import EnvoyProcess
from meshext.envoy.service_cluster import Backend
from meshext.envoy.upstreams import UnixAddress, Upstream
from meshext.hosts.address import Address
from meshext.hosts.server import Service
from meshext.loading import load_chain, load_needs
from meshext.plan import Mode, build_plan

pytestmark = [pytest.mark.envoy, pytest.mark.slow]

RESTARTS = 20


class Restarting:
    """A service in this process, and a real Envoy that asks it."""

    def __init__(self, spec: str, mode: Mode, folder: Path) -> None:
        self._chain = load_chain([spec], [])
        self._needs = load_needs([spec])
        self._mode = mode
        self._folder = folder
        self._service = Service(self._chain, TimedWatch())
        self.port = 0

    async def restart(self) -> None:
        await self._service.stop(5.0)
        self._service = Service(self._chain, TimedWatch())
        await self._service.start(Address(path=str(self._folder / "service.sock")))

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        folder = self._folder
        await self._service.start(Address(path=str(folder / "service.sock")))
        async with EchoServer("echo") as echo:
            await echo.start(f"unix:{folder}/echo.sock")
            gateway = Gateway(
                upstreams=(Upstream("echo", UnixAddress(f"{folder}/echo.sock"), grpc=False),),
                admin=folder / "admin.sock",
                plan=build_plan(self._needs, self._mode),
                service=Backend(addresses=(UnixAddress(f"{folder}/service.sock"),)),
            )
            bootstrap = to_json(build_bootstrap(gateway))
            async with await EnvoyProcess.start(bootstrap, folder, concurrency=2) as envoy:
                self.port = envoy.port(LISTENER)
                yield
        await self._service.stop(0.0)


async def ask(port: int) -> int:
    """The status of one request on a connection of its own."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(REQUEST)
    head = await reader.readuntil(b"\r\n\r\n")
    writer.close()
    return int(head.split(b" ", 2)[1])


@pytest.mark.parametrize("mode", list(SPECS))
def test_a_restart_under_load_loses_nothing(mode: Mode, tmp_path_factory: pytest.TempPathFactory) -> None:
    """No request fails, though the socket is gone for a while each time."""
    stand = Restarting(f"{FILTERS / SPECS[mode]}", mode, tmp_path_factory.mktemp("r"))
    statuses: Counter[int] = Counter()

    async def load(answered: asyncio.Semaphore, done: asyncio.Event) -> None:
        while not done.is_set():
            statuses[await ask(stand.port)] += 1
            answered.release()

    async def main() -> None:
        answered, done = asyncio.Semaphore(0), asyncio.Event()
        async with stand.running():
            loads = [asyncio.create_task(load(answered, done)) for _ in range(8)]
            for _ in range(RESTARTS):
                for _ in range(20):
                    await answered.acquire()
                await stand.restart()
            done.set()
            await asyncio.gather(*loads)

    asyncio.run(main())
    report(f"{mode}: {statuses.total()} requests over {RESTARTS} restarts")
    assert statuses == {200: statuses.total()}


def family(stage: Stage) -> list[psutil.Process]:
    """The service's processes, the supervisor last."""
    worker = psutil.Process(int(stage.send(target="/pid").text))
    supervisor = worker.parent()
    assert supervisor is not None
    return [*supervisor.children(recursive=True), supervisor]


@pytest.mark.parametrize(
    ("mode", "spec", "expected"),
    [
        ("authz", "passing.py:Decides", 500),
        ("proc", "passing.py:DecidesOpen", 200),
    ],
)
def test_a_stopped_service(mode: Mode, spec: str, expected: int) -> None:
    """SIGSTOP: the declared mode when the time is over; after SIGCONT the next request is served at once."""
    with staged(spec, mode=mode) as stage:
        processes = family(stage)
        for process in reversed(processes):
            process.suspend()
        try:
            stopped = stage.timed()
        finally:
            for process in processes:
                process.resume()
        assert stopped.status == expected
        assert stage.sandbox.plan.timeout - 0.5 < stopped.took < stage.sandbox.plan.timeout + 2
        began = time.monotonic()
        answer = stage.send()
        assert (answer.status, "x-decided" in answer.text) == (200, True)
        assert time.monotonic() - began < 1


@pytest.mark.parametrize(
    ("mode", "spec", "expected"),
    [
        ("authz", "passing.py:DecidesOpen", 200),
        ("proc", "passing.py:Decides", 500),
    ],
)
def test_a_dead_service(mode: Mode, spec: str, expected: int) -> None:
    """The declared mode when the tries are used up, about a second later; for each request alike."""
    with staged(spec, mode=mode) as stage:
        for process in reversed(family(stage)):
            process.kill()
        for _ in range(3):
            dead = stage.timed()
            assert dead.status == expected
            assert dead.took < 3.5
