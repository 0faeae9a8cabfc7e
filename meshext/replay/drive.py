"""A recorded exchange driven through an engine: the events that Envoy would send for this chain."""

from __future__ import annotations

from typing import NamedTuple

from meshext.attributes import from_request, select_attributes
from meshext.bodies import CHUNKED, BodyStyle
from meshext.engine.chain import Chain
from meshext.engine.effects import Proceed
from meshext.engine.engine import Engine
from meshext.engine.events import (
    Event,
    RequestBodyReceived,
    RequestHeadersReceived,
    RequestTrailersReceived,
    ResponseHeadersReceived,
    ResponseTrailersReceived,
)
from meshext.http.context import AttributeValue, Surroundings
from meshext.http.metadata import Namespaces
from meshext.needs import Hook
from meshext.plan import Plan
from meshext.recording.exchange import NO_BODY, Message, Recorded
from meshext.replay.gaps import RESPONSE_HOOKS, body_gap
from meshext.testing.bodies import REQUEST, RESPONSE, BodyEvents, shown_style


class Drive:
    """One exchange. `missing` is what turned out not to be recorded on the way, "" for nothing.

    `request_known` says that it was nothing of the request.
    """

    def __init__(self, engine: Engine, chain: Chain, plan: Plan, recorded: Recorded) -> None:
        self._engine = engine
        self._room = chain.room
        self._hooks = frozenset().union(*(needs.hooks for needs in chain.needs))
        self._plan = plan
        self._recorded = recorded
        self._wants_response = plan.response_headers
        self.missing = ""
        self.request_known = False

    async def run(self) -> None:
        """Send the request and, where the filters let it go on and want to see it, the response."""
        went_on = await (self._check() if self._plan.mode == "authz" else self._request())
        self.request_known = not self.missing
        if not went_on:
            return
        response = self._recorded.response
        if response is None:
            self.missing = "the response" if self._hooks & RESPONSE_HOOKS else ""
        elif self._wants_response:
            await self._response(response)

    async def _check(self) -> bool:
        """The request as ext_authz has it: everything at once, a body that is not there as an empty one."""
        body, style = self._recorded.request.body, self._plan.request_body
        if not await self._receive(self._begun(end=not style)):
            return False
        if not style:
            return True
        if self._lacks(body_gap("request", body, style, self._room)):
            return False
        return await self._receive(RequestBodyReceived(body=body.data if body else b""))

    async def _request(self) -> bool:
        request = self._recorded.request
        way = Way("request", request, REQUEST, self._plan.request_body, Hook.ON_REQUEST_TRAILERS)
        trailers = RequestTrailersReceived(lines=request.trailers) if request.trailers else None
        begun = self._begun(end=is_bare(request))
        return await self._send(way, begun, trailers if self._plan.request_trailers else None)

    async def _response(self, response: Message) -> bool:
        way = Way("response", response, RESPONSE, self._plan.response_body, Hook.ON_RESPONSE_TRAILERS)
        trailers = ResponseTrailersReceived(lines=response.trailers) if response.trailers else None
        begun = ResponseHeadersReceived(
            lines=response.lines,
            end=is_bare(response),
            attributes=dict(response.attributes),
            metadata=copied(response.metadata),
        )
        return await self._send(way, begun, trailers if self._plan.response_trailers else None)

    async def _send(
        self, way: Way, begun: RequestHeadersReceived | ResponseHeadersReceived, trailers: Event | None
    ) -> bool:
        """The whole message as Envoy would show it; whether it went on to its end."""
        effect = await self._engine.receive(begun)
        if not isinstance(effect, Proceed):
            return False
        self._wants_response = self._wants_response or effect.want_response
        style = shown_style(self._plan, way.style, effect)
        if style and not begun.end and not await self._send_body(way, style, trailers is not None):
            return False
        unknown = way.trailers in self._hooks and way.message.trailers is None
        if self._lacks(f"the {way.name}'s trailers" if unknown else ""):
            return False
        return trailers is None or await self._receive(trailers)

    async def _send_body(self, way: Way, style: BodyStyle, trailers: bool) -> bool:
        """The body; of one that is not all there the chunks that are, which a filter may answer."""
        body = way.message.body
        gap = body_gap(way.name, body, style, self._room)
        pieces = () if body is None else body.pieces()
        if gap:
            pieces = body.kept_chunks() if body is not None and style in CHUNKED else ()
        for event in way.events.split(style, pieces, self._room, trailers=trailers or gap != ""):
            if not await self._receive(event):
                return False
        return not self._lacks(gap)

    async def _receive(self, event: Event) -> bool:
        effect = await self._engine.receive(event)
        if not isinstance(effect, Proceed):
            return False
        self._wants_response = self._wants_response or effect.want_response
        return True

    def _lacks(self, gap: str) -> bool:
        self.missing = gap
        return gap != ""

    def _begun(self, *, end: bool) -> RequestHeadersReceived:
        return RequestHeadersReceived(
            lines=self._recorded.request.lines,
            end=end,
            surroundings=surroundings_of(self._plan, self._recorded),
        )


class Way(NamedTuple):
    """One direction: the message, how its body is shown, and who wants its trailers."""

    name: str
    message: Message
    events: BodyEvents
    style: BodyStyle
    trailers: Hook


def is_bare(message: Message) -> bool:
    """Whether nothing follows the headers."""
    return message.body == NO_BODY and not message.trailers


def surroundings_of(plan: Plan, recorded: Recorded) -> Surroundings:
    """What Envoy told beside the request."""
    asked = select_attributes(plan.attributes, "request")
    attributes: dict[str, AttributeValue] = dict(recorded.request.attributes)
    if asked:
        # not by the value's own `decode`, which counts who reads a redacted one
        texts = [
            (name, bytes.decode(value, "utf-8", "surrogateescape")) for name, value in recorded.request.lines
        ]
        attributes |= {attribute.name: from_request(attribute.name, texts) for attribute in asked}
    return Surroundings(
        peer=recorded.peer,
        client_address=recorded.client_address,
        route=recorded.route,
        cluster=recorded.cluster,
        request_id=recorded.request_id,
        attributes=attributes,
        metadata=copied(recorded.request.metadata),
    )


def copied(metadata: Namespaces) -> Namespaces:
    """Metadata that filters may add to."""
    return {namespace: dict(values) for namespace, values in metadata.items()}
