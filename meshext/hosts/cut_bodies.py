"""Bodies that an Envoy with too small a buffer cut short: never decided on as if they were whole.

Where bodies may flow past, Envoy shows what its buffer holds. By our configuration that is more than any
filter's `max_body`; by one that was written by hand it may be less.
"""

from __future__ import annotations

from meshext.engine.events import (
    Event,
    RequestBodyReceived,
    RequestHeadersReceived,
    RequestTrailersReceived,
    ResponseBodyReceived,
    ResponseHeadersReceived,
)
from meshext.errors import ProtocolError
from meshext.http.headers import Lines

PROBLEM = (
    "Envoy cut a body after {size} bytes, which is less than max_body; raise the listener's "
    "per_connection_buffer_limit_bytes, as `meshext config` prints it"
)


class CutBodies:
    """Looks at the events of one exchange; `room` is what Envoy has to hold of a body, in bytes."""

    def __init__(self, room: int) -> None:
        self._room = room
        self._announced = 0
        self._open = -1

    def look(self, event: Event) -> None:
        """ProtocolError where a body can not have been whole."""
        if isinstance(event, (RequestHeadersReceived, ResponseHeadersReceived)):
            self._check_closed(event)
            self._announced = announced(event.lines)
        elif isinstance(event, RequestTrailersReceived):
            self._open = -1
        elif isinstance(event, (RequestBodyReceived, ResponseBodyReceived)) and not event.end:
            size = len(event.body)
            if size <= self._room and size < self._announced:
                raise ProtocolError(PROBLEM.format(size=size))
            if size <= self._room and isinstance(event, RequestBodyReceived):
                self._open = size

    def _check_closed(self, event: Event) -> None:
        """A body without a length whose end was not seen has trailers behind it; they come at once."""
        if isinstance(event, ResponseHeadersReceived) and self._open >= 0:
            raise ProtocolError(PROBLEM.format(size=self._open))


def announced(lines: Lines) -> int:
    """The content-length; 0 where there is none."""
    value = next((value for name, value in lines if name == "content-length"), b"0")
    return int(value) if value.isdigit() else 0
