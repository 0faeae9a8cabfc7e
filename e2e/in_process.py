"""An example's calls through the Harness, surrounded by what Envoy would do for them."""

from __future__ import annotations

import base64
import binascii
import json
import time
from collections.abc import Callable
from urllib.parse import urljoin

import h11
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from meshext import verify_signature
from meshext.envoy.echo_answer import build_answer, to_echo
from meshext.envoy.jwt import FILTER, Jwt, TokenIssuer
from meshext.envoy.routes import Route
from meshext.http.metadata import Json
from meshext.sandbox import Answer, Setup
from meshext.sandbox.calls import CallRequest, header_pairs
from meshext.testing import Harness, Reply, UpstreamRequest

Claims = dict[str, Json]


def call_in_process(harness: Harness, request: CallRequest, setup: Setup) -> Answer | None:
    """What the client would get; None where Envoy refuses the token before any filter is asked."""
    lines = header_pairs(request)
    metadata: dict[str, Claims] = {}
    if setup.jwt is not None:
        claims = check_token(dict(lines).get("authorization"), setup.jwt)
        if claims is None:
            return None
        metadata = {FILTER: claims}
    outcome = harness.request(
        request.method,
        urljoin("/", request.target),  # Envoy resolves dots before the filter sees the path
        headers=lines,
        body=request.body.encode(),
        client_address="127.0.0.1",
        metadata=metadata,
        response=echoing(setup),
    )
    return Answer(status=outcome.status, headers=outcome.headers.items(), body=outcome.body, trailers=[])


def echoing(setup: Setup) -> Callable[[UpstreamRequest], Reply]:
    """The echo services behind the setup's routes, as one upstream."""

    def reply(request: UpstreamRequest) -> Reply:
        lines = [("host", request.host), *request.headers.items()]
        raw = h11.Request(method=request.method, target=request.target, headers=lines)
        echo = to_echo(choose_upstream(setup, request), raw, request.body, [])
        answer = build_answer(request.target, echo)
        return Reply(answer.status, answer.headers, answer.body)

    return reply


def choose_upstream(setup: Setup, request: UpstreamRequest) -> str:
    """The upstream of the first route that matches."""
    return next(
        (route.upstream for route in setup.routes if matches(route, request)), (*setup.echoes, "echo")[0]
    )


def matches(route: Route, request: UpstreamRequest) -> bool:
    """Whether a route takes a request, as Envoy matches it."""
    match = route.match
    path = request.path == match.path if match.path else request.path.startswith(match.prefix)
    return path and all(request.headers.joined(name) == value for name, value in match.headers.items())


def check_token(authorization: str | None, jwt: Jwt) -> Claims | None:
    """The claims by provider, as `jwt_authn` leaves them: none without a token, None for a bad one."""
    if authorization is None:
        return None if jwt.required else {}
    token = authorization.removeprefix("Bearer ")
    for issuer in jwt.issuers:
        claims = read_claims(token, issuer)
        if claims is not None:
            return {issuer.name: claims}
    return None


def read_claims(token: str, issuer: TokenIssuer) -> Claims | None:
    """The claims of a genuine ES256 token that has not expired."""
    text, _, signature = token.rpartition(".")
    try:
        raw = decode(signature)
        claims: Claims = json.loads(decode(text.partition(".")[2]))
    except (ValueError, binascii.Error):
        return None
    genuine = any(verify_signature("ES256", pem, text.encode(), raw) for pem in public_keys(issuer))
    expires = claims.get("exp", 0)
    return claims if genuine and isinstance(expires, int) and expires > time.time() else None


def public_keys(issuer: TokenIssuer) -> list[str]:
    """The issuer's keys as PEM (RFC 7518 section 6.2)."""
    numbers = [
        ec.EllipticCurvePublicNumbers(
            int.from_bytes(decode(key["x"]), "big"), int.from_bytes(decode(key["y"]), "big"), ec.SECP256R1()
        )
        for key in json.loads(issuer.jwks)["keys"]
    ]
    form = (Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return [number.public_key().public_bytes(*form).decode() for number in numbers]


def decode(text: str) -> bytes:
    """Base64url without padding."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
