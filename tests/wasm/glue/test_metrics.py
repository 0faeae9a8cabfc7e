"""Metrics with bounded labels, and series of their own: in a module what they are in a service."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path

import pytest

from meshext.testing import Harness
from meshext_wasm.build.cache import user_cache
from meshext_wasm.build.filters import build_filters
from meshext_wasm.host.driver import Driver, Message
from meshext_wasm.host.guest import Ready, WasmtimeGuest
from meshext_wasm.host.machine import Machine
from meshext_wasm.library.meshext.metrics import whole
from tests.wasm.glue.metered import Metered

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

CALLS = [
    ("/a", "x"),
    ("/b", "x"),
    ("/c", "x"),
    ("/a", "y"),
    ("", "x"),
    ("/d", ""),
    ("other", "z"),
]


@cache
def module() -> Ready:
    return Ready(build_filters([f"{Path(__file__).parent / 'metered.py'}:Metered"], user_cache()).code)


def in_module() -> tuple[dict[str, float], list[str]]:
    """Every series by its name in Envoy, and what was refused."""
    driver = Driver(WasmtimeGuest(module(), Machine()))
    driver.configure()
    told: list[str] = []
    for path, kind in CALLS:
        lines = {":method": "GET", ":scheme": "http", ":authority": "a.test", ":path": "/"}
        lines |= {"x-path": path, "x-kind": kind}
        sent = Message(lines=tuple((name.encode(), value.encode()) for name, value in lines.items()))
        arrived = driver.exchange(sent, lambda _: Message(lines=((b":status", b"200"),))).arrived
        assert arrived is not None
        found = dict(arrived.lines)
        told += [found[b"x-twice"].decode(), found[b"x-few"].decode()]
    numbers: dict[str, float] = {}
    for each in driver.machine.shared.metrics:
        if "meshext_" not in each.name:
            numbers[each.name] = len(each.observed) or each.value
    return numbers, told


def in_service(names: Iterable[str]) -> tuple[dict[str, float], list[str]]:
    """The same of the SDK, for the series of these names."""
    harness, told = Harness(Metered), list[str]()
    for path, kind in CALLS:
        sent = harness.request(headers={"x-path": path, "x-kind": kind}).upstream
        assert sent is not None
        told += [sent.headers["x-twice"], sent.headers["x-few"]]
    numbers: dict[str, float] = {}
    for each in names:
        name, *labels = filter(None, each.split(";"))
        given = dict(label.split("=", 1) for label in labels)
        assert given.pop("filter") == "metered"
        numbers[each] = harness.value(name, **given)
    return numbers, told


def test_numbers_and_refusals_are_those_of_a_service() -> None:
    numbers, told = in_module()
    assert (numbers, told) == in_service(numbers)
    requests = {name: number for name, number in numbers.items() if name.startswith("requests_total")}
    assert sum(requests.values()) == 3 * len(CALLS)
    labels = {name.partition(";;")[2] for name in requests}
    assert {"path=other;;kind=x;", "path=other;;kind=other;"} <= labels
    assert len(requests) == 7


def test_a_fraction_is_refused() -> None:
    assert whole("open_now", 3.0) == 3
    with pytest.raises(ValueError, match=r"open_now: 0\.5 can not be recorded"):
        whole("open_now", 0.5)
