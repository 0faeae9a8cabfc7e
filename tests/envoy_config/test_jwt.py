"""Tokens: the file, its mistakes, and what the real Envoy lets through."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from meshext.config import Document
from meshext.envoy.jwt import Jwt, parse_jwt
from meshext.errors import ConfigError
from meshext.plan import Plan
from tests.envoy_config.conftest import Lab

KEY = ec.generate_private_key(ec.SECP256R1())


def encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def jwks() -> str:
    numbers = KEY.public_key().public_numbers()
    key = {"kty": "EC", "crv": "P-256", "alg": "ES256", "kid": "k"}
    point = {"x": encode(numbers.x.to_bytes(32)), "y": encode(numbers.y.to_bytes(32))}
    return json.dumps({"keys": [key | point]})


def token(**claims: object) -> str:
    head = encode(json.dumps({"alg": "ES256", "kid": "k"}).encode())
    text = f"{head}.{encode(json.dumps({'exp': int(time.time()) + 600} | claims).encode())}"
    r, s = decode_dss_signature(KEY.sign(text.encode(), ec.ECDSA(hashes.SHA256())))
    return f"{text}.{encode(r.to_bytes(32) + s.to_bytes(32))}"


def parse(text: str, source: str = "jwt.yaml") -> Jwt:
    return parse_jwt(Document(text, source))


def providers(*, required: bool = False) -> Jwt:
    def provider(issuer: str, **more: object) -> dict[str, object]:
        return {"issuer": issuer, "jwks": jwks(), "required": required} | more

    return parse(
        json.dumps(
            {"providers": {"a": provider("https://a", audiences=["shop"]), "b": provider("https://b")}}
        )
    )


def test_inline_as_mapping_and_as_text() -> None:
    mapping = parse(f"providers: {{a: {{issuer: i, jwks: {jwks()}}}}}")
    assert json.loads(mapping.issuers[0].jwks) == json.loads(jwks())
    assert not mapping.required
    text = parse(f"providers: {{a: {{issuer: i, required: true, jwks: '{jwks()}'}}}}")
    assert text.required
    assert text.issuers[0].jwks == jwks()


def test_file_beside_the_file(tmp_path: Path) -> None:
    (tmp_path / "keys.json").write_text(jwks())
    found = parse("providers: {a: {issuer: i, jwks_file: keys.json}}", str(tmp_path / "jwt.yaml"))
    assert found.issuers[0].jwks == jwks()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("providers: {}", "providers is empty"),
        ("{}", "providers"),
        ("providers: {a: {issuer: i}}", "write either jwks or jwks_file"),
        ("providers: {a: {issuer: i, jwks: '{}', jwks_file: k}}", "write either jwks or jwks_file"),
        ("providers: {a: {issuer: i, jwks: '{}'}}", "providers.a: jwks has no keys"),
        ("providers: {a: {issuer: i, jwks: 'x'}}", "providers.a: jwks is not JSON"),
        ("providers: {a: {issuer: i, jwks_file: none.json}}", "'none.json' can not be read: No such file"),
        ("providers: {a: {jwks: 'x'}}", "issuer"),
    ],
)
def test_refused(text: str, told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(text)
    assert told in str(caught.value)


@pytest.mark.envoy
def test_envoy_refuses_bad_tokens_always(in_lab: Callable[..., None]) -> None:
    async def steps(lab: Lab) -> None:
        async def status(text: str | None) -> int:
            headers = {} if text is None else {"authorization": f"Bearer {text}"}
            return (await lab.ask("/", headers)).status

        good = token(iss="https://b", sub="ada")
        assert await status(None) == 200
        assert await status(good) == 200
        assert await status(token(iss="https://a", aud="shop")) == 200
        assert await status(token(iss="https://a", aud="other")) == 403
        assert await status(token(iss="https://c")) == 401
        assert await status(token(iss="https://b", exp=1)) == 401
        assert await status(good[:-4] + "AAAA") == 401
        assert await status("nonsense") == 401
        assert (await lab.ask("/?access_token=nonsense")).status == 200

    in_lab(steps, jwt=providers())


@pytest.mark.envoy
def test_envoy_wants_a_required_token(in_lab: Callable[..., None], make_plan: Callable[..., Plan]) -> None:
    async def steps(lab: Lab) -> None:
        assert (await lab.ask("/")).status == 401
        answer = await lab.ask("/", {"authorization": f"Bearer {token(iss='https://b', sub='ada')}"})
        assert answer.status == 200
        assert "authorization" in dict(answer.json()["headers"])
        assert lab.probe.metadata_context["b"]["sub"] == "ada"

    plan = make_plan(metadata_namespaces=("envoy.filters.http.jwt_authn",))
    in_lab(steps, plan, jwt=providers(required=True))
