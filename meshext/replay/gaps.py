"""What a chain of filters wants to see of an exchange, and the recording does not hold."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from meshext.attributes import ATTRIBUTES
from meshext.bodies import CHUNKED, BodyStyle, buffer_room
from meshext.needs import Hook, Needs
from meshext.plan import Plan
from meshext.recording.exchange import Body, Message, Recorded
from meshext.recording.tape import UNDECIDED

RESPONSE_HOOKS = frozenset(hook for hook in Hook if hook.value.startswith("on_response"))


class Gaps(NamedTuple):
    """What is missing: with something in `request` nothing is replayed, else without `response` only that."""

    request: tuple[str, ...]
    response: tuple[str, ...]


def find_gaps(chain: tuple[Needs, ...], plan: Plan, recorded: Recorded) -> Gaps:
    """What the chain wants and the recording does not hold, each in a few words."""
    hooks = frozenset().union(*(needs.hooks for needs in chain))
    room = buffer_room(chain)
    skips = any(needs.may_skip for needs in chain)  # then only its hooks know whether a body is wanted
    request = [*undecided(recorded), *untold(chain, plan, recorded)]
    request += message_gaps(
        "request",
        recorded.request,
        style="" if skips else plan.request_body,
        room=room,
        trailers=Hook.ON_REQUEST_TRAILERS in hooks,
    )
    if not hooks & RESPONSE_HOOKS:
        return Gaps(tuple(request), ())
    if recorded.response is None:
        return Gaps(tuple(request), ("the response",))
    response = message_gaps(
        "response",
        recorded.response,
        style="" if skips else plan.response_body,
        room=room,
        trailers=Hook.ON_RESPONSE_TRAILERS in hooks,
    )
    return Gaps(tuple(request), tuple(response))


def undecided(recorded: Recorded) -> Iterator[str]:
    """An exchange that ended before the filters had seen all of it."""
    if recorded.decision.outcome in UNDECIDED:
        yield f"how it would have gone on ({recorded.decision.outcome})"


def untold(chain: tuple[Needs, ...], plan: Plan, recorded: Recorded) -> Iterator[str]:
    """Attributes and metadata that Envoy was not asked for."""
    own = {needs.namespace for needs in chain}
    for name in plan.attributes:
        if ATTRIBUTES[name].carrier != "request" and name not in recorded.served.attributes:
            yield f"the attribute {name}"
    for name in plan.metadata_namespaces:
        if name not in own and name not in recorded.served.metadata:
            yield f"the metadata {name}"


def message_gaps(
    what: str, message: Message, *, style: BodyStyle, room: int, trailers: bool
) -> Iterator[str]:
    """What of a message was not shown, or not kept."""
    if style:
        yield from body_gaps(what, message.body, style, room)
    if trailers and message.trailers is None:
        yield f"the {what}'s trailers"


def body_gaps(what: str, body: Body | None, style: BodyStyle, room: int) -> Iterator[str]:
    """What of a body is missing; one that is held and longer than the `room` for it is not looked into."""
    if body is None:
        yield f"the {what}'s body"
    elif not body.complete and (style in CHUNKED or len(body.data) <= room):
        yield f"all of the {what}'s body ({describe_rest(body)})"


def describe_rest(body: Body) -> str:
    """How much of a body there is."""
    return f"{len(body.data)} bytes of {'more than ' if body.more else ''}{body.size}"
