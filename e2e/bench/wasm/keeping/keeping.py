"""A filter that remembers: what it keeps changes with every request, and does not grow."""

from __future__ import annotations

from dataclasses import dataclass

from meshext import Filter, Request, Respond, Response

MOST = 500
REFUSED = "no such key\n"
SEEN: dict[str, int] = {}
USERS = {"k-4f2a91": "ann"}


class Keeping(Filter):
    """Counts the paths that were asked for last, in a module's dict and in the filter's own list."""

    @dataclass
    class State:
        """What the response says of the request."""

        count: int = 0
        words: list[str] | None = None

    def __init__(self) -> None:
        self.order: list[str] = []

    def on_request(self, request: Request[State]) -> Respond | None:
        """One more; the one that came first is forgotten."""
        user = USERS.get(request.headers.get("x-key", ""))
        if user is None:
            return Respond(403, body=REFUSED)
        target = request.target
        if target not in SEEN:
            self.order.append(target)
            if len(self.order) > MOST:
                del SEEN[self.order.pop(0)]
        SEEN[target] = SEEN.get(target, 0) + 1
        request.state.count = SEEN[target]
        request.state.words = target.replace("?", "/").replace("=", "/").split("/")
        request.headers["x-user"] = f"{user}-{request.state.count}"
        return None

    def on_response(self, response: Response[State]) -> None:
        """What was kept from the request."""
        state = response.state
        response.headers["x-count"] = str(state.count)
        response.headers["x-words"] = ",".join(state.words or [])[:200]
