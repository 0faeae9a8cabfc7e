"""ext_proc over real gRPC, with Envoy's side played by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import grpc
import grpc.aio

from meshext.bodies import BodyStyle
from meshext.engine.effects import Answer
from meshext.envoy.bootstrap import buffer_limit
from meshext.hosts.ext_proc import SERVICE
from meshext.hosts.modes import BODY_MODES
from meshext.http.headers import Lines
from meshext.http.parts import forbids_body, response_parts
from meshext.plan import Mode
from meshext.testing.outcome import lines_of
from meshext_proto.envoy.config.core.v3 import base_pb2
from meshext_proto.envoy.extensions.filters.http.ext_proc.v3 import processing_mode_pb2
from meshext_proto.envoy.service.ext_proc.v3 import external_processor_pb2
from meshext_proto.google.protobuf import struct_pb2
from tests.conformance.runtimes.forged import FAILED, Exchange, ForgedRuntime, mutate, response_lines

ProcessingMode = processing_mode_pb2.ProcessingMode
HeaderMutation = external_processor_pb2.HeaderMutation
ATTRIBUTES = "envoy.filters.http.ext_proc"


class Answered(Exception):
    """The service answered the client, or the call failed."""


class ProcGrpc(ForgedRuntime):
    """Sends the messages of our configuration, in Envoy's order."""

    mode: Mode = "proc"

    async def drive(self, channel: Any, exchange: Exchange) -> None:
        call = channel.stream_stream(f"/{SERVICE}/Process")(metadata=exchange.call_metadata)
        stream = Stream(call, exchange)
        try:
            await request(stream, exchange)
            exchange.reach_upstream()
            await response(stream, exchange)
        except Answered:
            return
        except grpc.aio.AioRpcError:
            fail(stream, exchange)
            return
        await call.done_writing()
        assert await call.read() is grpc.aio.EOF


class Stream:
    """One call; `ask` sends a phase and gives the part of the answer that belongs to it."""

    def __init__(self, call: Any, exchange: Exchange) -> None:
        self._call = call
        self.exchange = exchange
        self.shows_response = exchange.plan.response_headers
        self.styles: dict[str, BodyStyle] = {
            "request": exchange.plan.request_body,
            "response": exchange.plan.response_body,
        }
        self.begun = False

    async def ask(self, phase: str, **parts: Any) -> Any:
        message = external_processor_pb2.ProcessingRequest()
        getattr(message, phase).MergeFrom(type(getattr(message, phase))(**parts))
        if phase == "response_headers" and "response.code" in self.exchange.plan.attributes:
            fields = {"response.code": struct_pb2.Value(number_value=200)}
            message.attributes[ATTRIBUTES].CopyFrom(struct_pb2.Struct(fields=fields))
        await self._call.write(message.SerializeToString())
        return await self.read(
            phase, *([phase.replace("_trailers", "_body")] if "_trailers" in phase else [])
        )

    async def read(self, *phases: str) -> Any:
        """The next answer, which is for one of these phases."""
        raw = await self._call.read()
        assert raw is not grpc.aio.EOF, "a stream that ends with OK lets the request pass"
        reply = external_processor_pb2.ProcessingResponse.FromString(raw)
        self._note(reply)
        phase = reply.WhichOneof("response")
        assert phase in phases
        return getattr(reply, phase)

    def _note(self, reply: Any) -> None:
        for namespace, value in reply.dynamic_metadata.fields.items():
            known = self.exchange.metadata.setdefault(namespace, {})
            known.update(to_plain(value.struct_value))
        if reply.HasField("mode_override"):
            self._override(reply.mode_override)
        if reply.WhichOneof("response") == "immediate_response":
            self.exchange.answer(to_answer(reply.immediate_response))
            raise Answered

    def _override(self, mode: Any) -> None:
        assert "duplex" not in self.styles.values(), "Envoy would not obey"
        self.shows_response = mode.response_header_mode == ProcessingMode.SEND
        for way, wanted in (("request", mode.request_body_mode), ("response", mode.response_body_mode)):
            assert wanted in (ProcessingMode.NONE, BODY_MODES[self.styles[way]])
            if wanted == ProcessingMode.NONE:
                self.styles[way] = ""


async def request(stream: Stream, exchange: Exchange) -> None:
    message = Message("request", exchange.lines, exchange.body, exchange.trailers)
    there = bool(exchange.send.body or exchange.send.chunked)
    await pass_message(stream, message, end=exchange.end, there=there, shows=exchange.plan.request_trailers)
    exchange.lines, exchange.body, exchange.trailers = message.lines, message.body, message.trailers
    exchange.routed = message.routed


async def response(stream: Stream, exchange: Exchange) -> None:
    reply = exchange.case.reply
    bodiless = forbids_body(exchange.send.method, reply.status)
    body, trailers = (b"", ()) if bodiless else (reply.body, lines_of(reply.trailers))
    message = Message("response", response_lines(exchange.case), body, trailers)
    if stream.shows_response:
        message.on_begun = lambda: begin(stream, exchange, message)
        end = not body and not trailers
        shows = exchange.plan.response_trailers
        await pass_message(stream, message, end=end, there=bool(body), shows=shows)
    parts = response_parts(message.lines)
    bodiless = forbids_body(exchange.send.method, parts.status)
    exchange.give(parts, b"" if bodiless else message.body, message.trailers)


def begin(stream: Stream, exchange: Exchange, message: Message) -> None:
    """The client has the response's headers; from now on it can only be cut off."""
    stream.begun = True
    exchange.give(response_parts(message.lines), message.body, (), reset=True)


class Message:
    """One direction as Envoy holds it."""

    def __init__(self, way: str, lines: Lines, body: bytes, trailers: Lines) -> None:
        self.way = way
        self.lines = lines
        self.body = body
        self.trailers = trailers
        self.routed = False
        self.on_begun: Callable[[], None] = lambda: None

    def take(self, common: Any) -> None:
        """A CommonResponse about headers or a held body."""
        self.lines = mutate(self.lines, common.header_mutation)
        self.routed = self.routed or common.clear_route_cache
        if common.HasField("body_mutation"):
            self.body = common.body_mutation.body


async def pass_message(stream: Stream, message: Message, *, end: bool, there: bool, shows: bool) -> None:
    """All messages of one direction, as its modes have them."""
    way, style = message.way, stream.styles[message.way]
    headers = to_map(message.lines)
    if style not in ("", "whole"):  # Envoy takes the length away as soon as it has sent the headers
        message.lines = mutate(message.lines, HeaderMutation(remove_headers=["content-length"]))
    reply = await stream.ask(f"{way}_headers", headers=headers, end_of_stream=end)
    message.take(reply.response)
    style = stream.styles[way]
    if style not in ("", "whole"):
        message.lines = mutate(message.lines, HeaderMutation(remove_headers=["content-length"]))
    if style not in ("whole", "partial"):
        message.on_begun()
    if there and style in ("whole", "partial"):
        await hold_body(stream, message, style)
    elif there and style:
        await flow_body(stream, message, style)
    message.on_begun()
    if message.trailers and shows:
        await pass_trailers(stream, message)


async def hold_body(stream: Stream, message: Message, style: BodyStyle) -> None:
    room = buffer_limit(stream.exchange.plan) + 1 if style == "partial" else len(message.body)
    shown = message.body[:room]
    end = len(shown) == len(message.body) and not message.trailers
    reply = await stream.ask(f"{message.way}_body", body=shown, end_of_stream=end)
    message.take(reply.response)
    if style == "partial":
        message.lines = mutate(message.lines, HeaderMutation(remove_headers=["content-length"]))


async def flow_body(stream: Stream, message: Message, style: BodyStyle) -> None:
    half, out = len(message.body) // 2, b""
    pieces = [message.body[:half], message.body[half:], *([] if message.trailers else [b""])]
    for number, piece in enumerate(pieces, 1):
        end = number == len(pieces) and not message.trailers
        reply = await stream.ask(f"{message.way}_body", body=piece, end_of_stream=end)
        assert not reply.response.HasField("header_mutation")
        out += chunk_of(reply.response, piece, style, end=end)
    message.body = out


def chunk_of(common: Any, piece: bytes, style: BodyStyle, *, end: bool) -> bytes:
    """What goes on of a chunk."""
    mutation = common.body_mutation
    if style == "duplex":
        assert mutation.WhichOneof("mutation") == "streamed_response"
        assert mutation.streamed_response.end_of_stream == end
        return bytes(mutation.streamed_response.body)
    return bytes(mutation.body) if common.HasField("body_mutation") else piece


async def pass_trailers(stream: Stream, message: Message) -> None:
    way = message.way
    reply = await stream.ask(f"{way}_trailers", trailers=to_map(message.trailers))
    if isinstance(reply, external_processor_pb2.BodyResponse):
        assert stream.styles[way] == "duplex", "bytes can not go before trailers"
        message.body += chunk_of(reply.response, b"", "duplex", end=False)
        reply = await stream.read(f"{way}_trailers")
    message.trailers = mutate(message.trailers, reply.header_mutation)


def fail(stream: Stream, exchange: Exchange) -> None:
    """What Envoy does where the call fails."""
    if stream.begun:
        return
    assert exchange.plan.failure == "closed", "Envoy would have let it pass"
    exchange.got = FAILED


def to_map(lines: Lines) -> Any:
    headers = [base_pb2.HeaderValue(key=name, raw_value=value) for name, value in lines]
    return base_pb2.HeaderMap(headers=headers)


def to_answer(immediate: Any) -> Answer:
    return Answer(
        status=immediate.status.code,
        lines=mutate((), immediate.headers),
        body=immediate.body,
        details=immediate.details,
    )


def to_plain(struct: Any) -> dict[str, Any]:
    return {key: plain(value) for key, value in struct.fields.items()}


def plain(value: Any) -> Any:
    kind = value.WhichOneof("kind")
    if kind == "struct_value":
        return to_plain(value.struct_value)
    if kind == "list_value":
        return [plain(item) for item in value.list_value.values]
    return None if kind == "null_value" else getattr(value, kind)
