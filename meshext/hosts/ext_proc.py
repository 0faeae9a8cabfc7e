"""`envoy.service.ext_proc.v3.ExternalProcessor`: one stream for each exchange, bytes in and bytes out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
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
    add_lines,
    add_option,
    from_value,
    parse,
    to_lines,
    to_namespaces,
    to_struct,
)
from meshext.hosts.cut_bodies import CutBodies
from meshext.hosts.header_options import write_mutation
from meshext.hosts.initial_metadata import build_surroundings, read_origin
from meshext.hosts.known import Known
from meshext.hosts.modes import BODY_MODES, LENGTH, Asked, Modes, check_modes, flows_past, kept_length
from meshext.hosts.wire_fields import field, tag
from meshext.http.context import AttributeValue
from meshext.http.metadata import Namespaces
from meshext.http.parts import NO_CHANGE, HeaderChange
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
CONFIGS = 64  # of Envoys that were found good; one that changes nothing says the same for each exchange
REPLACE = external_processor_pb2.CommonResponse.CONTINUE_AND_REPLACE
HEADERS = frozenset({"request_headers", "response_headers"})
BODIES = frozenset({"request_body", "response_body"})
TRAILERS = frozenset({"request_trailers", "response_trailers"})
REQUEST = frozenset({"request_headers", "request_body", "request_trailers"})
PLAIN: frozenset[tuple[str, BodyStyle]] = frozenset(
    (phase, style)
    for style in BODY_MODES
    for phase in CONTINUE
    if style in ("", "whole") or (phase not in HEADERS and style != "duplex")
)
"""Phases and the style of their body where an answer that changes nothing has nothing to ask for either."""
PHASES = {phase: tag(ProcessingResponse, phase) for phase in HEADERS}
RESPONSE = tag(external_processor_pb2.HeadersResponse, "response")
MUTATION = tag(external_processor_pb2.CommonResponse, "header_mutation")
CLEAR_ROUTE = external_processor_pb2.CommonResponse(clear_route_cache=True).SerializeToString()


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
        self._engine = Engine(chain, watch, PROC, self._sighting)
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
                check_config(message.protocol_config, self._plan.request_body, self._plan.response_body)
            style = self._plan.request_body if phase in REQUEST else self._plan.response_body
            event = self._to_event(phase, style, message, len(raw))
            if self._cut is not None:
                self._cut.look(event)
            effect = await self._engine.receive(event)
            self.answered = self._engine.answered
            if effect is UNTOUCHED and (phase, style) in PLAIN:
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

    def _to_event(self, phase: str, style: BodyStyle, message: Any, size: int) -> Event:
        part = getattr(message, phase)
        event: Event
        if phase == "request_headers":
            lines = to_lines(part.headers.headers)
            surroundings = build_surroundings(lines, self._origin, self._plan.attributes)
            event = RequestHeadersReceived(lines, part.end_of_stream, surroundings, size)
        elif phase in BODIES and style in CHUNKED:
            event = CHUNKS[phase](part.body, part.end_of_stream)
        elif phase in BODIES:
            event = WHOLE[phase](part.body, part.end_of_stream)
        elif phase == "response_headers":
            event = ResponseHeadersReceived(to_lines(part.headers.headers), part.end_of_stream, size)
        else:
            event = TRAILING[phase](to_lines(part.trailers.headers))
        if self._is_told:
            event.attributes, event.metadata = told(message, self._plan)
        return event

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
        if phase in HEADERS and effect.body is None and not (asked or effect.metadata):
            return (known_headers((phase, effect.headers, effect.clear_route)),)
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


@lru_cache(CONFIGS)
def check_config(raw: bytes, request_body: BodyStyle, response_body: BodyStyle) -> None:
    """Refuse what an Envoy says that it will send where it is not what a plan wants; see `check_modes`."""
    check_modes(parse(ProtocolConfiguration, raw), request_body, response_body)


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


WHOLE: Mapping[str, type[RequestBodyReceived] | type[ResponseBodyReceived]] = {
    "request_body": RequestBodyReceived,
    "response_body": ResponseBodyReceived,
}
"""A body; its last byte may still be followed by trailers."""

CHUNKS: Mapping[str, type[RequestChunkReceived] | type[ResponseChunkReceived]] = {
    "request_body": RequestChunkReceived,
    "response_body": ResponseChunkReceived,
}

TRAILING: Mapping[str, type[RequestTrailersReceived] | type[ResponseTrailersReceived]] = {
    "request_trailers": RequestTrailersReceived,
    "response_trailers": ResponseTrailersReceived,
}


def write_headers(written: tuple[str, HeaderChange, bool]) -> bytes:
    """A ProcessingResponse to headers that changes nothing but them; and whether a route is found anew."""
    phase, change, clear_route = written
    common = field(MUTATION, write_mutation(change)) if change else b""
    return field(PHASES[phase], field(RESPONSE, common + CLEAR_ROUTE if clear_route else common))


known_headers = Known(write_headers, lambda _, reply: len(reply)).__getitem__


def fill_headers(part: Any, effect: Proceed) -> None:
    """A HeadersResponse; a body that appears where there was none takes the whole message's place."""
    fill_body(part, effect)
    if effect.body is not None:
        part.response.status = REPLACE


def fill_body(part: Any, effect: Proceed) -> None:
    """A BodyResponse: headers can still be changed, since Envoy holds them while it buffers."""
    common = part.response
    if effect.headers != NO_CHANGE:
        common.header_mutation.MergeFromString(write_mutation(effect.headers))
    common.clear_route_cache = effect.clear_route
    if effect.body is not None:
        common.body_mutation.body = effect.body


def fill_trailers(part: Any, effect: Proceed) -> None:
    """A TrailersResponse."""
    if effect.headers != NO_CHANGE:
        part.header_mutation.MergeFromString(write_mutation(effect.headers))


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
