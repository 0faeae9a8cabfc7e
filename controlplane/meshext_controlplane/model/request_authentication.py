"""`RequestAuthentication`: whose JSON Web Tokens are believed (Istio's, v1).

A bad token is refused; a request without one passes unauthenticated, so an AuthorizationPolicy must ask for
one (`requestPrincipals: ["*"]`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, ClassVar, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from meshext.errors import HeaderError
from meshext.http.legal import check_token
from meshext_controlplane.model.base import MeshDocument, Model
from meshext_controlplane.model.selector import Selector
from meshext_controlplane.model.values import Duration

MOST_RULES = 4096
MOST_CLAIMS = 64


def check_header(name: str) -> str:
    """A header's name (RFC 9110 section 5.1), no pseudo header; ValueError if it is none."""
    try:
        return check_token(name)
    except HeaderError:
        raise ValueError(f"{name[:60]!r} is no name of a header; write for example x-token") from None


def check_jwks(text: str) -> str:
    """A JSON Web Key Set with a key in it (RFC 7517 section 5); ValueError if it is none."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise ValueError("the key set is not JSON; write jwks: '{\"keys\": [...]}'") from None
    keys = found.get("keys") if isinstance(found, dict) else None
    if not isinstance(keys, list) or not keys or not all(isinstance(key, dict) for key in keys):
        raise ValueError("the key set has no keys; write jwks: '{\"keys\": [...]}'")
    return text


def check_uri(text: str) -> str:
    """An http or https URL of a key set; ValueError if it is none."""
    try:
        parts = urlsplit(text)
        known = parts.scheme in ("http", "https") and parts.hostname and (parts.port or 1)
    except ValueError:
        known = False
    if "@" in text:
        raise ValueError("a URL with a password in it is shown in many places; write one without")
    if not known or not text.isprintable() or " " in text:
        raise ValueError(f"{text[:80]!r} is no URL of a key set; write for example https://HOST/jwks.json")
    return text


class JwtHeader(Model):
    """`fromHeaders`: a header that a token may be in, and what stands before it."""

    name: Annotated[str, AfterValidator(check_header)]
    prefix: str = ""


class ClaimToHeader(Model):
    """`outputClaimToHeaders`: a claim (a dot goes into it) that goes to the application in a header."""

    header: Annotated[str, AfterValidator(check_header)]
    claim: Annotated[str, Field(min_length=1)]


class JwtRule(Model):
    """Tokens of one issuer. `jwks` is a key set as text, `jwks_uri` where Envoy fetches it.

    Claims of `space_delimited_claims`, and `scope` and `permission` always, are lists for policies: what has
    spaces in it is taken apart.
    """

    issuer: Annotated[str, Field(min_length=1)]
    audiences: tuple[Annotated[str, Field(min_length=1)], ...] = ()
    jwks: Annotated[str, AfterValidator(check_jwks)] | None = None
    jwks_uri: Annotated[str, AfterValidator(check_uri)] | None = None
    from_headers: tuple[JwtHeader, ...] = ()
    from_params: tuple[Annotated[str, Field(min_length=1)], ...] = ()
    from_cookies: tuple[Annotated[str, Field(min_length=1)], ...] = ()
    output_payload_to_header: Annotated[str, AfterValidator(check_header)] | None = None
    output_claim_to_headers: Annotated[tuple[ClaimToHeader, ...], Field(max_length=MOST_CLAIMS)] = ()
    forward_original_token: bool = False
    timeout: Duration | None = None
    space_delimited_claims: Annotated[
        tuple[Annotated[str, Field(min_length=1)], ...], Field(max_length=MOST_CLAIMS)
    ] = ()

    @model_validator(mode="after")
    def _one_source_of_keys(self) -> Self:
        if self.jwks is not None and self.jwks_uri is not None:
            raise ValueError("jwks and jwksUri exclude each other; write one of them")
        if self.jwks is None and self.jwks_uri is None:
            raise ValueError(
                "no keys: they are not looked up at the issuer; write jwksUri: https://... or jwks: '...'"
            )
        return self


class RequestAuthenticationSpec(Model):
    """The fields."""

    selector: Selector | None = None
    jwt_rules: Annotated[tuple[JwtRule, ...], Field(max_length=MOST_RULES)] = ()

    NOT_YET: ClassVar[Mapping[str, str]] = MappingProxyType(
        {"targetRef": "write selector", "targetRefs": "write selector"}
    )


class RequestAuthentication(MeshDocument):
    """The document."""

    KIND: ClassVar[str] = "RequestAuthentication"
    VERSIONS: ClassVar[tuple[str, ...]] = ("security.istio.io/v1", "security.istio.io/v1beta1")

    spec: RequestAuthenticationSpec = RequestAuthenticationSpec()
