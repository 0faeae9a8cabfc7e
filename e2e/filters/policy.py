"""A policy worth going around. It fails open, so that every error of the service would let a request pass."""

from __future__ import annotations

import json

from meshext import Filter, Request, Respond, Response

DENIED_PATH = "/admin"
DENIED_HOST = "secret.test"
DENIED_ROLE = "banned"
DENIED_BODY = b"attack"
DENIED_RESPONSE = b"leak"
MAX_BODY = 100_000


def denies_path(path: str) -> bool:
    return path.startswith(DENIED_PATH)


def denies_host(hostname: str) -> bool:
    return hostname == DENIED_HOST


def denies_role(lines: list[str]) -> bool:
    return any(value.strip() == DENIED_ROLE for line in lines for value in line.split(","))


def to_hex(text: str) -> str:
    """The bytes of a text from the wire."""
    return text.encode("utf-8", "surrogateescape").hex()


class Policy(Filter):
    """By path, host, any value of a header, and body."""

    failure = "open"
    max_body = MAX_BODY

    def on_request(self, request: Request) -> Respond | None:
        if denies_path(request.path):
            return Respond(403, body="by path", details="by_path")
        if denies_host(request.hostname):
            return Respond(403, body="by host", details="by_host")
        if denies_role(request.headers.get_all("x-role")):
            return Respond(403, body="by role", details="by_role")
        seen = {
            "path": to_hex(request.path),
            "host": to_hex(request.host),
            "principal": request.peer.principal,
            "address": request.peer.address,
            "client": request.client_address,
            "tls": request.peer.tls,
            "odd": [to_hex(value) for value in request.headers.get_all("x-odd")],
            "id": request.id,
        }
        request.headers["x-seen"] = json.dumps(seen)
        return None

    def on_request_body(self, request: Request) -> Respond | None:
        if DENIED_BODY in request.body:
            return Respond(403, body="by body", details="by_body")
        request.headers["x-body-seen"] = str(len(request.body))
        return None


class PolicyBothWays(Policy):
    """By what comes back, too."""

    def on_response_body(self, response: Response) -> Respond | None:
        if DENIED_RESPONSE in response.body:
            return Respond(403, body="by response", details="by_response")
        return None


class LargePolicy(PolicyBothWays):
    """With the default `max_body`, which is also Envoy's default buffer limit."""

    max_body = 1_048_576


class LargeRequestPolicy(Policy):
    """The same for requests alone."""

    max_body = 1_048_576
