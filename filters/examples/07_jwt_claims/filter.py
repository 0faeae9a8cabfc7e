"""JWT claims: Envoy proves that a token is genuine, the filter decides what its claims allow."""

from collections.abc import Mapping
from dataclasses import dataclass

from meshext import Filter, Request, Respond

JWT = "envoy.filters.http.jwt_authn"


class JwtClaims(Filter):
    """Asks for a role under each configured path, and tells the upstream who it is."""

    metadata_namespaces = (JWT,)

    @dataclass(frozen=True)
    class Config:
        """`provider` as in jwt.yaml; `roles`: which role a path and everything below it asks for."""

        provider: str
        roles: dict[str, str]

    def __init__(self, config: Config) -> None:
        self.provider = config.provider
        self.roles = config.roles

    def on_request(self, request: Request) -> Respond | None:
        """Envoy has refused forged and expired tokens by now; a missing one is for us to refuse."""
        claims = request.metadata[JWT].get(self.provider)
        if not isinstance(claims, Mapping):
            return Respond(401, headers={"www-authenticate": "Bearer"}, body="a token is needed\n")
        role = self.role_for(request.path)
        if role is not None and role not in roles_of(claims):
            scheme = 'Bearer error="insufficient_scope"'
            return Respond(403, headers={"www-authenticate": scheme}, body=f"{role} may do this\n")
        request.headers["x-user"] = str(claims.get("sub", ""))
        del request.headers["authorization"]
        return None

    def role_for(self, path: str) -> str | None:
        """The role that the longest configured path above this one asks for."""
        above = [each for each in self.roles if path == each or path.startswith(each.rstrip("/") + "/")]
        return self.roles[max(above, key=len)] if above else None


def roles_of(claims: Mapping[str, object]) -> list[object]:
    """The claim `roles`, empty where it is no list."""
    roles = claims.get("roles")
    return roles if isinstance(roles, list) else []
