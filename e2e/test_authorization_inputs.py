"""What `authorization-policy` has to ask Envoy for, seen in the real Envoy, in both modes."""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from e2e.certificates import Authority, plain_client
from e2e.inside import embedded
from e2e.stage import Stage
from meshext.envoy.downstream_tls import DownstreamTls
from meshext.plan import Mode
from meshext.sandbox import Setup
from tests.ports import free_port

pytestmark = pytest.mark.envoy

WEB = "spiffe://cluster.local/ns/shop/sa/web"
DRY = '{istio.io/dry-run: "true"}'


def document(name: str, spec: str, annotations: str = "{}") -> str:
    head = "apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\n"
    return f"{head}metadata: {{name: {name}, namespace: shop, annotations: {annotations}}}\nspec: {spec}\n"


def allow(path: str, key: str, value: str) -> str:
    return f'{{to: [{{operation: {{paths: ["/{path}"]}}}}], when: [{{key: "{key}", values: ["{value}"]}}]}}'


def policies(port: int) -> str:
    rules = [
        allow("port", "destination.port", str(port)),
        allow("other-port", "destination.port", str(port + 1)),
        allow("ip", "destination.ip", "127.0.0.0/8"),
        allow("other-ip", "destination.ip", "10.0.0.0/8"),
        allow("sni", "connection.sni", "shop.*"),
        allow("other-sni", "connection.sni", "bank.*"),
        allow("peer", "source.ip", "127.0.0.1"),
        allow("other-peer", "source.ip", "127.0.0.2"),
        allow("client", "remote.ip", "127.0.0.1/32"),
        allow("other-client", "remote.ip", "203.0.113.0/24"),
        allow("namespace", "source.namespace", "shop"),
        allow("other-namespace", "source.namespace", "bank"),
        allow("account", "source.serviceAccount", "web"),
        allow("domain", "source.trustDomain", "cluster.*"),
        allow("header", "request.headers[:authority]", "localhost*"),
        allow("told", "request.headers[:method]", "GET"),
    ]
    return "---\n".join(
        [
            document("allow", f"{{rules: [{', '.join(rules)}]}}"),
            document("soon", "{action: DENY, rules: [{to: [{operation: {paths: [/told]}}]}]}", DRY),
            document("log", "{action: AUDIT, rules: [{to: [{operation: {paths: [/told]}}]}]}"),
        ]
    )


@dataclass(frozen=True, slots=True)
class Shop:
    """The filter behind TLS, and a caller with a certificate."""

    stage: Stage
    caller: ssl.SSLContext
    port: int

    def status(self, path: str, *, name: str = "shop.test", stranger: bool = False) -> int:
        context = plain_client() if stranger else self.caller
        with (
            socket.create_connection(("127.0.0.1", self.port), timeout=20) as plain,
            context.wrap_socket(plain, server_hostname=name) as link,
        ):
            link.sendall(f"GET /{path} HTTP/1.1\r\nhost: localhost:80\r\nconnection: close\r\n\r\n".encode())
            return int(link.recv(65_536).split(b" ")[1])


@pytest.fixture(scope="module", params=["authz", "proc"])
def mode(request: pytest.FixtureRequest) -> Any:
    return request.param


@pytest.fixture(scope="module")
def shop(mode: Mode) -> Iterator[Shop]:
    port = free_port()
    with TemporaryDirectory(prefix="mx-") as name:
        folder = Path(name)
        authority = Authority(folder, "ca")
        server = authority.issue("server", [x509.DNSName("localhost")], usage=ExtendedKeyUsageOID.SERVER_AUTH)
        caller = authority.issue("caller", [x509.UniformResourceIdentifier(WEB)]).to_client()
        config = folder / "policy.yaml"
        config.write_text(policies(port), encoding="utf-8")
        tls = DownstreamTls(certificate=server.certificate, key=server.key, client_ca=authority.file)
        setup = Setup(
            specs=("authorization-policy",),
            configs=(str(config),),
            mode=mode,
            port=port,
            tls=tls,
            echoes=("echo",),
        )
        stage = Stage(embedded(setup) if mode == "wasm" else setup)
        try:
            yield Shop(stage, caller, port)
        finally:
            stage.close()


@pytest.mark.parametrize("path", "port ip sni peer client namespace account domain header told".split())
def test_what_envoy_knows_reaches_the_decision(shop: Shop, path: str) -> None:
    assert shop.status(path) == 200


@pytest.mark.parametrize("path", "port ip sni peer client namespace".split())
def test_what_is_otherwise_is_refused(shop: Shop, path: str) -> None:
    assert shop.status(f"other-{path}") == 403


def test_another_name_and_no_certificate(shop: Shop) -> None:
    assert shop.status("sni", name="SHOP.test") == 200
    assert shop.status("sni", name="bank.test") == 403
    assert [shop.status(path, stranger=True) for path in ("namespace", "account", "domain")] == [403] * 3
    assert shop.status("port", stranger=True) == 200


def test_the_access_log_has_who_refused_and_what_a_dry_run_says(shop: Shop) -> None:
    assert shop.status("told?x=1") == 200
    line = shop.stage.logged("access", "GET /told?x=1", "meshext.authorization-policy")
    told = json.loads(line[line.index("{") : line.rindex("}") + 1])["meshext.authorization-policy"]
    assert told == {
        "audit": ["ns[shop]-policy[log]-rule[0]"],
        "dry_run": "denied",
        "dry_run_policy": "ns[shop]-policy[soon]-rule[0]",
    }
    assert shop.stage.logged(
        "audit ns[shop]-policy[log]-rule[0]: GET /told by spiffe://cluster.local/ns/shop/sa/web"
    )
    assert shop.status("nothing") == 403
    assert shop.stage.logged("access", "GET /nothing", "rbac_access_denied_matched_policy[none]")
