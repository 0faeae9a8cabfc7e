"""What only a filter has: its name, the SDK's errors, generators that outlive a hook, and a bounded log."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from meshext_wasm.build.cache import user_cache
from meshext_wasm.build.filters import build_filters
from meshext_wasm.host.driver import Driver, Message, Passage
from meshext_wasm.host.guest import Ready, WasmtimeGuest
from meshext_wasm.host.machine import Machine

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
]  # the run-time library may have to be compiled first


FILTERS = Path(__file__).parents[3] / "e2e" / "filters"


@cache
def module(name: str) -> Ready:
    return Ready(build_filters([f"{FILTERS / 'many_things.py'}:{name}"], user_cache()).code)


def send(driver: Driver, *headers: tuple[str, str]) -> Passage:
    pseudo = {":method": "GET", ":scheme": "http", ":authority": "a.test", ":path": "/", "x-request-id": "r1"}
    lines = tuple((name.encode(), value.encode()) for name, value in [*pseudo.items(), *headers])
    return driver.exchange(Message(lines=lines), lambda _: Message(lines=((b":status", b"200"),)))


def header(message: Message | None, name: bytes) -> bytes:
    assert message is not None
    return dict(message.lines)[name]


def start(name: str = "ManyThings") -> Driver:
    driver = Driver(WasmtimeGuest(module(name), Machine()))
    driver.configure()
    return driver


def test_its_name() -> None:
    assert header(send(start()).arrived, b"x-name") == b"many-things many-things"
    assert header(send(start("Called")).arrived, b"x-name") == b"of-another-name of-another-name"


def test_the_root_of_the_errors() -> None:
    assert header(send(start()).arrived, b"x-caught") == b"header undeclared own plain"


def test_a_generator_goes_on_in_another_hook() -> None:
    driver = start()
    for _ in range(50):
        passage = send(driver)
        assert header(passage.arrived, b"x-first") == b"n0"
        assert header(passage.got, b"x-next") == b"n1"
        assert int(header(passage.got, b"x-sum")) == sum(len(f"n{count}") for count in range(2, 1000))


def lines_of(driver: Driver) -> list[str]:
    return [each.text for each in driver.machine.logs if "many_things: " in each.text]


def test_a_request_writes_so_many_lines_and_no_more() -> None:
    driver = start()
    send(driver, ("x-lines", "99"))
    assert len(lines_of(driver)) == 100
    driver.machine.logs.clear()
    send(driver, ("x-lines", "250"))
    assert lines_of(driver)[-1] == "many_things: line 99"
    told = [each.text for each in driver.machine.logs if "100 lines are logged" in each.text]
    assert told == [
        "many-things [r1]: 100 lines are logged for this request; more are counted in "
        "meshext_log_lines_left_out_total"
    ]
    left_out = "meshext_log_lines_left_out_total;filter=many-things;"
    assert driver.machine.shared.value(left_out) == 151  # one of the response's too
    driver.machine.logs.clear()
    send(driver)
    assert lines_of(driver) == ["many_things: responded"]


def test_a_long_line_is_cut() -> None:
    driver = start()
    send(driver, ("x-long", "1"))
    [line, _] = lines_of(driver)
    assert line == f"many_things: {'x' * (16384 - 13)} ... (83629 characters more)"
