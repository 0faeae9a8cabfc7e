"""A gateway and a Sidecar in real Envoys, where processes of a mesh would only take longer."""

from __future__ import annotations

from collections.abc import Iterator

import grpc
import pytest
from cryptography import x509

from e2e.certificates import Authority
from e2e.raw import RawUpstream, raw_upstream
from e2e.stage import echo
from e2e.test_mesh_gateway import named, secret
from e2e.town import Town, call_grpc, opened, peers_told
from meshext.sandbox.client import send

pytestmark = pytest.mark.envoy

MESH = """
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {selector: {app: web}, ports: [{name: http, port: 80, targetPort: 8080}, {name: grpc, port: 9000}]}
---
apiVersion: v1
kind: Service
metadata: {name: ledger, namespace: bank}
spec: {ports: [{name: http, port: 80}]}
---
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {name: default, namespace: shop}
spec: {egress: [{hosts: ["./*"]}], outboundTrafficPolicy: {mode: REGISTRY_ONLY}}
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: front, namespace: shop}
spec:
  selector: {gate: front}
  servers:
    - {port: {number: 9000, name: grpc, protocol: GRPC}, hosts: [grpc.test]}
    - port: {number: 9443, name: grpc-tls, protocol: HTTPS}
      hosts: [grpc.test]
      tls: {mode: MUTUAL, credentialName: front}
    - {port: {number: 8080, name: http, protocol: HTTP2}, hosts: ["*.test"]}
    - {port: {number: 8081, name: out, protocol: HTTP}, hosts: ["*"]}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: as-asked, namespace: shop}
spec: {hosts: ["127.0.0.1"], ports: [{number: OUTSIDE, protocol: HTTP, name: http}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: as-asked, namespace: shop}
spec:
  hosts: ["127.0.0.1", "*"]
  gateways: [front]
  http: [{match: [{port: 8081}], route: [{destination: {host: "127.0.0.1"}}]}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: grpc, namespace: shop}
spec:
  hosts: [grpc.test]
  gateways: [front]
  http: [{route: [{destination: {host: web, port: {number: 9000}}}]}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: both, namespace: shop}
spec:
  hosts: [web.test]
  gateways: [front]
  http:
    - match: [{uri: {prefix: /part}}]
      fault: {abort: {httpStatus: 418, percentage: {value: 100}}}
      route: [{destination: {host: web, port: {number: 80}}}]
    - corsPolicy: {allowOrigins: [{exact: "https://page.test"}]}
      route: [{destination: {host: web, port: {number: 80}}}]
---
kind: Workload
name: web
namespace: shop
address: 127.62.0.1
labels: {app: web}
ports:
  - {number: 8080, application: "unix:FOLDER/web.sock"}
  - {number: 9000, application: "unix:FOLDER/grpc.sock"}
---
kind: Workload
name: front
namespace: shop
address: 127.62.0.2
gateway: true
labels: {gate: front}
"""


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("papers"), "ca")


@pytest.fixture(scope="module")
def outside() -> Iterator[RawUpstream]:
    with raw_upstream() as upstream:
        yield upstream


@pytest.fixture(scope="module")
def town(authority: Authority, outside: RawUpstream) -> Iterator[Town]:
    own = named(authority, "front", "grpc.test")
    text = f"{MESH}---\n{secret('front', own, authority.file, 'shop')}"
    with opened(text.replace("OUTSIDE", str(outside.port))) as found:
        yield found


def test_grpc_without_tls(town: Town) -> None:
    assert call_grpc("127.62.0.2:9000", grpc_default_authority="grpc.test") == b"hello"


def test_grpc_by_mutual_tls(town: Town, authority: Authority) -> None:
    client = authority.issue("client", [x509.DNSName("client.test")])
    credentials = grpc.ssl_channel_credentials(
        authority.file.read_bytes(), client.key.read_bytes(), client.certificate.read_bytes()
    )
    options = [("grpc.ssl_target_name_override", "grpc.test")]
    with grpc.secure_channel("127.62.0.2:9443", credentials, options) as channel:
        ask: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary("/town.Echo/Unary")
        assert ask(b"hello", timeout=20, wait_for_ready=True) == b"hello"


def test_rules_of_traffic_hold_at_a_gateway(town: Town) -> None:
    answer = send("http://127.62.0.2:8080", "GET", "/x", host="web.test")
    assert echo(answer)["upstream"] == "web"
    assert peers_told(answer) == [
        "By=spiffe://cluster.local/ns/shop/sa/web;URI=spiffe://cluster.local/ns/shop/sa/front"
    ]
    assert send("http://127.62.0.2:8080", "GET", "/part", host="web.test").status == 418
    asked = [("origin", "https://page.test"), ("access-control-request-method", "GET")]
    answer = send("http://127.62.0.2:8080", "OPTIONS", "/x", host="web.test", headers=asked)
    assert dict(answer.headers)["access-control-allow-origin"] == "https://page.test"


def test_nothing_is_told_of_envoy_and_there_is_no_way_through(town: Town) -> None:
    answer = send("http://127.62.0.2:8080", "GET", "/x", host="web.test")
    assert not [name for name, _ in answer.headers if name.lower().startswith("x-envoy-")]
    assert send("http://127.62.0.2:8080", "CONNECT", "web.test:80", host="web.test:80").status in (403, 404)


def test_a_gateway_is_no_open_proxy(town: Town, outside: RawUpstream) -> None:
    """What goes where a request asks goes to the hosts and ports of its service, and nowhere else."""
    asked = {
        f"127.0.0.1:{outside.port}": 200,
        "127.0.0.1:15001": 404,
        "127.0.0.1:22": 404,
        f"localhost:{outside.port}": 503,
        f"127.62.0.1:{outside.port}": 503,
    }
    found = {host: send("http://127.62.0.2:8081", "GET", "/x", host=host).status for host in asked}
    assert found == asked
    assert len(outside.seen) == 1


def test_an_application_does_not_reach_what_its_sidecar_does_not_see(town: Town) -> None:
    assert town.call("http://web/x").status == 200
    assert town.call("http://ledger.bank/x").status == 502
