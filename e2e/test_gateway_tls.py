"""Every field of a server's TLS, in a real Envoy: whom it lets in, what it shows and speaks."""

from __future__ import annotations

import base64
import hashlib
import json
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from cryptography.x509.oid import NameOID

from e2e.certificates import Authority, Pair, plain_client
from e2e.test_mesh_gateway import named
from e2e.town import opened

pytestmark = pytest.mark.envoy

ADDRESS, PORT = "127.63.0.1", 8443
CIPHER = "ECDHE-ECDSA-AES256-GCM-SHA384"
ROUTES = """
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: all, namespace: edge}
spec: {hosts: ["*.test"], gateways: [front], http: [{directResponse: {status: 200}}]}
---
kind: Workload
name: front
namespace: edge
address: 127.63.0.1
gateway: true
"""


def gateway(servers: dict[str, dict[str, Any]]) -> str:
    """A Gateway with a server of TLS for each `NAME.test`."""
    made = [
        {"port": {"number": PORT, "name": name, "protocol": "HTTPS"}, "hosts": [f"{name}.test"], "tls": tls}
        for name, tls in servers.items()
    ]
    head = {"apiVersion": "networking.istio.io/v1", "kind": "Gateway"}
    return json.dumps({**head, "metadata": {"name": "front", "namespace": "edge"}, "spec": {"servers": made}})


def secret(name: str, **entries: bytes) -> str:
    """A Secret with these entries, `_` for `.`."""
    data = {key.replace("_", "."): base64.b64encode(value).decode() for key, value in entries.items()}
    meta = {"name": name, "namespace": "edge"}
    return json.dumps({"apiVersion": "v1", "kind": "Secret", "metadata": meta, "data": data})


def pair_of(pair: Pair) -> dict[str, bytes]:
    return {"tls_crt": pair.certificate.read_bytes(), "tls_key": pair.key.read_bytes()}


def self_signed(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> dict[str, bytes]:
    """A certificate that signs itself, with that key."""
    name, now = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "two.test")]), datetime.now(UTC)
    builder = x509.CertificateBuilder(
        issuer_name=name,
        subject_name=name,
        public_key=key.public_key(),
        serial_number=x509.random_serial_number(),
        not_valid_before=now - timedelta(days=1),
        not_valid_after=now + timedelta(days=1),
    ).add_extension(x509.SubjectAlternativeName([x509.DNSName("two.test")]), critical=False)
    return {
        "tls_crt": builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM),
        "tls_key": key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
    }


def revoke(authority: Authority, pair: Pair) -> bytes:
    """A list of revoked certificates that holds one."""
    leaf = x509.load_pem_x509_certificate(pair.certificate.read_bytes())
    now = datetime.now(UTC)
    gone = x509.RevokedCertificateBuilder(leaf.serial_number, now - timedelta(hours=1)).build()
    root = x509.load_pem_x509_certificate(authority.file.read_bytes())
    listed = x509.CertificateRevocationListBuilder(
        issuer_name=root.subject, last_update=now - timedelta(hours=1), next_update=now + timedelta(days=1)
    ).add_revoked_certificate(gone)
    return listed.sign(authority._key, hashes.SHA256()).public_bytes(Encoding.PEM)


@dataclass(frozen=True, slots=True)
class Edge:
    """A running gateway; `clients` have certificates."""

    clients: dict[str, ssl.SSLContext]
    certificates: dict[str, bytes]


@pytest.fixture(scope="module")
def edge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    authority = Authority(tmp_path_factory.mktemp("papers"), "ca")
    pairs = {
        name: authority.issue(name, [x509.DNSName(f"{name}.client")]) for name in ("good", "other", "gone")
    }
    good = x509.load_pem_x509_certificate(pairs["good"].certificate.read_bytes())
    public = good.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    rsa_pair = self_signed(rsa.generate_private_key(65_537, 2048))
    ecdsa_pair = self_signed(ec.generate_private_key(ec.SECP256R1()))
    mutual = {"mode": "MUTUAL", "credentialName": "own"}
    simple = {"mode": "SIMPLE", "credentialName": "own"}
    servers: dict[str, dict[str, Any]] = {
        "names": {**mutual, "subjectAltNames": ["good.client"]},
        "hash": {**mutual, "verifyCertificateHash": [good.fingerprint(hashes.SHA256()).hex()]},
        "spki": {
            **mutual,
            "verifyCertificateSpki": [base64.b64encode(hashlib.sha256(public).digest()).decode()],
        },
        "revoked": {"mode": "MUTUAL", "credentialName": "with-list"},
        "elsewhere": {**mutual, "credentialName": "bare", "caCertCredentialName": "authorities"},
        "suffix": {**mutual, "credentialName": "bare"},
        "new": {**simple, "minProtocolVersion": "TLSV1_3"},
        "old": {**simple, "maxProtocolVersion": "TLSV1_2", "cipherSuites": [CIPHER]},
        "two": {"mode": "SIMPLE", "credentialNames": ["rsa", "ecdsa"]},
    }
    own, trusted = pair_of(named(authority, "own", "*.test")), authority.file.read_bytes()
    secrets = [
        secret("own", **own, ca_crt=trusted),
        secret("with-list", **own, ca_crt=trusted, ca_crl=revoke(authority, pairs["gone"])),
        secret("bare", **own),
        secret("authorities", ca_crt=trusted),
        secret("bare-cacert", cacert=trusted),
        secret("rsa", **rsa_pair),
        secret("ecdsa", **ecdsa_pair),
    ]
    clients = {name: pair.to_client() for name, pair in pairs.items()}
    shown = {"rsa": rsa_pair["tls_crt"], "ecdsa": ecdsa_pair["tls_crt"]}
    with opened("\n---\n".join([ROUTES, gateway(servers), *secrets])):
        yield Edge({"": plain_client(), **clients}, shown)


def ask(name: str, context: ssl.SSLContext) -> int:
    """The status of a request, 0 where TLS refuses it."""
    with (
        suppress(OSError),
        socket.create_connection((ADDRESS, PORT), timeout=20) as plain,
        context.wrap_socket(plain, server_hostname=f"{name}.test") as wire,
    ):
        wire.sendall(f"GET / HTTP/1.1\r\nHost: {name}.test\r\nConnection: close\r\n\r\n".encode())
        return int(wire.recv(65_536)[9:12] or b"0")
    return 0


@pytest.mark.parametrize(
    ("name", "let_in"),
    [
        ("names", {"good"}),
        ("hash", {"good"}),
        ("spki", {"good"}),
        ("revoked", {"good", "other"}),
        ("elsewhere", {"good", "other", "gone"}),
        ("suffix", {"good", "other", "gone"}),
        ("new", {"", "good", "other", "gone"}),
    ],
)
def test_who_is_let_in(edge: Edge, name: str, let_in: set[str]) -> None:
    assert {who for who, context in edge.clients.items() if ask(name, context) == 200} == let_in


def limited(limit: Callable[[ssl.SSLContext], None]) -> ssl.SSLContext:
    """A client that can do less than others."""
    context = plain_client()
    limit(context)
    return context


def only_old(context: ssl.SSLContext) -> None:
    context.maximum_version = ssl.TLSVersion.TLSv1_2


def only_rsa(context: ssl.SSLContext) -> None:
    only_old(context)
    context.set_ciphers("ECDHE-RSA-AES128-GCM-SHA256")


def test_versions_and_ciphers() -> None:
    def spoken(name: str, context: ssl.SSLContext) -> tuple[str | None, str]:
        with (
            socket.create_connection((ADDRESS, PORT), timeout=20) as plain,
            context.wrap_socket(plain, server_hostname=f"{name}.test") as wire,
        ):
            cipher = wire.cipher()
            return wire.version(), cipher[0] if cipher else ""

    assert spoken("new", plain_client())[0] == "TLSv1.3"
    assert spoken("old", plain_client()) == ("TLSv1.2", CIPHER)
    with pytest.raises(OSError):  # noqa: PT011
        spoken("new", limited(only_old))
    with pytest.raises(OSError):  # noqa: PT011
        spoken("old", limited(only_rsa))


def test_a_client_is_shown_the_certificate_that_it_understands(edge: Edge) -> None:
    for kind, context in (("rsa", limited(only_rsa)), ("ecdsa", plain_client())):
        with (
            socket.create_connection((ADDRESS, PORT), timeout=20) as plain,
            context.wrap_socket(plain, server_hostname="two.test") as wire,
        ):
            shown = wire.getpeercert(binary_form=True)
        assert shown == ssl.PEM_cert_to_DER_cert(edge.certificates[kind].decode())


def test_sessions_of_clients_with_certificates_are_not_resumed(edge: Edge) -> None:
    context = edge.clients["good"]
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    sessions: list[ssl.SSLSession | None] = []
    for _ in range(2):
        with (
            socket.create_connection((ADDRESS, PORT), timeout=20) as plain,
            context.wrap_socket(
                plain, server_hostname="names.test", session=sessions[-1] if sessions else None
            ) as wire,
        ):
            sessions.append(wire.session)
            reused = wire.session_reused
    assert not reused
