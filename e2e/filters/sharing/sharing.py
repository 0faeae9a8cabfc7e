"""Filters that run one behind the other in one VM: what each keeps is its own, and each exchange's."""

from __future__ import annotations

from dataclasses import dataclass

from meshext import Filter, Request, Respond, Response

SEEN: list[str] = []
"""What all of them have seen last, over all exchanges of a VM."""

MOST = 50


def note(tag: str) -> None:
    """Remember a tag, and forget the oldest."""
    SEEN.append(tag)
    if len(SEEN) > MOST:
        SEEN.pop(0)


class Outer(Filter):
    """Tells the response what the request was tagged with, and how often this filter has run."""

    @dataclass
    class State:
        """Of one exchange."""

        tag: str = ""

    def __init__(self) -> None:
        self.runs = 0

    def on_request(self, request: Request[State]) -> Respond | None:
        """Refuses what has no tag."""
        tag = request.headers.get("x-tag")
        if tag is None:
            return Respond(403, body="no tag\n")
        self.runs += 1
        note(tag)
        request.state.tag = tag
        request.headers["x-way"] = "outer"
        return None

    def on_response(self, response: Response[State]) -> None:
        """The last one to see it."""
        response.headers["x-tag"] = response.state.tag
        response.headers["x-runs"] = str(self.runs)
        response.headers.add("x-back", "outer")


class Inner(Filter):
    """Keeps something of its own of the same exchange; looks at the body."""

    @dataclass
    class State:
        """Of one exchange."""

        size: int = -1

    max_body = 65_536

    def on_request_body(self, request: Request[State]) -> Respond | None:
        """Divides by what the client says."""
        request.state.size = len(request.body)
        note("body")
        parts = int(request.headers.get("x-parts", "1"))
        request.headers["x-part"] = str(request.state.size // parts)
        request.headers["x-way"] += " inner"
        return None

    def on_response(self, response: Response[State]) -> None:
        """The first one to see it."""
        response.headers["x-size"] = str(response.state.size)
        response.headers.add("x-back", "inner")
