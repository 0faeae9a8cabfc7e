"""Compiled filters in every Envoy that we name: two releases, one and two workers, HTTP/1.1 and HTTP/2.

Two filters share a VM, and the same module stands in a second listener, whose plugin is in that VM too.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from meshext.envoy.bootstrap import LISTENER
from meshext.envoy.emit import Data
from meshext.envoy.wasm_filter import Module
from meshext_wasm.build.cache import user_cache
from meshext_wasm.build.filters import build_filters
from tests.conformance.case import Got, Send
from tests.conformance.client import exchange
from tests.conformance.http2_client import exchange_http2
from tests.conformance.waiting import wait_for
from tests.older_envoy import OLDER, find_older
from tests.wasm.host.envoy import EnvoyWithModule

pytestmark = [pytest.mark.envoy, pytest.mark.slow, pytest.mark.timeout(600)]

SHARING = Path(__file__).parent / "filters" / "sharing" / "sharing.py"
SECOND = "second"
NEWEST = "newest"
CLIENTS = 8
EACH = 40


@dataclass(frozen=True, slots=True)
class Setting:
    """A running Envoy, and the client's protocol."""

    envoy: EnvoyWithModule
    http2: bool

    def ask(self, send: Send, listener: str = LISTENER) -> Got:
        """One exchange, whose request nobody looks at afterwards."""
        return (exchange_http2 if self.http2 else exchange)(self.envoy.port(listener), send)


def add_listener(bootstrap: Data) -> None:
    """The first listener once more."""
    listeners = bootstrap["static_resources"]["listeners"]
    listeners.append({**copy.deepcopy(listeners[0]), "name": SECOND})


@pytest.fixture(scope="module")
def module() -> Module:
    built = build_filters([f"{SHARING}:Outer", f"{SHARING}:Inner"], user_cache())
    return Module(name=built.name, code=built.code)


@pytest.fixture(scope="module", params=[(OLDER, 1), (OLDER, 2), (NEWEST, 1), (NEWEST, 2)], ids=str)
def running(
    request: pytest.FixtureRequest, module: Module, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[EnvoyWithModule]:
    version, workers = request.param
    binary = find_older(request.config) if version == OLDER else None
    folder = tmp_path_factory.mktemp("envoy")
    with EnvoyWithModule(module, folder, envoy=binary, workers=workers, change=add_listener) as envoy:
        yield envoy


@pytest.fixture(params=[False, True], ids=["http1", "http2"])
def setting(running: EnvoyWithModule, request: pytest.FixtureRequest) -> Setting:
    return Setting(running, request.param)


def tagged(tag: str, body: bytes = b"", **headers: str) -> Send:
    lines = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return Send(method="POST", headers=(("x-tag", tag), *lines), body=body)


def test_both_filters_see_request_and_response_in_their_order(setting: Setting) -> None:
    got, arrived = setting.envoy.send(replace(tagged("a", b"12345", x_parts="2"), http2=setting.http2))
    assert arrived is not None
    assert (arrived.headers["x-way"], arrived.headers["x-part"], arrived.body) == (
        "outer inner",
        "2",
        b"12345",
    )
    assert (got.status, got.headers["x-tag"], got.headers["x-size"]) == (200, "a", "5")
    assert got.headers.get_all("x-back") == ["inner", "outer"]


def test_a_refusal_reaches_the_client_and_nothing_the_upstream(setting: Setting) -> None:
    got, arrived = setting.envoy.send(Send(http2=setting.http2))
    assert (got.status, got.body, arrived) == (403, b"no tag\n", None)


def test_a_failure_costs_its_own_exchange_and_is_told_in_the_log(setting: Setting) -> None:
    setting.envoy.log.clear()
    got, arrived = setting.envoy.send(replace(tagged("a", b"12", x_parts="0"), http2=setting.http2))
    assert (got.status, arrived) == (500, None)
    wait_for(lambda: any("ZeroDivisionError" in line for line in setting.envoy.lines()))
    assert any('File "sharing.py", line ' in line for line in setting.envoy.lines())
    assert setting.ask(tagged("b")).status == 200


def test_what_an_exchange_keeps_is_its_own_among_many(setting: Setting) -> None:
    def ask(number: int) -> bool:
        body = b"x" * (number % 7)
        got = setting.ask(tagged(f"tag-{number}", body), (LISTENER, SECOND)[number % 2])
        told = (got.status, got.headers.get("x-tag"), got.headers.get("x-size"))
        return told == (200, f"tag-{number}", str(len(body)))

    with ThreadPoolExecutor(CLIENTS) as pool:
        assert all(pool.map(ask, range(CLIENTS * EACH)))


def test_there_is_one_vm_a_thread_and_none_was_made_anew(setting: Setting) -> None:
    # Envoy's main thread has one too, and keeps the one that the others are copies of.
    assert setting.envoy.stats(r"wasm\.runtime\.v8\.active$") == setting.envoy.workers + 2
    assert setting.envoy.stats(r"\.vm_reload$") == 0
