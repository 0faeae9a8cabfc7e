"""Compiled filters one behind the other: in one module, and in modules of their own.

Envoy shows a local answer to every HTTP filter of the chain, also to those that never saw the request; and
filters of one module share its virtual machine with the requests of all connections.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from meshext.envoy.bootstrap import LISTENER, Gateway, build_bootstrap
from meshext.envoy.emit import to_data
from meshext.envoy.process import EnvoyProcess
from meshext.envoy.upstreams import Upstream, parse_address
from meshext.envoy.wasm_filter import FILTER, Module, build_wasm_filters
from meshext.needs import Needs
from meshext.plan import build_plan
from meshext_wasm.build.cache import user_cache
from meshext_wasm.build.filters import build_filters
from tests.conformance.background import Background
from tests.conformance.case import Arrived, Got, Send
from tests.conformance.client import exchange
from tests.conformance.runtimes.listeners import http_filters
from tests.conformance.upstream import ScriptedUpstream

MINUTES = 10  # the run-time library is compiled first where it has changed

pytestmark = [pytest.mark.envoy, pytest.mark.slow, pytest.mark.timeout(MINUTES * 60)]

FILTERS = Path(__file__).parent / "filters" / "marking" / "marking.py"
SETTINGS = (
    ("one module", (("First", "Second"),)),
    ("two modules", (("First",), ("Second",))),
    ("one module, configured twice", (("Named",), ("Named",))),
)
CONFIGS = ('{"mark": "first"}', '{"mark": "second"}')


class Chained:
    """Envoy with these modules as HTTP filters, in their order."""

    def __init__(self, modules: list[Module], folder: Path) -> None:
        self._background = Background()
        self._upstream = ScriptedUpstream("main")
        address = self._background.run(self._upstream.start())
        gateway = Gateway(
            upstreams=(Upstream("main", parse_address(address), grpc=False),),
            admin=folder / "admin.sock",
            plan=build_plan([Needs(name="marking", hooks=frozenset())], "wasm"),
            module=modules[0],
        )
        data = to_data(build_bootstrap(gateway))
        filters = http_filters(data)
        for number, module in enumerate(modules[1:], 1):
            found = [to_data(each) for each in build_wasm_filters(module)]
            for each in found:
                each["name"] = f"{FILTER}-{number}"
            filters[-1:-1] = found
        self._envoy = self._background.run(
            EnvoyProcess.start(json.dumps(data), folder / "envoy", concurrency=2)
        )

    def send(self, target: str) -> tuple[Got, Arrived | None]:
        self._upstream.arrived = None
        got = exchange(self._envoy.port(LISTENER), Send(target=target))
        return got, self._upstream.arrived

    def stop(self) -> None:
        self._background.run(self._envoy.stop())
        self._background.run(self._upstream.close())
        self._background.close()


@pytest.fixture(scope="module", params=SETTINGS, ids=lambda setting: setting[0])
def chained(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chained]:
    modules = []
    for number, names in enumerate(request.param[1]):
        built = build_filters([f"{FILTERS}:{name}" for name in names], user_cache())
        module = Module(name=built.name, code=built.code)
        if names == ("Named",):
            module = replace(module, configuration=CONFIGS[number])
        modules.append(module)
    running = Chained(modules, tmp_path_factory.mktemp("envoy"))
    yield running
    running.stop()


def test_the_request_meets_them_in_order_and_the_response_in_reverse(chained: Chained) -> None:
    got, arrived = chained.send("/")
    assert arrived is not None
    assert arrived.headers.get("x-marks") == "first second"
    assert got.headers.get("x-marks") == "second first"


def test_who_never_saw_the_request_never_sees_the_answer(chained: Chained) -> None:
    got, arrived = chained.send("/stop-first")
    assert arrived is None
    assert (got.status, got.body, got.headers.get("x-marks")) == (403, b"first", None)


def test_an_answer_passes_those_before(chained: Chained) -> None:
    got, arrived = chained.send("/stop-second")
    assert arrived is None
    assert (got.status, got.body, got.headers.get("x-marks")) == (403, b"second", "first")


def test_a_failure_is_the_answer_of_the_one_that_failed(chained: Chained) -> None:
    got, arrived = chained.send("/fail-second")
    assert arrived is None
    assert (got.status, got.headers.get("x-marks")) == (500, "first")


def test_requests_at_the_same_time_are_told_apart(chained: Chained) -> None:
    targets = [f"/{number}" for number in range(40)] + ["/stop-first", "/stop-second", "/fail-first"] * 10
    with ThreadPoolExecutor(8) as pool:
        found = Counter(got.status for got, _ in pool.map(chained.send, targets))
        assert found == {200: 40, 403: 20, 500: 10}
