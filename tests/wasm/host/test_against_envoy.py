"""The emulated host answers as Envoy does: one module, one exchange, the same words in both logs."""

from __future__ import annotations

from pathlib import Path

import pytest

from meshext.envoy.wasm_filter import Module
from meshext.sandbox.proxy import to_pairs
from meshext.testing import Reply
from meshext_wasm.host.driver import Driver, Message
from meshext_wasm.host.guest import WasmtimeGuest
from meshext_wasm.host.machine import Machine
from tests.conformance.case import Send
from tests.conformance.waiting import wait_for
from tests.wasm.host.envoy import EnvoyWithModule
from tests.wasm.host.probe import OUT, Say, build, say

STREAM = (
    "request_headers",
    "request_body",
    "request_trailers",
    "response_headers",
    "response_body",
    "response_trailers",
    "log",
)
HELD = {
    f"proxy_on_{name}": 1 for name in ("request_headers", "request_body", "response_headers", "response_body")
}
TRAILERS = (("x-t", "1"),)
LAST = "log done"


def look(phase: str) -> list[Say]:
    """Everything that depends on the phase."""
    calls: list[Say] = []
    # Asking for trailers elsewhere makes some, or shows them as they came; no module of ours does.
    for number in range(4) if "trailers" in phase else (0, 2):
        calls += [
            say(f"{phase} value {number}", "proxy_get_header_map_value", number, b"X-Multi", OUT),
            say(f"{phase} add {number}", "proxy_add_header_map_value", number, b"x-new", b"1"),
            say(f"{phase} replace {number}", "proxy_replace_header_map_value", number, b"X-Multi", b"c"),
            say(f"{phase} remove {number}", "proxy_remove_header_map_value", number, b"x-none"),
        ]
    calls += [
        say(f"{phase} buffer {each}", "proxy_get_buffer_bytes", each, 0, 99, OUT) for each in (0, 1, 6, 7)
    ]
    for path in (
        b"request\0path",
        b"request\0query",
        b"request\0method",
        b"request\0headers\0x-multi",
        b"nothing",
    ):
        calls.append(say(f"{phase} {path.replace(bytes(1), b'.').decode()}", "proxy_get_property", path, OUT))
    return [*calls, *([say(LAST, "proxy_log", 2, b"-")] if phase == "log" else [])]


@pytest.mark.envoy
@pytest.mark.parametrize(
    ("actions", "trailers"),
    [
        pytest.param({}, (), id="flows"),
        pytest.param({}, TRAILERS, id="flows-with-trailers"),
        pytest.param({"proxy_on_request_headers": 1}, (), id="headers-wait"),
        pytest.param(HELD, TRAILERS, id="all-waits-for-trailers"),
    ],
)
def test_phases(actions: dict[str, int], trailers: tuple[tuple[str, str], ...], tmp_path: Path) -> None:
    code = build({f"proxy_on_{phase}": look(phase) for phase in STREAM}, actions)
    headers = (("x-multi", "a"), ("x-multi", "b"))
    send = Send(method="POST", target="/p?q=1", headers=headers, body=b"hello", trailers=trailers)
    reply = Reply(body=b"fine", headers=(("x-multi", "r"),), trailers=trailers)
    module = Module(name="probe", code=code)
    with EnvoyWithModule(module, tmp_path) as envoy:
        envoy.send(send, reply)
        wait_for(lambda: any(line.startswith(LAST) for line in envoy.lines()))
        theirs = envoy.lines()
    assert emulate(module, send, reply) == theirs


def emulate(module: Module, send: Send, reply: Reply) -> list[str]:
    machine = Machine(vm_configuration=module.machine.encode())
    driver = Driver(WasmtimeGuest(module.code, machine))
    driver.configure()
    pseudo = ((":method", send.method), (":path", send.target), (":authority", send.host))
    driver.exchange(
        message((*pseudo, *send.headers), send.body, send.trailers),
        lambda _: message(
            ((":status", "200"), *to_pairs(reply.headers)), reply.body, tuple(to_pairs(reply.trailers))
        ),
    )
    return [entry.text for entry in machine.logs]


def message(
    lines: tuple[tuple[str, str], ...], body: bytes, trailers: tuple[tuple[str, str], ...]
) -> Message:
    """As Envoy's HTTP/1 codec tells it: the end of a body is an event of its own, unless trailers tell it."""
    return Message(
        lines=to_bytes(lines), pieces=(body,) if trailers else (body, b""), trailers=to_bytes(trailers)
    )


def to_bytes(lines: tuple[tuple[str, str], ...]) -> tuple[tuple[bytes, bytes], ...]:
    return tuple((name.encode(), value.encode()) for name, value in lines)
