"""`envoy.service.ext_proc.v3.ExternalProcessor`: one stream for each exchange, bytes in and bytes out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from meshext.attributes import ATTRIBUTES as KNOWN
from meshext.attributes import from_struct
from meshext.bodies import CHUNKED, BodyStyle
from meshext.engine.carrier import PROC
from meshext.engine.chain import Chain
from meshext.engine.effects import UNTOUCHED, Answer, Effect, Proceed, Reset
from meshext.engine.engine import Engine
from meshext.engine.events import (
    Event,
    RequestBodyReceived,
    RequestChunkReceived,
    RequestHeadersReceived,
    RequestTrailersReceived,
    ResponseBodyReceived,
    ResponseChunkReceived,
    ResponseHeadersReceived,
    ResponseTrailersReceived,
)
from meshext.engine.observer import InitialMetadata, Observer, Outcome, outcome_of
from meshext.engine.watch import Watch
from meshext.errors import ProtocolError, ResponseCut
from meshext.hosts._wire import (
    add_change,
    add_lines,
    add_option,
    from_value,
    parse,
    to_lines,
    to_namespaces,
    to_struct,
)
from meshext.hosts.cut_bodies import CutBodies
from meshext.hosts.initial_metadata import build_surroundings, read_origin
from meshext.hosts.modes import LENGTH, Asked, Modes, check_modes, flows_past, kept_length
from meshext.http.context import AttributeValue
from meshext.http.metadata import Namespaces
from meshext.http.parts import NO_CHANGE
from meshext.plan import Plan
from meshext_proto.envoy.service.ext_proc.v3 import external_processor_pb2
from meshext_proto.google.protobuf import struct_pb2
from meshext_proto.meshext import received_pb2

SERVICE = "envoy.service.ext_proc.v3.ExternalProcessor"
ATTRIBUTES = "envoy.filters.http.ext_proc"  # the key under which Envoy sends them

ProcessingResponse = external_processor_pb2.ProcessingResponse
ProtocolConfiguration = external_processor_pb2.ProtocolConfiguration
CONTINUE: Mapping[str, tuple[bytes, ...]] = {
    phase: (ProcessingResponse(**{phase: {}}).SerializeToString(),)  # type: ignore[arg-type]  # a field's name
    for phase in (
        "request_headers",
        "request_body",
        "request_trailers",
        "response_headers",
        "response_body",
        "response_trailers",
    )
}
REPLACE = external_processor_pb2.CommonResponse.CONTINUE_AND_REPLACE
HEADERS = frozenset({"request_headers", "response_headers"})
BODIES = frozenset({"request_body", "response_body"})
TRAILERS = frozenset({"request_trailers", "response_trailers"})
REQUEST = frozenset({"request_headers", "request_body", "request_trailers"})


class Session:
    """One exchange. Every `receive` gives what answers it or raises; `close` when the stream is over.

    `answered` says whether the exchange was answered, so that nothing more is expected.
    """

    answered = False

    def __init__(
        self,
        chain: Chain,
        plan: Plan,
        watch: Watch,
        metadata: InitialMetadata,
        observer: Observer | None = None,
    ) -> None:
        self._plan = plan
        self._origin = read_origin(metadata)
        self._sighting = None if observer is None else observer.begin("proc", metadata)
        self._engine = Engine(chain, watch=watch, carrier=PROC, sighting=self._sighting)
        self._abnormal: Outcome | None = None
        self._modes: Modes | None = None
        partial = "partial" in (plan.request_body, plan.response_body)
        self._cut = CutBodies(chain.room) if partial else None
        self._is_told = bool(plan.attributes or plan.metadata_namespaces)

    async def receive(self, raw: bytes) -> tuple[bytes, ...]:
        """What answers one ProcessingRequest, in order: one message, two where bytes go before trailers.

        Raises ProtocolError where it is out of order or none.
        """
        try:
            message = parse(received_pb2.ProcessingRequest, raw)
            phase = message.WhichOneof("request")
            if phase is None:
                raise ProtocolError("a ProcessingRequest without a phase")
            if message.HasField("protocol_config"):
                check_modes(parse(ProtocolConfiguration, message.protocol_config), self._plan)
            style = self._plan.request_body if phase in REQUEST else self._plan.response_body
            event = self._to_event(phase, style, message)
            if self._cut is not None:
                self._cut.look(event)
            effect = await self._engine.receive(event)
            self.answered = self._engine.answered
            if effect is UNTOUCHED and not style:
                return CONTINUE[phase]
            return self._to_reply(phase, style, event, effect)
        except BaseException as error:
            self._abnormal = outcome_of(error)
            raise

    @property
    def has_completion(self) -> bool:
        """Whether a hook runs at the end: then `close` has something to wait for, else `end` does."""
        return self._engine.has_completion

    async def close(self) -> None:
        """The exchange has ended, in whatever way."""
        try:
            await self._engine.complete()
        finally:
            self.end()

    def end(self) -> None:
        """The same where no hook runs at the end."""
        if self._sighting is not None:
            self._sighting.end(self._engine.outcome(self._abnormal))

    def _to_event(self, phase: str, style: BodyStyle, message: Any) -> Event:
        attributes, metadata = told(message, self._plan) if self._is_told else ({}, {})
        part = getattr(message, phase)
        if phase == "request_headers":
            lines = to_lines(part.headers.headers)
            return RequestHeadersReceived(
                lines=lines,
                end=part.end_of_stream,
                surroundings=build_surroundings(lines, self._origin, self._plan.attributes),
                attributes=attributes,
                metadata=metadata,
            )
        if phase in BODIES and style in CHUNKED:
            return CHUNKS[phase](part, attributes, metadata)
        return EVENTS[phase](part, attributes, metadata)

    def _to_reply(self, phase: str, style: BodyStyle, event: Event, effect: Effect) -> tuple[bytes, ...]:
        if isinstance(effect, Answer):
            return (build_immediate(effect),)
        if isinstance(effect, Reset):
            raise ResponseCut(f"the response had begun and was cut off: {effect.reason}")
        asked = self._ask(phase, style, event, effect) if phase in HEADERS else None
        duplex = phase in BODIES and style == "duplex"
        touched = effect is not UNTOUCHED and (
            effect.headers != NO_CHANGE or effect.body is not None or effect.clear_route or effect.metadata
        )
        if not (touched or asked or duplex):
            return CONTINUE[phase]
        reply = ProcessingResponse()
        part = getattr(reply, phase)
        part.SetInParent()  # it answers the phase, also where there is nothing in it
        if duplex:
            fill_streamed(part, event, effect)
        else:
            FILLERS[phase](part, effect)
        if asked:
            reply.mode_override.CopyFrom(asked.mode)
            if asked.length is not None:
                add_option(part.response.header_mutation, LENGTH, asked.length, append=False)
        if effect.metadata:
            reply.dynamic_metadata.CopyFrom(to_struct(effect.metadata))
        if effect.body is not None and phase in TRAILERS:
            return build_tail(phase, effect.body), reply.SerializeToString()
        return (reply.SerializeToString(),)

    def _ask(self, phase: str, style: BodyStyle, event: Event, effect: Proceed) -> Asked | None:
        """Ask for other messages than Envoy would send by its configuration, where that is needed."""
        response = effect.want_response and not self._plan.response_headers and phase == "request_headers"
        if not style and not response:
            return None
        assert isinstance(event, (RequestHeadersReceived, ResponseHeadersReceived))
        past = flows_past(style, self._plan, effect, event.lines, end=event.end)
        if not past and not response:
            return None
        self._modes = self._modes or Modes(self._plan)
        length = kept_length(style, effect, event.lines) if past else None
        return Asked(self._modes.override(phase, past=past, response=response), length)


def told(message: Any, plan: Plan) -> tuple[dict[str, AttributeValue], Namespaces]:
    """Attributes and metadata beside a message, where a filter declared any."""
    attributes: dict[str, AttributeValue] = {}
    if plan.attributes and ATTRIBUTES in message.attributes:
        fields = parse(struct_pb2.Struct, message.attributes[ATTRIBUTES]).fields
        try:
            attributes = {
                name: from_struct(name, from_value(value)) for name, value in fields.items() if name in KNOWN
            }
        except (ValueError, OverflowError) as error:
            raise ProtocolError(str(error)) from error
    if not plan.metadata_namespaces or not message.metadata_context:
        return attributes, {}
    return attributes, to_namespaces(message.metadata_context)


def response_headers(part: Any, attributes: dict[str, AttributeValue], metadata: Namespaces) -> Event:
    """The response begins."""
    return ResponseHeadersReceived(
        lines=to_lines(part.headers.headers), end=part.end_of_stream, attributes=attributes, metadata=metadata
    )


def body_event(
    event: type[RequestBodyReceived | ResponseBodyReceived | RequestChunkReceived | ResponseChunkReceived],
) -> Callable[..., Event]:
    """A body or a chunk of one; its last byte may still be followed by trailers."""

    def build(part: Any, attributes: dict[str, AttributeValue], metadata: Namespaces) -> Event:
        return event(body=part.body, end=part.end_of_stream, attributes=attributes, metadata=metadata)

    return build


def trailers_event(
    event: type[RequestTrailersReceived] | type[ResponseTrailersReceived],
) -> Callable[..., Event]:
    """Trailers."""

    def build(part: Any, attributes: dict[str, AttributeValue], metadata: Namespaces) -> Event:
        return event(lines=to_lines(part.trailers.headers), attributes=attributes, metadata=metadata)

    return build


EVENTS: Mapping[str, Callable[..., Event]] = {
    "request_body": body_event(RequestBodyReceived),
    "request_trailers": trailers_event(RequestTrailersReceived),
    "response_headers": response_headers,
    "response_body": body_event(ResponseBodyReceived),
    "response_trailers": trailers_event(ResponseTrailersReceived),
}

CHUNKS: Mapping[str, Callable[..., Event]] = {
    "request_body": body_event(RequestChunkReceived),
    "response_body": body_event(ResponseChunkReceived),
}


def fill_headers(part: Any, effect: Proceed) -> None:
    """A HeadersResponse; a body that appears where there was none takes the whole message's place."""
    fill_body(part, effect)
    if effect.body is not None:
        part.response.status = REPLACE


def fill_body(part: Any, effect: Proceed) -> None:
    """A BodyResponse: headers can still be changed, since Envoy holds them while it buffers."""
    common = part.response
    if effect.headers != NO_CHANGE:
        add_change(common.header_mutation, effect.headers)
    common.clear_route_cache = effect.clear_route
    if effect.body is not None:
        common.body_mutation.body = effect.body


def fill_trailers(part: Any, effect: Proceed) -> None:
    """A TrailersResponse."""
    add_change(part.header_mutation, effect.headers)


FILLERS: Mapping[str, Callable[[Any, Proceed], None]] = {
    "request_headers": fill_headers,
    "request_body": fill_body,
    "request_trailers": fill_trailers,
    "response_headers": fill_headers,
    "response_body": fill_body,
    "response_trailers": fill_trailers,
}


def fill_streamed(part: Any, event: Event, effect: Proceed) -> None:
    """A BodyResponse in full duplex, where a chunk that is not sent back is gone."""
    assert isinstance(event, (RequestChunkReceived, ResponseChunkReceived))
    streamed = part.response.body_mutation.streamed_response
    streamed.body = event.body if effect.body is None else effect.body
    streamed.end_of_stream = event.end


def build_tail(phase: str, data: bytes) -> bytes:
    """Bytes that go before the trailers, in full duplex alone."""
    reply = ProcessingResponse()
    body = getattr(reply, phase.replace("_trailers", "_body"))
    body.response.body_mutation.streamed_response.body = data
    return reply.SerializeToString()


def build_immediate(answer: Answer) -> bytes:
    """An ImmediateResponse."""
    reply = ProcessingResponse()
    immediate = reply.immediate_response
    immediate.status.code = answer.status  # type: ignore[assignment]  # an open enum: any status will do
    add_lines(immediate.headers, answer.lines)
    immediate.body = answer.body
    immediate.details = answer.details
    if answer.metadata:
        reply.dynamic_metadata.CopyFrom(to_struct(answer.metadata))
    return reply.SerializeToString()
