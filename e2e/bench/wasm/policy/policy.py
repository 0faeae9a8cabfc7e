"""What is measured in every way: whoever shows a known key may pass, and the upstream is told who it is."""

from __future__ import annotations

from meshext import Filter, Request, Respond

USERS = {"k-4f2a91": "ann"}
REFUSED = "no such key\n"


class Policy(Filter):
    """A key in, a name out."""

    def on_request(self, request: Request) -> Respond | None:
        user = USERS.get(request.headers.get("x-key", ""))
        if user is None:
            return Respond(403, body=REFUSED)
        request.headers["x-user"] = user
        return None
