"""Writes metadata in every phase, of every kind."""

from __future__ import annotations

from dataclasses import dataclass

from meshext import Filter, Request, Response


class Telling(Filter):
    """What the access log and other filters are to see."""

    @dataclass
    class State:
        size: int = 0

    def on_request(self, request: Request[State]) -> None:
        """Headers: what a filter behind this one may decide by."""
        request.set_metadata("group", request.headers.get("x-group", "none"))
        request.set_metadata("caf\u00e9", 'a "quoted": 7:text')
        request.set_metadata("kinds", [7, -1.5, True, False, "", {"deep": {"1": [1e300]}}, {}])

    def on_response(self, response: Response[State]) -> None:
        """The response's headers."""
        response.set_metadata("status", response.status)

    def on_response_chunk(self, response: Response[State], chunk: bytes, last: bool) -> None:
        """When the headers have left already."""
        response.state.size += len(chunk)
        if last:
            response.set_metadata("size", response.state.size)
