"""How bodies reach a chain of filters: as a whole or in chunks, one style for each direction.

Envoy holds a body for all filters of a chain or for none, so the filter that wants the most decides.
`envoy.extensions.filters.http.ext_proc.v3.ProcessingMode.BodySendMode`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple

from meshext.needs import DEFAULT_MAX_BODY, Hook, Needs

BodyStyle = Literal["", "whole", "partial", "stream", "duplex"]
"""What Envoy does with a body, "" where no filter looks at it.

whole    held until it is complete (BUFFERED); Envoy refuses what is longer than its buffer
partial  held until it is complete or the buffer is full; then what is there is shown, and the rest flows past
         (BUFFERED_PARTIAL). Also where a filter may let a body pass: held as a whole it could not any more
stream   chunk by chunk as they come, each answered at once (STREAMED)
duplex   chunk by chunk, and what is answered need not be as many (FULL_DUPLEX_STREAMED)
"""

CHUNKED: frozenset[BodyStyle] = frozenset({"stream", "duplex"})
HELD: frozenset[BodyStyle] = frozenset({"whole", "partial"})


class BodyHooks(NamedTuple):
    """The hooks of one direction that have to do with bodies."""

    headers: Hook
    whole: Hook
    chunk: Hook


REQUEST = BodyHooks(Hook.ON_REQUEST, Hook.ON_REQUEST_BODY, Hook.ON_REQUEST_CHUNK)
RESPONSE = BodyHooks(Hook.ON_RESPONSE, Hook.ON_RESPONSE_BODY, Hook.ON_RESPONSE_CHUNK)


def choose_style(chain: Iterable[Needs], hooks: BodyHooks, *, may_skip: bool = True) -> BodyStyle:
    """The style of one direction; without `may_skip` bodies are there before a headers hook runs.

    Where one filter wants whole bodies and another chunks, bodies are held, and the other sees one chunk.
    """
    readers = [needs for needs in chain if needs.hooks & {hooks.whole, hooks.chunk}]
    whole = [needs for needs in readers if hooks.whole in needs.hooks]
    if not whole:
        if not readers:
            return ""
        return "duplex" if any(needs.duplex for needs in readers) else "stream"
    skipped = may_skip and any(needs.may_skip and hooks.headers in needs.hooks for needs in readers)
    passed = len(whole) == len(readers) and all(needs.oversize == "pass" for needs in whole)
    return "partial" if skipped or passed else "whole"


def stops_tunnels(request: BodyStyle, response: BodyStyle) -> bool:
    """Whether Envoy would hold what goes through a tunnel one way, and could not be asked to let it by.

    With full duplex in either direction it obeys no `mode_override` (measured on Envoy 1.40).
    """
    styles = {request, response}
    return "duplex" in styles and bool(styles & HELD)


def buffer_room(chain: Iterable[Needs]) -> int:
    """What Envoy has to be able to hold of one body, in bytes, so that every `max_body` passes whole."""
    return max(DEFAULT_MAX_BODY, *(needs.max_body for needs in chain))
