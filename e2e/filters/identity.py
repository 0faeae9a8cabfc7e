"""Tells the upstream who it takes the client for, and lets one principal in."""

from __future__ import annotations

import json

from meshext import Filter, Request, Respond

FRIEND = "spiffe://td.test/ns/shop/sa/web"
SNI = "connection.requested_server_name"


class Identity(Filter):
    """Fails open, so that an error of the service would let strangers in."""

    failure = "open"
    attributes = (SNI, "connection.mtls")

    def on_request(self, request: Request) -> Respond | None:
        if request.path == "/private" and request.peer.principal != FRIEND:
            return Respond(403, body="strangers stay outside")
        request.headers["x-seen"] = json.dumps(
            {
                "principal": request.peer.principal,
                "address": request.peer.address,
                "client": request.client_address,
                "tls": request.peer.tls,
                "sni": request.attribute(SNI),
                "mtls": request.attribute("connection.mtls"),
            }
        )
        return None
