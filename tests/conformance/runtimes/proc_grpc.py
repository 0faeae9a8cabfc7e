"""ext_proc over real gRPC, with Envoy's side played by hand."""

from __future__ import annotations

from typing import Any

import grpc
import grpc.aio

from meshext.engine.effects import Answer
from meshext.hosts.ext_proc import SERVICE
from meshext.http.headers import Lines
from meshext.http.parts import forbids_body, response_parts
from meshext.plan import Mode
from meshext.testing.outcome import lines_of
from meshext_proto.envoy.config.core.v3 import base_pb2
from meshext_proto.envoy.extensions.filters.http.ext_proc.v3 import processing_mode_pb2
from meshext_proto.envoy.service.ext_proc.v3 import external_processor_pb2
from meshext_proto.google.protobuf import struct_pb2
from tests.conformance.runtimes.forged import FAILED, Exchange, ForgedRuntime, mutate, response_lines

SEND = processing_mode_pb2.ProcessingMode.SEND
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
        self._exchange = exchange
        self.shows_response = exchange.plan.response_headers
        self.begun = False

    async def ask(self, phase: str, **parts: Any) -> Any:
        message = external_processor_pb2.ProcessingRequest()
        getattr(message, phase).MergeFrom(type(getattr(message, phase))(**parts))
        if phase == "response_headers" and "response.code" in self._exchange.plan.attributes:
            fields = {"response.code": struct_pb2.Value(number_value=200)}
            message.attributes[ATTRIBUTES].CopyFrom(struct_pb2.Struct(fields=fields))
        await self._call.write(message.SerializeToString())
        raw = await self._call.read()
        assert raw is not grpc.aio.EOF, "a stream that ends with OK lets the request pass"
        reply = external_processor_pb2.ProcessingResponse.FromString(raw)
        self._note(reply)
        assert reply.WhichOneof("response") == phase
        return getattr(reply, phase)

    def _note(self, reply: Any) -> None:
        for namespace, value in reply.dynamic_metadata.fields.items():
            known = self._exchange.metadata.setdefault(namespace, {})
            known.update(to_plain(value.struct_value))
        if reply.mode_override.response_header_mode == SEND:
            self.shows_response = True
        if reply.WhichOneof("response") == "immediate_response":
            self._exchange.answer(to_answer(reply.immediate_response))
            raise Answered


async def request(stream: Stream, exchange: Exchange) -> None:
    headers = to_map(exchange.lines)
    reply = await stream.ask("request_headers", headers=headers, end_of_stream=exchange.end)
    take(exchange, reply.response)
    if (exchange.send.body or exchange.send.chunked) and exchange.plan.request_body:
        end = not exchange.trailers
        reply = await stream.ask("request_body", body=exchange.send.body, end_of_stream=end)
        take(exchange, reply.response)
    if exchange.trailers and exchange.plan.request_trailers:
        reply = await stream.ask("request_trailers", trailers=to_map(exchange.trailers))
        exchange.trailers = mutate(exchange.trailers, reply.header_mutation)


def take(exchange: Exchange, common: Any) -> None:
    """A CommonResponse about the request."""
    exchange.lines = mutate(exchange.lines, common.header_mutation)
    exchange.routed = exchange.routed or common.clear_route_cache
    if common.HasField("body_mutation"):
        exchange.body = common.body_mutation.body


async def response(stream: Stream, exchange: Exchange) -> None:
    reply = exchange.case.reply
    bodiless = forbids_body(exchange.send.method, reply.status)
    body, trailers = (b"", ()) if bodiless else (reply.body, lines_of(reply.trailers))
    lines = response_lines(exchange.case)
    if stream.shows_response:
        end = not body and not trailers
        part = await stream.ask("response_headers", headers=to_map(lines), end_of_stream=end)
        lines, body = give(lines, body, part.response)
    if reply.body and not bodiless and exchange.plan.response_body:
        part = await stream.ask("response_body", body=reply.body, end_of_stream=not trailers)
        lines, body = give(lines, body, part.response)
    stream.begun = True
    exchange.give(response_parts(lines), body, (), reset=True)
    if trailers and exchange.plan.response_trailers:
        part = await stream.ask("response_trailers", trailers=to_map(trailers))
        trailers = mutate(trailers, part.header_mutation)
    parts = response_parts(lines)
    exchange.give(parts, b"" if forbids_body(exchange.send.method, parts.status) else body, trailers)


def give(lines: Lines, body: bytes, common: Any) -> tuple[Lines, bytes]:
    """Lines and body after a CommonResponse about the response."""
    lines = mutate(lines, common.header_mutation)
    if not common.HasField("body_mutation"):
        return lines, body
    return lines, common.body_mutation.body


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
