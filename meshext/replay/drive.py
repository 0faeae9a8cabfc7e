"""A recorded exchange driven through an engine: the events that Envoy would send for this chain."""

from __future__ import annotations

from meshext.attributes import from_request, select_attributes
from meshext.bodies import BodyStyle
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
from meshext.plan import Plan
from meshext.recording.exchange import NO_BODY, Body, Message, Recorded
from meshext.replay.gaps import body_gaps
from meshext.testing.bodies import REQUEST, RESPONSE, BodyEvents, shown_style


class Drive:
    """One exchange. `missing` is what turned out not to be recorded on the way, "" for nothing."""

    def __init__(self, engine: Engine, chain: Chain, plan: Plan, recorded: Recorded) -> None:
        self._engine = engine
        self._room = chain.room
        self._plan = plan
        self._recorded = recorded
        self._wants_response = plan.response_headers
        self.missing = ""

    async def run(self, *, response: bool) -> None:
        """Send the request and, where the filters let it go on and `response` says so, the response."""
        went_on = await (self._check() if self._plan.mode == "authz" else self._request())
        if went_on and response and self._wants_response and self._recorded.response is not None:
            await self._response(self._recorded.response)

    async def _check(self) -> bool:
        """The request as ext_authz has it: everything at once, a body that is not there as an empty one."""
        request, style = self._recorded.request, self._plan.request_body
        if not await self._receive(self._begun(end=not style)):
            return False
        if not style:
            return True
        if self._lacks("request", request.body, style):
            return False
        return await self._receive(RequestBodyReceived(body=request.body.data if request.body else b""))

    async def _request(self) -> bool:
        request, plan = self._recorded.request, self._plan
        last = RequestTrailersReceived(lines=request.trailers) if request.trailers else None
        begun = self._begun(end=is_bare(request))
        trailers = last if plan.request_trailers else None
        return await self._send("request", request, begun, REQUEST, plan.request_body, trailers)

    async def _response(self, response: Message) -> bool:
        last = ResponseTrailersReceived(lines=response.trailers) if response.trailers else None
        begun = ResponseHeadersReceived(
            lines=response.lines,
            end=is_bare(response),
            attributes=dict(response.attributes),
            metadata=copied(response.metadata),
        )
        trailers = last if self._plan.response_trailers else None
        return await self._send("response", response, begun, RESPONSE, self._plan.response_body, trailers)

    async def _send(
        self,
        what: str,
        message: Message,
        begun: RequestHeadersReceived | ResponseHeadersReceived,
        events: BodyEvents,
        style: BodyStyle,
        trailers: Event | None,
    ) -> bool:
        """The whole message as Envoy would show it; whether it went on to its end."""
        effect = await self._engine.receive(begun)
        if not isinstance(effect, Proceed):
            return False
        self._wants_response = self._wants_response or effect.want_response
        shown = shown_style(self._plan, style, effect)
        if shown and not begun.end:
            if self._lacks(what, message.body, shown):
                return False
            pieces = message.body.pieces() if message.body is not None else ()
            for event in events.split(shown, pieces, self._room, trailers=trailers is not None):
                if not await self._receive(event):
                    return False
        return trailers is None or await self._receive(trailers)

    async def _receive(self, event: Event) -> bool:
        effect = await self._engine.receive(event)
        if not isinstance(effect, Proceed):
            return False
        self._wants_response = self._wants_response or effect.want_response
        return True

    def _lacks(self, what: str, body: Body | None, style: BodyStyle) -> bool:
        self.missing = ", ".join(body_gaps(what, body, style, self._room))
        return self.missing != ""

    def _begun(self, *, end: bool) -> RequestHeadersReceived:
        return RequestHeadersReceived(
            lines=self._recorded.request.lines,
            end=end,
            surroundings=surroundings_of(self._plan, self._recorded),
        )


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
