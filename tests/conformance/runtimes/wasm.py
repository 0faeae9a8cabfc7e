"""Filters compiled for Envoy, on the emulated host: what a guest is, is up to who makes it."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

from meshext import Filter
from meshext.engine.effects import Answer
from meshext.http.headers import Headers, Lines
from meshext.http.parts import forbids_body, is_tunnel, request_parts, response_parts
from meshext.plan import Mode
from meshext.testing import Log
from meshext.testing.carriage import is_grpc, to_client
from meshext.testing.harness import pair_configs
from meshext.testing.outcome import lines_of
from meshext_wasm.abi.values import Level
from meshext_wasm.host.driver import Driver, Message, Passage
from meshext_wasm.host.guest import Guest
from meshext_wasm.host.machine import LogEntry, Machine
from meshext_wasm.host.pairs import Pair
from meshext_wasm.host.stream import Stream
from tests.conformance.case import DEAD, Arrived, Case, Got, Result, Send
from tests.conformance.compiled.notes import take_notes
from tests.conformance.runtimes.forged import request_lines, response_lines
from tests.conformance.runtimes.in_process import choose

PROPERTIES = {
    "xds.route_name": b"main",
    "xds.cluster_name": b"main",
    "source.address": b"127.0.0.1:5000",
    "filter_state.meshext_direct_address": b"127.0.0.1:5000",
    "source.port": (5000).to_bytes(8, "little"),
    "connection.id": (7).to_bytes(8, "little"),
}
LEVELS = {Level.ERROR: "ERROR", Level.WARNING: "WARNING"}


class EmulatedWasm(ABC):
    """One guest for each case."""

    mode: Mode = "wasm"

    @abstractmethod
    def build(self, filters: Sequence[type[Filter]], machine: Machine) -> Guest:
        """The filters of a case as a guest."""

    def configure(self, case: Case) -> str:
        """What the module is configured with."""
        return configuration(case)

    def run(self, case: Case) -> Result:
        machine = Machine(configuration=self.configure(case).encode())
        machine.root_properties[b"plugin_root_id"] = case.name.encode()
        driver = Driver(self.build(case.filters, machine))
        driver.configure()
        passage = driver.exchange(to_message(case.send), lambda sent: self.reply(case, sent), prepare=prepare)
        return Result(
            arrived=to_arrived(case, passage),
            got=to_got(case, passage),
            logs=take_notes(map(to_log, machine.logs)),
            details=passage.local.details.decode() if passage.local else "via_upstream",
            metadata=to_metadata(passage.properties),
        )

    def reply(self, case: Case, _sent: Message) -> Message:
        """The upstream's answer, as Envoy's codec tells it."""
        reply = case.reply
        bodiless = forbids_body(case.send.method, reply.status)
        body, trailers = (b"", ()) if bodiless else (reply.body, lines_of(reply.trailers))
        return Message(
            lines=to_pairs(response_lines(case)), pieces=pieces(body, bool(body)), trailers=to_pairs(trailers)
        )


def configuration(case: Case) -> str:
    """The configuration as the control plane would send it."""
    configs = pair_configs(case.filters, case.configs or None)
    pairs = list(zip(case.filters, configs, strict=True))
    given = {cls.name: config for cls, config in pairs if config is not None}
    if len(pairs) == 1:
        [config] = given.values() or [{}]
        return config if isinstance(config, str) else json.dumps(config)
    return json.dumps(given)


def prepare(stream: Stream) -> None:
    stream.set_properties(PROPERTIES)


def to_message(send: Send) -> Message:
    tunnel = is_tunnel(request_parts(request_lines(send)))
    there = bool(send.body or send.trailers or send.chunked or tunnel)
    parts = [send.body] if send.body else []
    if there and not send.trailers:
        parts.append(b"")
    return Message(
        lines=to_pairs(request_lines(send)), pieces=tuple(parts), trailers=to_pairs(lines_of(send.trailers))
    )


def pieces(body: bytes, there: bool) -> tuple[bytes, ...]:
    return (body,) if there else ()


def to_pairs(lines: Lines) -> tuple[Pair, ...]:
    return tuple((name.encode(), value) for name, value in lines)


def to_lines(pairs: Sequence[Pair]) -> Lines:
    return tuple((name.decode("latin-1"), value) for name, value in pairs)


def to_arrived(case: Case, passage: Passage) -> Arrived | None:
    if passage.arrived is None:
        return None
    parts = request_parts(to_lines(passage.arrived.lines))
    headers = Headers.from_lines(parts.lines)
    at = choose(headers)
    if at == DEAD:
        return None
    return Arrived(
        at=at,
        method=parts.method,
        target=parts.target,
        host=parts.host,
        headers=headers,
        body=b"".join(passage.arrived.pieces),
        trailers=Headers.from_lines(to_lines(passage.arrived.trailers)),
    )


def to_got(case: Case, passage: Passage) -> Got:
    if passage.local is not None:
        local = passage.local
        answer = Answer(
            status=local.status, lines=to_lines(local.lines), body=local.body, details=local.details.decode()
        )
        grpc = is_grpc(request_lines(case.send))
        status, lines, body = to_client(answer, case.send.method, grpc=grpc)
        return Got(status=status, headers=Headers.from_lines(lines), body=body, trailers=Headers())
    assert passage.got is not None
    parts = response_parts(to_lines(passage.got.lines))
    body = b"".join(passage.got.pieces)
    if forbids_body(case.send.method, parts.status):
        body = b""
    return Got(
        status=parts.status,
        headers=Headers.from_lines(parts.lines),
        body=body,
        trailers=Headers.from_lines(to_lines(passage.got.trailers)),
        reset=passage.reset,
    )


def to_metadata(properties: dict[bytes, bytes]) -> dict[str, Any]:
    """What the module wrote for the Lua beside it, by namespace."""
    own = {name.decode(): value for name, value in properties.items() if name.startswith(b"meshext.")}
    return {name: decode_value(value, 0)[0] for name, value in own.items()}


def decode_value(text: bytes, at: int) -> tuple[Any, int]:
    """A value of `meshext_wasm.library.proxy.written`, and where the next one begins."""
    kind = text[at : at + 1]
    if kind in b"tf":
        return kind == b"t", at + 1
    number, _, rest = text[at + 1 :].partition(b":")
    at = len(text) - len(rest)
    if kind == b"n":
        return json.loads(number), at
    if kind == b"s":
        return text[at : at + int(number)].decode(), at + int(number)
    items = []
    for _ in range(int(number) * (1 + (kind == b"d"))):
        item, at = decode_value(text, at)
        items.append(item)
    return (dict(zip(items[::2], items[1::2], strict=True)) if kind == b"d" else items), at


def to_log(entry: LogEntry) -> Log:
    return Log(level=LEVELS.get(entry.level, "INFO"), message=entry.text, filter="", hook="")
