"""A service that starts again, stands still or is gone: what it never saw is asked again."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path

import psutil
import pytest

from e2e.burst import REQUEST, SPECS
from e2e.played import Link, PlayedUpstream, connect, played_upstream, request, response, status_of
from e2e.stage import FILTERS, report, staged
from meshext.engine.timed_watch import TimedWatch
from meshext.envoy.bootstrap import LISTENER, Gateway, build_bootstrap
from meshext.envoy.echo import EchoServer
from meshext.envoy.emit import to_json
from meshext.envoy.process import EnvoyProcess
from meshext.envoy.service_cluster import PING, Backend
from meshext.envoy.upstreams import UnixAddress, Upstream, parse_upstream
from meshext.hosts.address import Address
from meshext.hosts.server import Service
from meshext.hosts.supervisor import SILENCE
from meshext.loading import load_chain, load_needs
from meshext.plan import Mode, build_plan

pytestmark = [pytest.mark.alone, pytest.mark.envoy, pytest.mark.slow]

RESTARTS = 20
CHUNKED = "transfer-encoding: chunked"


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


def family() -> list[psutil.Process]:
    """The service's processes, the worker that serves first, the supervisor last."""
    children = (each for each in psutil.Process().children() if each.status() != psutil.STATUS_ZOMBIE)
    (supervisor,) = [each for each in children if "meshext.hosts" in each.cmdline()]
    return [*sorted(supervisor.children(), key=lambda each: each.pid), supervisor]


@contextmanager
def standing_still(processes: list[psutil.Process]) -> Iterator[None]:
    """SIGSTOP, and SIGCONT at the end."""
    for process in reversed(processes):
        process.suspend()
    try:
        yield
    finally:
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                process.resume()


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
        with standing_still(family()):
            stopped = stage.timed()
        assert stopped.status == expected
        assert stage.sandbox.plan.timeout - 0.5 < stopped.took < stage.sandbox.plan.timeout + 2
        began = time.monotonic()
        answer = stage.send()
        assert (answer.status, "x-decided" in answer.text) == (200, True)
        assert time.monotonic() - began < 1


@pytest.mark.parametrize("who", ["the worker", "everybody"])
def test_a_service_that_stands_still_in_full_duplex(who: str) -> None:
    """Envoy keeps no time there: the supervisor ends a worker, Envoy a connection that gives no sign."""
    with played_upstream() as upstream:
        upstreams = (parse_upstream(f"played={upstream.address}"),)
        with staged("flowing.py:UpperDuplex", mode="proc", upstreams=upstreams) as stage:
            (asking, asked), (answered, answering) = [open_duplex(stage.port, upstream) for _ in range(2)]
            with asking, asked, answered, answering:
                answering.send(response(200, CHUNKED))
                assert status_of(answered.head()) == 200
                with standing_still(family()[:1] if who == "the worker" else family()):
                    began = time.monotonic()
                    asking.chunk(b"more")
                    answering.chunk(b"more")
                    assert status_of(asking.head()) == 500
                    assert asked.ended()
                    assert answered.ended()
                    assert answering.ended()
                    took = time.monotonic() - began
                report(f"{who}: all ended after {took:.2f} s")
                assert took < (SILENCE if who == "the worker" else 2 * PING.total_seconds()) + 3
            began = time.monotonic()
            for link in open_duplex(stage.port, upstream):
                link.close()
            assert time.monotonic() - began < 1.5


def open_duplex(port: int, upstream: PlayedUpstream) -> tuple[Link, Link]:
    """Both ends of a request, when the first piece of its body has passed the filter."""
    client = connect(port)
    client.send(request("POST", "/", CHUNKED))
    client.chunk(b"piece")
    served = upstream.accept()
    served.head()
    assert served.next_chunk() == b"PIECE"
    return client, served


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
        for process in reversed(family()):
            process.kill()
        for _ in range(3):
            dead = stage.timed()
            assert dead.status == expected
            assert dead.took < 3.5
