"""What Envoy is asked to send in one exchange beyond its configuration; and whether that says enough.

`envoy.extensions.filters.http.ext_proc.v3.ProcessingMode`, `ProtocolConfiguration` (from Envoy 1.33 on).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from meshext.bodies import BodyStyle
from meshext.engine.effects import Proceed
from meshext.errors import ProtocolError
from meshext.http.headers import Lines
from meshext.plan import Plan
from meshext_proto.envoy.extensions.filters.http.ext_proc.v3 import processing_mode_pb2

ProcessingMode = processing_mode_pb2.ProcessingMode
SENT = {True: ProcessingMode.SEND, False: ProcessingMode.SKIP}
BODY_MODES: Mapping[BodyStyle, Any] = {
    "": ProcessingMode.NONE,
    "whole": ProcessingMode.BUFFERED,
    "partial": ProcessingMode.BUFFERED_PARTIAL,
    "stream": ProcessingMode.STREAMED,
    "duplex": ProcessingMode.FULL_DUPLEX_STREAMED,
}
LENGTH = "content-length"


def check_modes(config: Any, request_body: BodyStyle, response_body: BodyStyle) -> None:
    """Refuse an Envoy that would let bodies pass a filter that wants them, or would send them otherwise.

    The configuration is the operator's own, and one that was written by hand may have forgotten them.
    """
    for style, mode, field in (
        (request_body, config.request_body_mode, "request_body_mode"),
        (response_body, config.response_body_mode, "response_body_mode"),
    ):
        if style and mode != BODY_MODES[style]:
            wanted = ProcessingMode.BodySendMode.Name(BODY_MODES[style])
            raise ProtocolError(
                f"a filter wants bodies, and Envoy does not send them as it has to; set {field}: {wanted} "
                "on the ext_proc filter, as `meshext config` prints it"
            )


class Asked(NamedTuple):
    """What the answer to headers asks for beside its own matter; `length` is a content-length to put back."""

    mode: ProcessingMode
    length: bytes | None


class Modes:
    """What Envoy sends of one exchange by now."""

    __slots__ = ("_plan", "_request_body", "_response_body", "_response_headers")

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._request_body = plan.request_body
        self._response_body = plan.response_body
        self._response_headers = plan.response_headers

    def override(self, phase: str, *, past: bool, response: bool) -> ProcessingMode:
        """Ask for the response's headers, or let the body that follows flow past; the rest stays as it is.

        An override stands in the place of the whole configuration.
        """
        self._response_headers = self._response_headers or response
        if past and phase == "request_headers":
            self._request_body = ""
        elif past:
            self._response_body = ""
        return ProcessingMode(
            request_header_mode=ProcessingMode.SEND,
            response_header_mode=SENT[self._response_headers],
            request_body_mode=BODY_MODES[self._request_body],
            response_body_mode=BODY_MODES[self._response_body],
            request_trailer_mode=SENT[self._plan.request_trailers],
            response_trailer_mode=SENT[self._plan.response_trailers],
        )


def flows_past(style: BodyStyle, plan: Plan, effect: Proceed, lines: Lines, *, end: bool) -> bool:
    """Whether the body that follows headers is to flow past.

    Also where none follows and a length is announced all the same, as in the response to HEAD: Envoy takes
    it away in every style but `whole`. With full duplex it obeys no override (both measured on Envoy 1.40).
    """
    if not style or "duplex" in (plan.request_body, plan.response_body):
        return False
    if end:
        return style != "whole" and effect.body is None and any(name == LENGTH for name, _ in lines)
    return effect.skip_body


def kept_length(style: BodyStyle, effect: Proceed, lines: Lines) -> bytes | None:
    """The content-length of a body that flows past, which Envoy took away when it saw the headers."""
    touched = LENGTH in effect.headers.remove or any(name == LENGTH for name, _ in effect.headers.replace)
    if style == "whole" or touched:
        return None
    return next((value for name, value in lines if name == LENGTH), None)
