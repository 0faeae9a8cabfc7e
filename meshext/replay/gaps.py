"""What a chain of filters wants to see of an exchange, and the recording does not hold.

Bodies and trailers are missing only once the filters get there: one that answers before never saw them.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshext.attributes import ATTRIBUTES
from meshext.bodies import CHUNKED, BodyStyle
from meshext.needs import Hook, Needs
from meshext.plan import Plan
from meshext.recording.exchange import Body, Recorded
from meshext.recording.tape import UNDECIDED

RESPONSE_HOOKS = frozenset(hook for hook in Hook if hook.value.startswith("on_response"))


def find_gaps(chain: tuple[Needs, ...], plan: Plan, recorded: Recorded) -> Iterator[str]:
    """Why the exchange can not be replayed at all, in a few words each."""
    if recorded.decision.outcome in UNDECIDED:
        yield f"how it would have gone on ({recorded.decision.outcome})"
    own = {needs.namespace for needs in chain}
    for name in plan.attributes:
        if ATTRIBUTES[name].carrier != "request" and name not in recorded.served.attributes:
            yield f"the attribute {name}"
    for name in plan.metadata_namespaces:
        if name not in own and name not in recorded.served.metadata:
            yield f"the metadata {name}"


def body_gap(what: str, body: Body | None, style: BodyStyle, room: int) -> str:
    """What of a body is missing; one that is held and longer than the `room` for it is not looked into."""
    if body is None:
        return f"the {what}'s body"
    if body.complete or (style not in CHUNKED and len(body.data) > room):
        return ""
    return (
        f"all of the {what}'s body ({len(body.data)} bytes of {'more than ' if body.more else ''}{body.size})"
    )
