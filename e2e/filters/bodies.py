"""A policy about bodies, for an Envoy whose configuration forgot to send them."""

from __future__ import annotations

from meshext import Filter, Request, Respond


class NoSecrets(Filter):
    """Refuses a body that says `secret`."""

    def on_request_body(self, request: Request) -> Respond | None:
        """Look at the whole body."""
        return Respond(403) if b"secret" in request.body else None
