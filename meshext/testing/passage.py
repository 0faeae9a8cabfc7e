"""One exchange driven through the engine as Envoy would drive it: the same events, by the same plan."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from meshext.bodies import BodyStyle
from meshext.engine.effects import Answer, Effect, Proceed, Reset
from meshext.engine.engine import Engine
from meshext.engine.events import (
    Event,
    RequestHeadersReceived,
    RequestTrailersReceived,
    ResponseHeadersReceived,
    ResponseTrailersReceived,
)
from meshext.errors import FilterFailure
from meshext.http.context import AttributeValue, Surroundings
from meshext.http.headers import Headers, Lines
from meshext.http.metadata import Namespaces
from meshext.http.parts import (
    RequestParts,
    ResponseParts,
    forbids_body,
    is_tunnel,
    opens_tunnel,
    request_parts,
    response_parts,
)
from meshext.plan import Plan
from meshext.testing.bodies import (
    REQUEST,
    RESPONSE,
    BodyEvents,
    Part,
    keeps_length,
    shown_style,
    without_length,
)
from meshext.testing.carriage import apply_change, is_grpc, to_client, with_length
from meshext.testing.outcome import Outcome, Reply, Step, UpstreamRequest, lines_of

Upstream = Callable[[UpstreamRequest], Reply]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What a client sends, and what Envoy would tell beside it."""

    parts: RequestParts
    chunks: tuple[bytes, ...]
    trailers: Lines
    surroundings: Surroundings
    response_attributes: dict[str, AttributeValue]


class Passage:
    """Drives one exchange; `run` gives what became of it."""

    def __init__(self, engine: Engine, plan: Plan, upstream: Upstream) -> None:
        self._engine = engine
        self._plan = plan
        self._upstream = upstream
        self._steps: list[Step] = []
        self._metadata: Namespaces = {}
        self._wants_response = plan.response_headers
        self._grpc = False
        self._method = ""

    async def run(self, sent: Sent) -> Outcome:
        """From the request's first byte to the response's last."""
        self._grpc = is_grpc(sent.parts.lines)
        self._method = sent.parts.method
        arrived = await self._request(sent)
        if isinstance(arrived, Answer):
            return self._answered(arrived, None)
        reply = self._upstream(arrived)
        return await self._response(arrived, reply, sent.response_attributes)

    def failures(self) -> tuple[FilterFailure, ...]:
        """The failures of hooks so far."""
        return tuple(self._engine.failures)

    async def _request(self, sent: Sent) -> UpstreamRequest | Answer:
        lines, trailers = sent.parts.to_lines(), sent.trailers
        end = not sent.chunks and not trailers and not is_tunnel(sent.parts)
        headers = RequestHeadersReceived(lines=lines, end=end, surroundings=sent.surroundings)
        effect = await self._receive(headers)
        if isinstance(effect, Answer):
            return effect
        part = self._begun(lines, sent.chunks, effect)
        style = shown_style(self._plan, self._plan.request_body, effect)
        stopped = await self._show_body(REQUEST, style, part, bool(trailers))
        if isinstance(stopped, Answer):
            return stopped
        if trailers and self._plan.request_trailers:
            effect = await self._receive(RequestTrailersReceived(lines=trailers))
            if isinstance(effect, Answer):
                return effect
            trailers = part.end(trailers, effect)
        if not keeps_length(self._plan.request_body, style, end=end):
            part.lines = without_length(part.lines)
        return to_upstream(request_parts(part.lines), part.body, trailers)

    def _begun(self, lines: Lines, chunks: tuple[bytes, ...], effect: Effect) -> Part:
        assert isinstance(effect, Proceed)
        body = b"".join(chunks) if effect.body is None else effect.body
        return Part(apply_change(lines, effect.headers), body, chunks)

    async def _show_body(
        self, events: BodyEvents, style: BodyStyle, part: Part, trailers: bool
    ) -> Effect | None:
        """Send the body as the style has it; an effect that ends the message, None where it goes on."""
        for event in events.split(style, part.chunks, self._engine.room, trailers=trailers):
            effect = await self._receive(event)
            if not isinstance(effect, Proceed):
                return effect
            part.take(event, effect)
        return None

    async def _response(
        self, request: UpstreamRequest, reply: Reply, attributes: dict[str, AttributeValue]
    ) -> Outcome:
        tunnel = opens_tunnel(request.method, reply.status)
        bodiless = forbids_body(request.method, reply.status) and not tunnel
        chunks, trailers = ((), ()) if bodiless else (reply.pieces(), lines_of(reply.trailers))
        lines = ResponseParts(lines_of(reply.headers), reply.status).to_lines()
        if not trailers and reply.status != 204 and not tunnel:
            lines = with_length(lines, len(reply.body))
        if not self._wants_response:
            return await self._end(request, Part(lines, b"".join(chunks), chunks), trailers)
        end = not chunks and not trailers and not tunnel
        known: dict[str, AttributeValue] = {"response.code": reply.status}
        effect = await self._receive(
            ResponseHeadersReceived(lines=lines, end=end, attributes=known | attributes)
        )
        if not isinstance(effect, Proceed):
            return self._cut(effect, request, lines)
        part = self._begun(lines, chunks, effect)
        style = shown_style(self._plan, self._plan.response_body, effect)
        stopped = await self._show_body(RESPONSE, style, part, bool(trailers))
        if not keeps_length(self._plan.response_body, style, end=end):
            part.lines = without_length(part.lines)
        if stopped is not None:
            return self._cut(stopped, request, part.lines)
        return await self._end(request, part, trailers)

    async def _end(self, request: UpstreamRequest, part: Part, trailers: Lines) -> Outcome:
        parts = response_parts(part.lines)
        if trailers and self._plan.response_trailers and self._wants_response:
            effect = await self._receive(ResponseTrailersReceived(lines=trailers))
            if not isinstance(effect, Proceed):
                return self._cut(effect, request, part.lines, part.body)
            trailers = part.end(trailers, effect)
        tunnel = opens_tunnel(self._method, parts.status)
        body = b"" if forbids_body(self._method, parts.status) and not tunnel else part.body
        return self._outcome(parts, body, trailers, request, None)

    async def _receive(self, event: Event) -> Effect:
        effect = await self._engine.receive(event)
        self._steps.append(Step(event, effect))
        if isinstance(effect, Proceed):
            self._wants_response = self._wants_response or effect.want_response
        if not isinstance(effect, Reset):
            for namespace, values in effect.metadata.items():
                self._metadata[namespace] = {**self._metadata.get(namespace, {}), **values}
        return effect

    def _cut(self, effect: Effect, request: UpstreamRequest, lines: Lines, body: bytes = b"") -> Outcome:
        if isinstance(effect, Answer):
            return self._answered(effect, request)
        return self._outcome(response_parts(lines), body, (), request, effect)

    def _answered(self, answer: Answer, request: UpstreamRequest | None) -> Outcome:
        status, lines, body = to_client(answer, self._method, grpc=self._grpc)
        return self._outcome(ResponseParts(lines, status), body, (), request, answer)

    def _outcome(
        self,
        parts: ResponseParts,
        body: bytes,
        trailers: Lines,
        request: UpstreamRequest | None,
        last: Effect | None,
    ) -> Outcome:
        return Outcome(
            status=parts.status,
            headers=Headers.from_lines(parts.lines),
            body=body,
            trailers=Headers.from_lines(trailers),
            upstream=request,
            answered_by="filter" if isinstance(last, Answer) else "upstream",
            details=last.details if isinstance(last, Answer) else "",
            metadata=self._metadata,
            failures=self.failures(),
            steps=tuple(self._steps),
            reset=isinstance(last, Reset),
        )


def to_upstream(parts: RequestParts, body: bytes, trailers: Lines) -> UpstreamRequest:
    """The request as the upstream gets it."""
    return UpstreamRequest(
        method=parts.method,
        scheme=parts.scheme,
        host=parts.host,
        target=parts.target,
        headers=Headers.from_lines(parts.lines),
        body=body,
        trailers=Headers.from_lines(trailers),
    )
