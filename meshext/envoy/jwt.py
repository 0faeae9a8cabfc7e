"""JSON Web Tokens checked by Envoy before the filter, so that the filter reads claims it can believe.

The file (`--jwt FILE`), as `envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication`:

    providers:
      corporate:
        issuer: https://issuer.example
        audiences: [shop]          # none: any
        jwks_file: keys.json       # or jwks: {keys: [...]}, or jwks: the JSON as text
        required: true             # a request without a token is refused with 401

A token is taken from `authorization: Bearer ...`; a bad one is always refused. The claims are dynamic
metadata `envoy.filters.http.jwt_authn`, under the provider's name.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from meshext.config import Document, parse_config
from meshext.envoy.messages import builds_messages
from meshext.errors import ConfigError

if TYPE_CHECKING:
    from envoy_data_plane.envoy.extensions.filters.http.jwt_authn.v3 import JwtProvider, JwtRequirement
    from envoy_data_plane.envoy.extensions.filters.network.http_connection_manager.v3 import HttpFilter

FILTER = "envoy.filters.http.jwt_authn"
"""Name of the filter, and of the namespace that its claims are in."""

_Member = str | bool | int | list[str]  # members of a key, RFC 7517 section 4


@dataclass(frozen=True, slots=True)
class KeySet:
    """A JSON Web Key Set (RFC 7517 section 5)."""

    keys: list[dict[str, _Member]]


@dataclass(frozen=True, slots=True)
class Provider:
    """Who issues tokens, for whom, and the keys that prove it: `jwks` inline, or `jwks_file`.

    A relative file is looked for beside the file that names it.
    """

    issuer: str
    audiences: list[str] = field(default_factory=list)
    jwks: KeySet | str | None = None
    jwks_file: str = ""
    required: bool = False

    def __post_init__(self) -> None:
        if (self.jwks is None) == (not self.jwks_file):
            raise ValueError("write either jwks or jwks_file")


@dataclass(frozen=True, slots=True)
class _JwtFile:
    providers: dict[str, Provider]

    def __post_init__(self) -> None:
        if not self.providers:
            raise ValueError("providers is empty; name at least one")


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenIssuer:
    """A provider with its keys at hand: `jwks` is a JSON Web Key Set as JSON text."""

    name: str
    issuer: str
    audiences: tuple[str, ...]
    jwks: str


@dataclass(frozen=True, slots=True)
class Jwt:
    """Whose tokens are believed; where `required`, a request without a token is refused."""

    issuers: tuple[TokenIssuer, ...]
    required: bool


def parse_jwt(document: Document) -> Jwt:
    """The providers of a file, key files read; ConfigError lists every mistake.

    A token is required where one of the providers says so; any provider's will do.
    """
    providers = parse_config(_JwtFile, document).providers
    problems: list[str] = []
    issuers = []
    for name, provider in providers.items():
        try:
            jwks = _read_jwks(provider, document)
        except ValueError as error:
            problems.append(f"providers.{name}: {error}")
            continue
        issuers.append(
            TokenIssuer(name=name, issuer=provider.issuer, audiences=tuple(provider.audiences), jwks=jwks)
        )
    if problems:
        raise ConfigError(problems, source=document.source)
    return Jwt(tuple(issuers), any(provider.required for provider in providers.values()))


@builds_messages
def build_jwt_filter(jwt: Jwt) -> HttpFilter:
    """The HTTP filter that checks tokens, to stand before the filter that reads their claims."""
    from envoy_data_plane.envoy.config.route.v3 import RouteMatch
    from envoy_data_plane.envoy.extensions.filters.http.jwt_authn.v3 import (
        JwtAuthentication,
        RequirementRule,
    )
    from envoy_data_plane.envoy.extensions.filters.network.http_connection_manager.v3 import HttpFilter
    from envoy_data_plane.google.protobuf import Any

    rule = RequirementRule(match=RouteMatch(prefix="/"), requires=_build_requirement(jwt))
    message = JwtAuthentication(
        providers={issuer.name: _build_provider(issuer) for issuer in jwt.issuers}, rules=[rule]
    )
    return HttpFilter(name=FILTER, typed_config=Any.pack(message))


def _build_provider(issuer: TokenIssuer) -> JwtProvider:
    from envoy_data_plane.envoy.config.core.v3 import DataSource
    from envoy_data_plane.envoy.extensions.filters.http.jwt_authn.v3 import JwtHeader, JwtProvider

    return JwtProvider(
        issuer=issuer.issuer,
        audiences=list(issuer.audiences),
        local_jwks=DataSource(inline_string=issuer.jwks),
        forward=True,  # else the filter would not see the header that the client sent
        from_headers=[JwtHeader(name="authorization", value_prefix="Bearer ")],
        payload_in_metadata=issuer.name,
    )


def _build_requirement(jwt: Jwt) -> JwtRequirement:
    from envoy_data_plane.envoy.extensions.filters.http.jwt_authn.v3 import (
        JwtRequirement,
        JwtRequirementOrList,
    )
    from envoy_data_plane.google.protobuf import Empty

    options = [JwtRequirement(provider_name=issuer.name) for issuer in jwt.issuers]
    if not jwt.required:
        options.append(JwtRequirement(allow_missing=Empty()))
    # Envoy refuses `requires_any` with less than two
    return (
        options[0]
        if len(options) == 1
        else JwtRequirement(requires_any=JwtRequirementOrList(requirements=options))
    )


def _read_jwks(provider: Provider, document: Document) -> str:
    if isinstance(provider.jwks, KeySet):
        return json.dumps({"keys": provider.jwks.keys})
    if isinstance(provider.jwks, str):
        return _check_jwks(provider.jwks, "jwks")
    path = Path(document.source).parent / provider.jwks_file
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise ValueError(f"jwks_file {str(path)!r} can not be read: {reason}") from None
    return _check_jwks(text, f"jwks_file {str(path)!r}")


def _check_jwks(text: str, place: str) -> str:
    try:
        parsed = json.loads(text)
    except ValueError as error:
        raise ValueError(f"{place} is not JSON: {error}") from None
    keys = parsed.get("keys") if isinstance(parsed, dict) else None
    if not isinstance(keys, list) or not keys:
        raise ValueError(f'{place} has no keys; a key set is {{"keys": [...]}}')
    return text
