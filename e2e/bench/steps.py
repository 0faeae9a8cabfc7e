"""What an exchange takes in steps: calls, and with valgrind instructions. The same on a busy machine.

Only the handlers run, ours and the bare one, with the messages that Envoy sends; no network, no event loop.

    python -m e2e.bench.steps                   Python and C calls of an exchange, every case
    python -m e2e.bench.steps --instructions    instructions, with `valgrind --tool=callgrind`: minutes a case
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from types import FrameType
from typing import Any, NamedTuple

import grpc

from e2e.bench.bare import build_handler
from e2e.bench.cases import CASES, Case
from e2e.bench.load import HEADERS, TARGET
from e2e.bench.services import FILTERS
from meshext.hosts.hook_watch import HookWatch
from meshext.hosts.modes import BODY_MODES
from meshext.hosts.pulse import Pulse
from meshext.hosts.server import Service
from meshext.loading import load_chain
from meshext.plan import Plan, build_plan
from meshext.telemetry.host_metrics import HostMetrics
from meshext_proto.envoy.config.core.v3 import base_pb2 as core
from meshext_proto.envoy.service.auth.v3 import external_auth_pb2 as auth
from meshext_proto.envoy.service.ext_proc.v3 import external_processor_pb2 as proc

METHODS = {
    "authz": "/envoy.service.auth.v3.Authorization/Check",
    "proc": "/envoy.service.ext_proc.v3.ExternalProcessor/Process",
}
METADATA = (
    ("x-meshext-direct-address", "127.0.0.1:36270"),
    ("x-meshext-client-address", "127.0.0.1:36270"),
    ("x-meshext-route", "default"),
)
FEW, MANY = 100, 300  # exchanges; what they differ by is what an exchange takes
COLLECTED = re.compile(r"Collected : (\d+)")

Exchange = Callable[[list[bytes]], Coroutine[Any, Any, Any]]


class Call(NamedTuple):
    """What gRPC tells of a call (`grpc.HandlerCallDetails`)."""

    method: str
    invocation_metadata: tuple[tuple[str, str], ...]


class Stream:
    """The messages of one call, read and answered at once."""

    def __init__(self, messages: list[bytes]) -> None:
        self._messages = iter(messages)

    async def read(self) -> Any:
        """The next one, or the end."""
        return next(self._messages, grpc.aio.EOF)

    async def write(self, answer: bytes) -> None:
        """Nobody wants it."""


def build_map(lines: dict[str, str]) -> core.HeaderMap:
    """Header lines as Envoy sends them."""
    return core.HeaderMap(
        headers=[core.HeaderValue(key=key, raw_value=value.encode()) for key, value in lines.items()]
    )


def build_messages(case: Case, plan: Plan) -> list[bytes]:
    """What Envoy sends of one request; its id is another one each time."""
    pseudo = {":authority": "127.0.0.1:34305", ":path": TARGET, ":method": "GET", ":scheme": "http"}
    own = {"x-forwarded-for": "192.0.2.2", "x-forwarded-proto": "http", "x-request-id": str(uuid.uuid4())}
    headers = build_map(pseudo | HEADERS | own)
    if case.mode == "authz":
        check = auth.CheckRequest()
        check.attributes.request.http.header_map.CopyFrom(headers)
        check.attributes.request.http.raw_body = case.body
        return [check.SerializeToString()]
    first = proc.ProcessingRequest(
        request_headers=proc.HttpHeaders(headers=headers, end_of_stream=not case.body),
        protocol_config=proc.ProtocolConfiguration(request_body_mode=BODY_MODES[plan.request_body]),
    )
    messages = [first]
    if plan.request_body:
        body = proc.HttpBody(body=case.body, end_of_stream=True)
        messages.append(proc.ProcessingRequest(request_body=body))
    if plan.response_headers:
        back = proc.HttpHeaders(headers=build_map({":status": "200", "content-length": "3"}))
        messages.append(proc.ProcessingRequest(response_headers=back))
    return [message.SerializeToString() for message in messages]


def ours(case: Case, handlers: Any) -> Exchange:
    """An exchange with our service."""
    call = Call(METHODS[case.mode], METADATA)

    async def check(messages: list[bytes]) -> Any:
        return await handlers.service(call).unary_unary(messages[0], None)

    async def process(messages: list[bytes]) -> Any:
        return await handlers.service(call).stream_stream(None, Stream(messages))

    return check if case.mode == "authz" else process


def bare(case: Case) -> Exchange:
    """An exchange with the bare servicer; gRPC reads and writes its messages with these two functions."""
    handlers: Any = build_handler(case.mode, case.decision)
    call = Call(METHODS[case.mode], METADATA)

    async def check(messages: list[bytes]) -> Any:
        handler = handlers.service(call)
        request = handler.request_deserializer(messages[0])
        return handler.response_serializer(await handler.unary_unary(request, None))

    async def process(messages: list[bytes]) -> Any:
        handler = handlers.service(call)

        async def requests() -> Any:
            for message in messages:
                yield handler.request_deserializer(message)

        async for answer in handler.stream_stream(requests(), None):
            handler.response_serializer(answer)

    return check if case.mode == "authz" else process


async def run(exchange: Exchange, work: list[list[bytes]]) -> None:
    """One exchange after the other; none of them waits, so the event loop takes no part."""
    for messages in work:
        await exchange(messages)


@dataclass(frozen=True, slots=True)
class Bench:
    """A case ready to run: how many exchanges, by whom."""

    exchange: Exchange
    plan: Plan
    case: Case

    @classmethod
    def build(cls, case: Case, who: str) -> Bench:
        """`who` is `ours` or `bare`."""
        chain = load_chain([f"{FILTERS}:{case.decision}"])
        plan = build_plan(chain.needs, case.mode)
        if who == "bare":
            return cls(bare(case), plan, case)
        service = Service(chain, HookWatch(Pulse.private()), observer=HostMetrics(chain.needs))
        return cls(ours(case, service._handlers()), plan, case)

    async def count(self, exchanges: int) -> tuple[float, float]:
        """Python and C calls of an exchange, once everything is warm."""
        work = [build_messages(self.case, self.plan) for _ in range(exchanges)]
        await run(self.exchange, work[: exchanges // 4])
        seen = {"call": 0, "c_call": 0}

        def profile(_frame: FrameType, event: str, _what: object) -> None:
            if event in seen:
                seen[event] += 1

        sys.setprofile(profile)
        await run(self.exchange, work)
        sys.setprofile(None)
        return seen["call"] / exchanges, seen["c_call"] / exchanges

    async def repeat(self, exchanges: int) -> None:
        """Run so many, for somebody who counts from outside; as many messages are made each time."""
        work = [build_messages(self.case, self.plan) for _ in range(MANY)]
        await run(self.exchange, work[:exchanges])


def instructions(case: Case, who: str) -> int:
    """Instructions of an exchange."""
    found = []
    for exchanges in (FEW, MANY):
        with tempfile.TemporaryDirectory(prefix="meshext-bench-") as folder:
            words = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={folder}/out", sys.executable]
            words += ["-m", "e2e.bench.steps", "--repeat", case.name, who, str(exchanges)]
            environment = {**os.environ, "PYTHONHASHSEED": "0"}
            done = subprocess.run(words, capture_output=True, text=True, check=True, env=environment)
        found.append(int(COLLECTED.findall(done.stderr)[-1]))
    return (found[1] - found[0]) // (MANY - FEW)


def tell(case: Case, *, deep: bool) -> None:
    """One case's line or two."""
    for who in ("bare", "ours"):
        python, native = asyncio.run(Bench.build(case, who).count(MANY))
        counted = f"{instructions(case, who):>12,} instructions" if deep else ""
        sys.stdout.write(f"{case.name:<28} {who} {python:8.1f} Python {native:8.1f} C calls{counted}\n")


def main(arguments: list[str] | None = None) -> int:
    """Count."""
    parser = argparse.ArgumentParser(prog="python -m e2e.bench.steps", description=__doc__)
    parser.add_argument("--case", default="", metavar="TEXT", help="only cases whose name has TEXT in it")
    parser.add_argument("--instructions", action="store_true", help="instructions too, with valgrind")
    parser.add_argument("--repeat", nargs=3, help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.repeat:
        name, who, exchanges = given.repeat
        bench = Bench.build(next(case for case in CASES if case.name == name), who)
        asyncio.run(bench.repeat(int(exchanges)))
        return 0
    for case in CASES:
        if given.case in case.name:
            tell(case, deep=given.instructions)
    return 0


if __name__ == "__main__":
    sys.exit(main())
