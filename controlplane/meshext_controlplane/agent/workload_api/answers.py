"""What an application is told of its SVID, as messages of `proto/spiffe/workload.proto`. Pure."""

from __future__ import annotations

import json
from datetime import datetime

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from meshext_controlplane.agent.svid import Svid
from meshext_controlplane.identity.jwt_checking import Believed, read_public_key
from meshext_controlplane.identity.jwt_svid import JwtKey, to_base64url
from meshext_proto.spiffe import workload_pb2


def find_refusal(svid: Svid, now: datetime) -> str:
    """Why the application has no identity now; "" where it has one."""
    if svid.not_after <= now:
        return f"the certificate of {svid.identity} expired at {svid.not_after:%F %T} UTC and was not renewed"
    if svid.is_banned:
        return f"{svid.identity} is banned"
    return ""


def build_x509_svid(svid: Svid) -> workload_pb2.X509SVIDResponse:
    """Certificate, key, and whom to trust."""
    key = svid.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    message = workload_pb2.X509SVIDResponse(crl=svid.revocations)
    message.svids.add(
        spiffe_id=str(svid.identity),
        x509_svid=b"".join(svid.chain),
        x509_svid_key=key,
        bundle=b"".join(svid.roots),
    )
    return message


def build_x509_bundles(svid: Svid) -> workload_pb2.X509BundlesResponse:
    """Whom to trust."""
    return workload_pb2.X509BundlesResponse(
        crl=svid.revocations, bundles={name_trust_domain(svid): b"".join(svid.roots)}
    )


def build_jwt_bundles(svid: Svid) -> workload_pb2.JWTBundlesResponse:
    """What tokens are checked with, as a JWK set."""
    keys = {"keys": [to_jwk(each) for each in svid.jwt_keys]}
    text = json.dumps(keys, separators=(",", ":"), sort_keys=True)
    return workload_pb2.JWTBundlesResponse(bundles={name_trust_domain(svid): text.encode()})


def to_jwk(key: JwtKey) -> dict[str, str]:
    """A key of ES256: RFC 7518, section 6.2; SPIFFE_Trust_Domain_and_Bundle.md, section 4.2."""
    point = read_public_key(key).public_numbers()
    x, y = (to_base64url(number.to_bytes(32, "big")) for number in (point.x, point.y))
    return {"kty": "EC", "crv": "P-256", "kid": key.id, "use": "jwt-svid", "x": x, "y": y}


def build_validated(believed: Believed) -> workload_pb2.ValidateJWTSVIDResponse:
    """Who a token speaks for, and all that it claims; ValueError where that does not fit a message."""
    message = workload_pb2.ValidateJWTSVIDResponse(spiffe_id=str(believed.identity))
    try:
        message.claims.update(believed.claims)
    except (TypeError, OverflowError) as error:
        raise ValueError(str(error)) from None
    return message


def name_trust_domain(svid: Svid) -> str:
    """The SPIFFE ID of its trust domain."""
    return f"spiffe://{svid.identity.trust_domain}"
