"""The store inside Envoy: workers and configurations share it, and no hit is lost or passes for free."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from e2e.inside import MINUTES
from meshext.envoy.emit import Data
from meshext_wasm.cli.runtime import embed
from tests.conformance.case import Send
from tests.conformance.client import exchange
from tests.wasm.host.envoy import EnvoyWithModule

pytestmark = [pytest.mark.envoy, pytest.mark.slow, pytest.mark.timeout(MINUTES * 60)]

SPEC = str(Path(__file__).parent / "filters" / "counting" / "counting.py")
THREADS = 16
REQUESTS = 400
RATE = 50
OTHER = '{"step": 100}'


@pytest.fixture(scope="module")
def envoy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EnvoyWithModule]:
    module, _ = embed((SPEC,), (), lambda _: None)
    folder = tmp_path_factory.mktemp("envoy")
    with EnvoyWithModule(module, folder, workers=2, change=add_other) as running:
        yield running


def add_other(bootstrap: Data) -> None:
    """A second listener with another configuration of the same filter: another virtual machine."""
    listeners = bootstrap["static_resources"]["listeners"]
    other = copy.deepcopy(listeners[0])
    other["name"] = "other"
    for each in other["filter_chains"][0]["filters"][0]["typed_config"]["http_filters"]:
        if each["name"] == "meshext":
            plugin = each["typed_config"]["config"]
            plugin["configuration"]["value"] = OTHER
            plugin["vm_config"]["configuration"]["value"] = "other"
    listeners.append(other)


def at_once(envoy: EnvoyWithModule, send: Send, count: int) -> list[tuple[int, int]]:
    """Status and count of many requests that come together, over both workers."""
    with ThreadPoolExecutor(THREADS) as pool:
        answers = list(pool.map(lambda _: envoy.send(send)[0], range(count)))
    return [(got.status, int(got.headers.get("x-count", "0"))) for got in answers]


def test_no_hit_is_lost_over_two_workers(envoy: EnvoyWithModule) -> None:
    before = at_once(envoy, Send(target="/n"), 1)[0][1]
    found = at_once(envoy, Send(target="/n"), REQUESTS)
    assert sorted(count for _, count in found) == list(range(before + 1, before + 1 + REQUESTS))


def test_a_limit_admits_no_more_than_its_rate(envoy: EnvoyWithModule) -> None:
    """Two buckets are written for each hit: one of them may count twice, so fewer pass but never more."""
    found = at_once(envoy, Send(target="/limited", headers=(("x-user", "ann"),)), 4 * RATE)
    passed = [status for status, _ in found if status == 200]
    assert RATE - THREADS <= len(passed) <= RATE
    assert at_once(envoy, Send(target="/limited", headers=(("x-user", "ann"),)), 1) == [(429, 0)]
    assert at_once(envoy, Send(target="/limited", headers=(("x-user", "bob"),)), 1) == [(200, 0)]


def test_another_configuration_goes_on_where_this_one_was(envoy: EnvoyWithModule) -> None:
    [(_, here)] = at_once(envoy, Send(target="/n"), 1)
    got = exchange(envoy.port("other"), Send(target="/n"))
    assert got.headers.get("x-count") == str(here + 100)
    assert at_once(envoy, Send(target="/n"), 1) == [(200, here + 101)]
