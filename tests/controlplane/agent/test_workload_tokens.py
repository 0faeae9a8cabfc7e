"""JWT-SVIDs on the Workload API's socket: asked for, kept, checked for others."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import jwt
import pytest
from google.protobuf import json_format

from meshext_controlplane.agent.credentials import Credentials
from meshext_controlplane.agent.workload_api import tokens
from meshext_controlplane.agent.workload_api.service import PROOF
from meshext_proto.meshext import svids_pb2
from meshext_proto.spiffe import workload_pb2
from tests.controlplane.agent.control_plane import ControlPlane
from tests.controlplane.agent.workload import IDENTITY, Offered, offered
from tests.controlplane.identity.tokens_of import Signer

INVALID, DENIED = grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.PERMISSION_DENIED
BUSY, AWAY = grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.UNAVAILABLE


async def fetch(api: Offered, *audiences: str, spiffe_id: str = "") -> str:
    request = workload_pb2.JWTSVIDRequest(audience=audiences, spiffe_id=spiffe_id)
    (found,) = (await api.ask("FetchJWTSVID", request)).svids
    assert found.spiffe_id == IDENTITY
    return str(found.svid)


async def validate(api: Offered, token: str, audience: str = "orders") -> dict[str, Any]:
    request = workload_pb2.ValidateJWTSVIDRequest(audience=audience, svid=token)
    answer = await api.ask("ValidateJWTSVID", request)
    assert answer.spiffe_id == IDENTITY
    claims: dict[str, Any] = json_format.MessageToDict(answer.claims)
    return claims


async def refusal(call: Any) -> grpc.StatusCode:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    return caught.value.code()


def joined(api: Offered, control_plane: ControlPlane) -> Credentials:
    """An application whose sidecar has heard of the control plane's keys."""
    api.authority = control_plane.authority
    credentials = api.join(control_plane.address)
    hear(credentials, control_plane.signer)
    return credentials


def hear(credentials: Credentials, *signers: Signer, banned: tuple[str, ...] = ()) -> None:
    keys = [svids_pb2.JwtKey(id=each.public.id, public=each.public.public) for each in signers]
    trust = svids_pb2.Trust(roots=credentials.svid.roots, jwt_keys=keys, banned=banned)
    credentials.replace(credentials.svid.trusting(trust))


def test_a_token_is_given_and_checked(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with ControlPlane() as control_plane, offered(tmp_path) as api:
            joined(api, control_plane)
            token = await fetch(api, "orders", "mail", spiffe_id=IDENTITY)
            claims = await validate(api, token)
            assert (claims["sub"], claims["aud"]) == (IDENTITY, ["orders", "mail"])
            assert claims["exp"] - claims["iat"] == 300
            assert control_plane.asked[0].subject == IDENTITY
            async with api.stream("FetchJWTBundles") as call:
                bundles = (await call.read()).bundles
            keys = jwt.PyJWKSet.from_json(bundles["spiffe://mesh.test"].decode())
            key = keys["k1"]
            assert json.loads(bundles["spiffe://mesh.test"])["keys"][0]["use"] == "jwt-svid"
            assert jwt.decode(token, key.key, algorithms=["ES256"], audience="mail")["sub"] == IDENTITY

    asyncio.run(scenario())


def test_what_nobody_should_ask_for_is_refused(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with ControlPlane() as control_plane, offered(tmp_path) as api:
            assert await refusal(fetch(api, "orders")) is DENIED
            assert await refusal(validate(api, "a.b.c")) is DENIED
            joined(api, control_plane)
            assert await refusal(fetch(api)) is INVALID
            assert await refusal(fetch(api, "")) is INVALID
            assert await refusal(fetch(api, *map(str, range(17)))) is INVALID
            assert await refusal(fetch(api, "x" * 70_000)) is BUSY  # more than a message may have
            assert await refusal(fetch(api, "orders", spiffe_id=f"{IDENTITY}-2")) is DENIED
            assert control_plane.asked == []
            control_plane.refusal = DENIED, "banned"
            assert await refusal(fetch(api, "orders")) is DENIED
            control_plane.refusal = BUSY, "too often"
            assert await refusal(fetch(api, "orders")) is BUSY
            control_plane.refusal = grpc.StatusCode.UNIMPLEMENTED, "an older one"
            assert await refusal(fetch(api, "orders")) is AWAY
            for method in ("FetchJWTSVID", "ValidateJWTSVID", "FetchJWTBundles"):
                assert (await api.ending(method, ()))[0] is INVALID
            async with api.stream("FetchJWTSVID", (PROOF,)) as call:
                assert await call.code() is INVALID

    asyncio.run(scenario())


@pytest.mark.parametrize(
    "claims", [{"sub": f"{IDENTITY}-2"}, {"aud": ["others"]}, {"aud": "orders"}, {"exp": "soon"}]
)
def test_a_token_for_others_is_not_handed_out(tmp_path: Path, claims: dict[str, Any]) -> None:
    async def scenario() -> None:
        async with ControlPlane() as control_plane, offered(tmp_path) as api:
            joined(api, control_plane)
            control_plane.claims = claims
            assert await refusal(fetch(api, "orders")) is AWAY

    asyncio.run(scenario())


def test_a_token_is_kept_for_half_its_life(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "MOST", 2)

    async def scenario() -> None:
        async with ControlPlane() as control_plane, offered(tmp_path) as api:
            credentials = joined(api, control_plane)
            first = await fetch(api, "orders")
            assert await fetch(api, "orders") == first
            assert await fetch(api, "mail") != first
            assert len(control_plane.asked) == 2
            await fetch(api, "third")  # the oldest is forgotten
            assert await fetch(api, "orders") != first
            old = await fetch(api, "orders")
            api.clock.now += 149
            assert await fetch(api, "orders") == old
            api.clock.now += 2  # half of its life is over
            young = await fetch(api, "orders")
            assert young != old
            api.clock.now += 289
            control_plane.refusal = AWAY, "away"
            assert await fetch(api, "orders") == young  # while nothing better is to be had
            api.clock.now += 2
            assert await refusal(fetch(api, "orders")) is AWAY
            control_plane.refusal = None
            kept = await fetch(api, "orders")
            control_plane.signer = Signer("k2")
            hear(credentials, control_plane.signer)  # the key of before was stolen
            assert await fetch(api, "orders") != kept

    asyncio.run(scenario())


def test_no_forged_token_is_believed(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with ControlPlane() as control_plane, offered(tmp_path) as api:
            credentials = joined(api, control_plane)
            token = await fetch(api, "orders")
            assert await validate(api, token)
            for forged, audience in (
                (token, "others"),
                (token, ""),
                ("", "orders"),
                (token[:-4] + "AAAA", "orders"),
                (jwt.encode({"sub": IDENTITY}, "", algorithm="none"), "orders"),
                ("[" * 60_000, "orders"),
                ("e30." * 10_000, "orders"),
            ):
                assert await refusal(validate(api, forged, audience)) is INVALID
            hear(credentials, control_plane.signer, banned=(f"{IDENTITY}-2",))
            assert await validate(api, token)
            hear(credentials, Signer())
            assert await refusal(validate(api, token)) is INVALID

    asyncio.run(scenario())


def test_other_keys_are_told_at_once(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with offered(tmp_path) as api:
            credentials = api.join()
            async with api.stream("FetchJWTBundles") as call:
                assert names(await call.read()) == []
                hear(credentials, Signer("a"))
                assert names(await call.read()) == ["a"]
                hear(credentials, Signer("a"), Signer("b"))
                assert names(await call.read()) == ["a", "b"]

    asyncio.run(scenario())


def names(message: Any) -> list[str]:
    return [each["kid"] for each in json.loads(message.bundles["spiffe://mesh.test"])["keys"]]
