"""Envoy's side of both protocols, played by hand against the real gRPC service."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import grpc
import grpc.aio

from meshext.attributes import attribute_key, select_attributes
from meshext.engine.chain import build_chain, build_mount
from meshext.engine.effects import Answer
from meshext.engine.timed_watch import TimedWatch
from meshext.hosts.address import Address
from meshext.hosts.server import Service
from meshext.http.headers import Headers, Lines
from meshext.http.parts import RequestParts, ResponseParts, is_tunnel, request_parts
from meshext.plan import Mode, Plan, build_plan
from meshext.testing.carriage import is_grpc, to_client, with_length
from meshext.testing.harness import own_config, pair_configs
from meshext.testing.outcome import lines_of
from meshext.testing.records import keep_records
from meshext_proto.envoy.config.core.v3 import base_pb2
from tests.conformance.background import Background
from tests.conformance.case import DEAD, Arrived, Case, Got, Result, Send
from tests.conformance.runtimes.in_process import choose
from tests.conformance.waiting import is_over, wait_for

APPEND = base_pb2.HeaderValueOption.APPEND_IF_EXISTS_OR_ADD
CONNECTION = (
    ("x-meshext-direct-address", "127.0.0.1:5000"),
    ("x-meshext-client-address", "127.0.0.1:5000"),
    ("x-meshext-route", "main"),
    ("x-meshext-cluster", "main"),
)
FORGED = {"source.port": "5000", "source.address": "127.0.0.1:5000", "connection.id": "7"}
FAILED = Got(status=500, headers=Headers(), body=b"", trailers=Headers())


class ForgedRuntime:
    """A service of its own for each case; a subclass says how one exchange goes."""

    mode: Mode

    def __init__(self, folder: Path, background: Background) -> None:
        self._folder = folder
        self._background = background

    def run(self, case: Case) -> Result:
        with keep_records() as logs:
            exchange = self._background.run(self._serve(case))
            wait_for(lambda: is_over(case, logs))
        return exchange.result(tuple(logs))

    async def _serve(self, case: Case) -> Exchange:
        configs = pair_configs(case.filters, case.configs or None)
        pairs = zip(case.filters, configs, strict=True)
        chain = build_chain([build_mount(cls, own_config(cls, config)) for cls, config in pairs])
        service = Service(chain, TimedWatch())
        path = str(self._folder / f"{self.mode}.sock")
        await service.start(Address(path=path))
        try:
            async with grpc.aio.insecure_channel(
                f"unix:{path}", options=[("grpc.use_local_subchannel_pool", 1)]
            ) as channel:
                exchange = Exchange(case, build_plan(chain.needs, self.mode))
                await self.drive(channel, exchange)
                return exchange
        finally:
            await service.stop(1)

    async def drive(self, channel: Any, exchange: Exchange) -> None:
        """Send one exchange through the service."""
        raise NotImplementedError


class Exchange:
    """The message as Envoy holds it, and what the service makes of it."""

    def __init__(self, case: Case, plan: Plan) -> None:
        self.case = case
        self.plan = plan
        self.send = case.send
        self.lines = request_lines(case.send)
        self.trailers: Lines = lines_of(case.send.trailers)
        self.body = case.send.body
        there = case.send.body or case.send.trailers or case.send.chunked
        self.end = not there and not is_tunnel(request_parts(self.lines))
        self.arrived: Arrived | None = None
        self.got: Got | None = None
        self.routed = False
        self.details = "via_upstream"
        self.metadata: dict[str, Any] = {}

    @property
    def call_metadata(self) -> tuple[tuple[str, str], ...]:
        """What our configuration makes Envoy send beside the call."""
        asked = select_attributes(self.plan.attributes, "metadata")
        return CONNECTION + tuple((attribute_key(each.name), FORGED[each.name]) for each in asked)

    def reach_upstream(self) -> None:
        """The request leaves Envoy."""
        parts = request_parts(self.lines)
        headers = Headers.from_lines(parts.lines)
        at = choose(headers if self.routed else Headers(self.send.headers))
        if at == DEAD:
            return
        self.arrived = Arrived(
            at=at,
            method=parts.method,
            target=parts.target,
            host=parts.host,
            headers=headers,
            body=self.body,
            trailers=Headers.from_lines(self.trailers),
        )

    def answer(self, answer: Answer) -> None:
        """The service answered in the upstream's place."""
        grpc_request = is_grpc(request_lines(self.send))
        status, lines, body = to_client(answer, self.send.method, grpc=grpc_request)
        self.details = answer.details
        self.give(ResponseParts(lines, status), body, ())

    def give(self, parts: ResponseParts, body: bytes, trailers: Lines, *, reset: bool = False) -> None:
        """The client gets a response."""
        self.got = Got(
            status=parts.status,
            headers=Headers.from_lines(parts.lines),
            body=body,
            trailers=Headers.from_lines(trailers),
            reset=reset,
        )

    def result(self, logs: tuple[Any, ...]) -> Result:
        assert self.got is not None
        return Result(
            arrived=self.arrived, got=self.got, logs=logs, details=self.details, metadata=self.metadata
        )


def request_lines(send: Send) -> Lines:
    """The lines that Envoy makes of what a client sends."""
    lines = (*lines_of(send.headers), ("x-request-id", b"forged"))
    if send.body and not send.chunked and not send.trailers:
        lines = with_length(lines, len(send.body))
    target = "" if send.method == "CONNECT" else send.target
    return RequestParts(lines, send.method, "http", send.host, target).to_lines()


def response_lines(case: Case) -> Lines:
    """The lines of the upstream's answer, `:status` in front."""
    reply = case.reply
    lines = ResponseParts(lines_of(reply.headers), reply.status).to_lines()
    if reply.trailers or reply.status == 204:
        return lines
    return with_length(lines, len(reply.body))


def set_options(lines: Lines, options: Iterable[Any]) -> Lines:
    """Lines after `HeaderValueOption`s, each appended or put in the place of what was there."""
    for option in options:
        name, value = option.header.key, option.header.raw_value or option.header.value.encode()
        if option.append_action != APPEND:
            lines = tuple(line for line in lines if line[0] != name)
        lines = (*lines, (name, value))
    return lines


def mutate(lines: Lines, mutation: Any) -> Lines:
    """Lines after a `HeaderMutation`."""
    kept = tuple(line for line in lines if line[0] not in mutation.remove_headers)
    return set_options(kept, mutation.set_headers)
