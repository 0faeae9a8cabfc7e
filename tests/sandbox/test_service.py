from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from meshext.errors import ConfigError, SpecError
from meshext.hosts.options import ServiceOptions
from meshext.sandbox import EnvoyFilter
from meshext.sandbox.service import ServiceProcess

FILTERS = Path(__file__).parent / "filters"


@pytest.fixture
def socket() -> Iterator[Path]:
    with TemporaryDirectory(prefix="mx-") as name:
        yield Path(name, "service.sock")


def start(spec: str, socket: Path, *, limit: float = 60.0) -> None:
    async def run() -> None:
        options = ServiceOptions(specs=(spec,), address=f"unix:{socket}")
        service = await ServiceProcess.start(options, on_line=lambda _: None, limit=limit)
        await service.stop()

    asyncio.run(run())


@pytest.mark.parametrize(
    ("name", "error", "text"),
    [
        ("One", SpecError, "configuration: One: ValueError: nothing is right"),
        ("Two", ConfigError, "config.yaml: first: bad\nconfig.yaml: second: worse"),
    ],
)
def test_what_the_service_refuses_is_raised(
    name: str, error: type[Exception], text: str, socket: Path
) -> None:
    with pytest.raises(error) as raised:
        start(f"{FILTERS / 'refused.py'}:{name}", socket)
    assert str(raised.value) == text


def test_a_filter_that_is_never_ready(socket: Path) -> None:
    with pytest.raises(SpecError, match=r"the filter was not loaded in 0\.1 s"):
        start(f"{FILTERS / 'refused.py'}:Waiting", socket, limit=0.1)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_its_end_does_not_wait_for_what_a_filter_has_started(number: signal.Signals, socket: Path) -> None:
    found: list[int] = []

    def note(line: str) -> None:
        if len(words := line.partition(" print here ")) == 3 and words[2]:
            found.append(int(words[2]))

    async def run() -> int:
        options = ServiceOptions(specs=(f"{FILTERS / 'leaving.py'}:Leaving",), address=f"unix:{socket}")
        service = await ServiceProcess.start(options, on_line=note)
        async with asyncio.timeout(30):
            while not found:  # noqa: ASYNC110 (a process tells nobody)
                await asyncio.sleep(0.01)
            service.send(number)
            code = await service.wait()
            await service.stop()
        return code

    try:
        assert asyncio.run(run()) == (0 if number is signal.SIGTERM else -number)
    finally:
        for each in found:
            os.kill(each, signal.SIGKILL)


def test_one_that_begins_to_start_as_everything_ends_holds_nothing_up(socket: Path) -> None:
    async def run(rounds: int) -> None:
        options = ServiceOptions(specs=(f"{FILTERS / 'chatty.py'}:Chatty",), address=f"unix:{socket}")
        starting = asyncio.create_task(ServiceProcess.start(options, on_line=lambda _: None))
        for _ in range(rounds):
            await asyncio.sleep(0)
        assert not starting.done()

    for rounds in range(1, 12):
        asyncio.run(run(rounds))  # which cancels what is left


@pytest.mark.envoy
def test_what_a_filter_prints_is_logged_and_never_holds_it_up(envoy_filter: EnvoyFilter) -> None:
    proxy = envoy_filter(f"{FILTERS / 'chatty.py'}:Chatty")
    for number in range(5):
        assert proxy.request(headers={"x-say": f"\x9b{number}"}).status == 200
    proxy.wait_for_log(r"info    print \\x9b4 y{100}")
    assert all(line.isprintable() for line in proxy.logs)
