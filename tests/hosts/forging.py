"""Envoy's side of both protocols over real gRPC, for playing it wrong."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

import grpc
import grpc.aio

from meshext import Filter
from meshext.engine.chain import build_chain, build_mount
from meshext.engine.observer import Observer
from meshext.engine.timed_watch import TimedWatch
from meshext.hosts import ext_authz, ext_proc
from meshext.hosts.address import Address
from meshext.hosts.options import MAX_IN_FLIGHT
from meshext.hosts.server import Service
from meshext_proto.envoy.service.auth.v3 import external_auth_pb2
from meshext_proto.envoy.service.ext_proc.v3 import external_processor_pb2
from meshext_proto.meshext import received_pb2

T = TypeVar("T")
DEADLINE = 30.0  # seconds
OPTIONS = [("grpc.use_local_subchannel_pool", 1), ("grpc.max_send_message_length", -1)]

Answer = external_processor_pb2.ProcessingResponse
Lines = Sequence[tuple[str, bytes]]
REQUEST: Lines = (
    (":method", b"GET"),
    (":scheme", b"http"),
    (":authority", b"a.test"),
    (":path", b"/x?a=b"),
    ("x-request-id", b"some-id"),
)
RESPONSE: Lines = ((":status", b"200"), ("content-type", b"text/plain"))


class Background:
    """An event loop in a thread of its own."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(DEADLINE)

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(DEADLINE)
        self._loop.close()


@dataclass(slots=True)
class Ended:
    """How a stream went: what came back, and the status it ended with."""

    answers: list[Any] = field(default_factory=list)
    tails: list[Any] = field(default_factory=list)
    """Bytes that went before trailers."""
    status: str = ""

    @property
    def phases(self) -> list[str]:
        """Which phase each answer is for."""
        return [str(answer.WhichOneof("response")) for answer in self.answers]


class Forger:
    """A service on a socket of its own, and a channel to it."""

    def __init__(self, service: Service, channel: grpc.aio.Channel) -> None:
        self.service = service
        self.channel = channel

    def open(self) -> Any:
        """A new ext_proc stream."""
        call: Any = self.channel.stream_stream(f"/{ext_proc.SERVICE}/Process")
        return call(metadata=(("x-meshext-direct-address", "127.0.0.1:1"),))

    async def play(self, messages: Sequence[bytes]) -> Ended:
        """Send one message after the other, each when the one before was answered, then half-close."""
        stream, ended = self.open(), Ended()
        try:
            for message in messages:
                await stream.write(message)
                answer = await read_answer(stream)
                if is_tail(message, answer):
                    ended.tails.append(answer)
                    answer = await read_answer(stream)
                if answer is None:
                    break
                ended.answers.append(answer)
                if ended.phases[-1] == "immediate_response":
                    break
            await stream.done_writing()
            assert await asyncio.wait_for(stream.read(), DEADLINE) is grpc.aio.EOF
        except (grpc.aio.AioRpcError, asyncio.InvalidStateError):
            pass
        ended.status = (await asyncio.wait_for(stream.code(), DEADLINE)).name
        return ended

    async def check(self, raw: bytes) -> tuple[str, Any]:
        """The status of a check, and its answer where that is OK."""
        call: Any = self.channel.unary_unary(f"/{ext_authz.SERVICE}/Check")
        try:
            return "OK", external_auth_pb2.CheckResponse.FromString(await call(raw, timeout=DEADLINE))
        except grpc.aio.AioRpcError as error:
            return error.code().name, None

    async def is_well(self) -> bool:
        """Whether an ordinary exchange goes through it."""
        ended = await self.play([headers(), response_headers(end=True)])
        return ended.status == "OK" and len(ended.answers) == 2


async def read_answer(stream: Any) -> Any:
    """The next answer; None at the end."""
    raw = await asyncio.wait_for(stream.read(), DEADLINE)
    return None if raw is grpc.aio.EOF else Answer.FromString(raw)


def is_tail(message: bytes, answer: Any) -> bool:
    """Whether an answer about a body came for trailers."""
    if answer is None or not str(answer.WhichOneof("response")).endswith("_body"):
        return False
    # as the service reads it
    phase = received_pb2.ProcessingRequest.FromString(message).WhichOneof("request")
    return str(phase).endswith("_trailers")


@asynccontextmanager
async def forging(
    *filters: type[Filter], max_in_flight: int = MAX_IN_FLIGHT, observer: Observer | None = None
) -> AsyncIterator[Forger]:
    """A forger; when it ends, no task may be left of what it did."""
    before = len(asyncio.all_tasks())
    with TemporaryDirectory(prefix="mx-") as folder:
        chain = build_chain([build_mount(each) for each in filters])
        service = Service(chain, TimedWatch(), max_in_flight=max_in_flight, observer=observer)
        path = Path(folder) / "s.sock"
        await service.start(Address(path=str(path)))
        try:
            async with grpc.aio.insecure_channel(f"unix:{path}", options=OPTIONS) as channel:
                yield Forger(service, channel)
        finally:
            await service.stop(0)
    await settled(before)


async def settled(tasks: int) -> None:
    """Until no more tasks are there than so many."""
    async with asyncio.timeout(DEADLINE):
        while len(asyncio.all_tasks()) > tasks:  # noqa: ASYNC110  # nobody tells when a task is gone
            await asyncio.sleep(0.005)


def build(phase: str, lines: Lines = (), *, body: bytes | None = None, end: bool = False) -> Any:
    """A ProcessingRequest."""
    message = external_processor_pb2.ProcessingRequest()
    part = getattr(message, phase)
    part.SetInParent()
    if body is not None:
        part.body = body
    for name, value in lines:
        target = part.trailers if phase.endswith("trailers") else part.headers
        target.headers.add(key=name, raw_value=value)
    if not phase.endswith("trailers"):
        part.end_of_stream = end
    return message


def headers(lines: Lines = REQUEST, *, end: bool = True, **more: str) -> bytes:
    """The request's headers."""
    extra = [(name.replace("_", "-"), value.encode()) for name, value in more.items()]
    raw: bytes = build("request_headers", [*lines, *extra], end=end).SerializeToString()
    return raw


def body(data: bytes = b"body", *, end: bool = True) -> bytes:
    """The request's body."""
    raw: bytes = build("request_body", body=data, end=end).SerializeToString()
    return raw


def trailers(lines: Lines = (("x-end", b"1"),)) -> bytes:
    """The request's trailers."""
    raw: bytes = build("request_trailers", lines).SerializeToString()
    return raw


def response_headers(lines: Lines = RESPONSE, *, end: bool = False) -> bytes:
    """The response's headers."""
    raw: bytes = build("response_headers", lines, end=end).SerializeToString()
    return raw


def response_body(data: bytes = b"body", *, end: bool = True) -> bytes:
    """The response's body."""
    raw: bytes = build("response_body", body=data, end=end).SerializeToString()
    return raw


def response_trailers(lines: Lines = (("x-end", b"1"),)) -> bytes:
    """The response's trailers."""
    raw: bytes = build("response_trailers", lines).SerializeToString()
    return raw
