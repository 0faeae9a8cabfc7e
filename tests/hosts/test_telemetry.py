"""Worker and parent together: from an exchange to the metrics port."""

from __future__ import annotations

import asyncio
import re
import socket
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from prometheus_client.parser import text_string_to_metric_families

from meshext import Counter, Filter, Request
from meshext.errors import ListenError, OptionError
from meshext.hosts.options import ServiceOptions
from meshext.hosts.parent_loop import ParentLoop
from meshext.hosts.parent_telemetry import ParentTelemetry
from meshext.hosts.worker_telemetry import WorkerTelemetry
from tests.hosts.forging import headers
from tests.telemetry.watching import chain_of, play_proc


class Counting(Filter):
    seen = Counter("seen_total")

    def on_request(self, request: Request) -> None:
        self.seen.inc()


@contextmanager
def parent(options: ServiceOptions) -> Iterator[ParentTelemetry]:
    loop = ParentLoop()
    loop.start()
    telemetry = ParentTelemetry(options, loop)
    try:
        telemetry.start()
        yield telemetry
        telemetry.stop()
    finally:
        loop.stop()


async def work(telemetry: WorkerTelemetry, exchanges: int) -> None:
    """A worker's life."""
    chain = chain_of(Counting)
    telemetry.begin()
    observer = telemetry.observe(chain)
    assert observer is not None
    await telemetry.start()
    for _ in range(exchanges):
        await play_proc(chain, observer, [headers()])
    await telemetry.close()
    telemetry.stop()


def scrape(url: str) -> dict[str, float]:
    with urllib.request.urlopen(url, timeout=10) as answer:
        text = answer.read().decode()
    return {
        sample.name: sum(each.value for each in family.samples if each.name == sample.name)
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_from_exchanges_to_the_port(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    options = ServiceOptions(specs=("a",), metrics="127.0.0.1:0")
    with parent(options) as telemetry:
        for _ in range(2):  # the second one as after a reload
            ours, theirs = socket.socketpair()
            telemetry.adopt(ours)
            asyncio.run(work(WorkerTelemetry(options, theirs.detach()), 5))
        (url,) = re.findall(r"http://\S+", caplog.text)
        assert telemetry.counts is not None
        telemetry.counts.reloaded("applied")
        found = scrape(url)
    assert found["seen_total"] == found["meshext_exchanges_total"] == 10
    assert found["meshext_hook_seconds_count"] == 10
    assert found["meshext_reloads_total"] == 1
    assert "meshext_open_exchanges" not in found


def test_nobody_asked() -> None:
    options = ServiceOptions(specs=("a",))
    telemetry = WorkerTelemetry(options, -1)
    telemetry.begin()
    assert telemetry.observe(chain_of(Counting)) is None
    assert telemetry.on_call is None
    with parent(options) as above:
        ours, theirs = socket.socketpair()
        above.adopt(ours)
        assert theirs.recv(1) == b""
        theirs.close()


def test_addresses_that_are_none() -> None:
    for address, said in (("unix:/a", "write HOST:PORT"), ("here", "is not an address")):
        with pytest.raises(ListenError, match=said), parent(ServiceOptions(specs=("a",), metrics=address)):
            pass
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with (
            pytest.raises(ListenError, match="is in use"),
            parent(ServiceOptions(specs=("a",), metrics=address)),
        ):
            pass


def test_an_environment_that_asks_for_what_is_not_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "zipkin")
    with (
        pytest.raises(OptionError, match="OTEL_TRACES_EXPORTER"),
        parent(ServiceOptions(specs=("a",), otel=True)),
    ):
        pass
