"""A filter that remembers what bodies were like: it keeps something of every request, and does not grow."""

from __future__ import annotations

from meshext import Filter, Request

MOST = 64
KEPT: list[bytes] = []


class Bodies(Filter):
    """Keeps the beginnings of the last bodies, and tells the upstream of this one."""

    def on_request_body(self, request: Request) -> None:
        words = request.body.split(b" ")
        KEPT.append(request.body[:200])
        if len(KEPT) > MOST:
            KEPT.pop(0)
        request.headers["x-words"] = f"{len(words)} of {len(request.body)} bytes, {len(KEPT)} kept"
