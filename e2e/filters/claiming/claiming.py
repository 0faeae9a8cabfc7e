"""Answers with what it finds in a token's claims, each looked at as filters do."""

import json
from collections.abc import Mapping
from typing import Any

from meshext import Filter, Request, Respond

JWT = "envoy.filters.http.jwt_authn"


class Claiming(Filter):
    """Reads what Envoy's jwt_authn left."""

    metadata_namespaces = (JWT,)

    def on_request(self, request: Request) -> Respond | None:
        """The claims as JSON."""
        claims = request.metadata[JWT].get("demo")
        if not isinstance(claims, Mapping):
            return Respond(401, body=json.dumps({"has": JWT in request.metadata}))
        return Respond(200, body=json.dumps({**seen(claims), "all": claims}, sort_keys=True))


def seen(claims: Mapping[str, object]) -> dict[str, object]:
    """Numbers, lists, what is nested and what is missing."""
    level, realm = claims.get("level"), claims.get("realm_access")
    return {
        "level": level + 1 if isinstance(level, int) else None,
        "share": type(claims.get("share")).__name__,
        "roles": roles_of(realm) if isinstance(realm, dict) else None,
        "missing": claims.get("missing", "none"),
        "null": claims.get("null", "none") is None,
        "names": sorted(name.upper() for name in claims),
    }


def roles_of(access: dict[str, Any]) -> list[str]:
    """The roles inside of `realm_access`."""
    return [str(role) for role in access.get("roles", [])]
