"""The glue under CPython answers the examples' calls as their expectations say."""

from __future__ import annotations

from pathlib import Path

import pytest

from meshext.filter import class_needs
from meshext.plugins import load_filter
from meshext_wasm.build.filters import RESPONSE_HEADERS
from meshext_wasm.glue.program_text import write_program
from meshext_wasm.glue.seat_text import Seated
from meshext_wasm.host.driver import Driver, Message, Passage
from meshext_wasm.host.machine import Machine
from tests.wasm.glue.interpreted import InterpretedGuest, read_files

EXAMPLES = Path("filters/examples")


def start(example: str, configuration: str = "") -> Driver:
    folder = EXAMPLES / example
    cls = load_filter(str(folder / "filter.py"))
    seated = Seated(
        cls=cls,
        needs=class_needs(cls),
        module="filter",
        number=0,
        has_config=hasattr(cls, "Config"),
        has_state=hasattr(cls, "State"),
    )
    machine = Machine(configuration=configuration.encode())
    files = read_files(folder)
    adds = any(RESPONSE_HEADERS in text for text in files.values())
    driver = Driver(InterpretedGuest(write_program([seated], [], adds=adds), files, machine))
    driver.configure()
    return driver


def request(target: str, *headers: tuple[str, str], method: str = "GET", body: bytes = b"") -> Message:
    pseudo = {":method": method, ":scheme": "http", ":authority": "shop.test", ":path": target}
    lines = [*pseudo.items(), ("x-request-id", "r1"), ("x-forwarded-proto", "http"), *headers]
    if body:
        lines.append(("content-length", str(len(body))))
    return Message(
        lines=tuple((name.encode(), value.encode()) for name, value in lines), pieces=(body,) if body else ()
    )


def send(driver: Driver, message: Message) -> Passage:
    return driver.exchange(message, lambda _: Message(lines=((b":status", b"200"),), pieces=(b"fine",)))


def test_hello() -> None:
    driver = start("01_hello")
    answered = send(driver, request("/hello?name=mesh")).local
    assert answered is not None
    assert (answered.status, answered.body) == (200, b"hello, mesh\n")
    passed = send(driver, request("/orders")).arrived
    assert passed is not None
    assert (b"x-hello", b"passed") in passed.lines


def test_rewriting() -> None:
    driver = start("05_rewrite_and_reroute", '{"share": 30}')
    found = send(driver, request("/shop/find?q=a%20b+c&debug=1&version=v2&n=%7e", ("x-user", "ann"))).arrived
    assert found is not None
    assert (b":path", b"/find?q=a%20b+c&version=v1&n=%7e") in found.lines
    assert (b"x-original-path", b"/shop/find") in found.lines
    assert driver.machine.shared.value("ab_assigned_total;filter=rewrite-and-reroute;;version=v1;") == 1


@pytest.mark.parametrize(
    ("configuration", "reason"),
    [
        ('{"share": 130}', "share is 130; write a whole number from 0 to 100"),
        ('{"share": "3"}', "share: expected a whole number, got '3'; write for example 10"),
        ("{}", "share: missing, expected a whole number; write for example share: 10"),
        ('{"share": 3, "sale": 1}', "sale: unknown key; known keys: share, prefix, user, salt"),
        ('{"share": }', "line 1, column 11: not JSON: expecting value"),
    ],
)
def test_a_wrong_configuration_is_refused(configuration: str, reason: str) -> None:
    with pytest.raises(Exception, match="proxy_on_configure"):
        start("05_rewrite_and_reroute", configuration)


def test_bodies() -> None:
    driver = start("04_body_inspection", '{"fields": {"item": "text", "amount": "number"}}')
    good = b'{"item": "tea", "amount": 2}'
    arrived = send(driver, request("/orders", method="POST", body=good)).arrived
    assert arrived is not None
    assert arrived.pieces == (good,)
    refused = send(driver, request("/orders", method="PUT", body=b'{"item": 7}')).local
    assert refused is not None
    assert refused.status == 422
