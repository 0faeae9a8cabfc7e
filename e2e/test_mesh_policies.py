"""What security and telemetry documents make of a sidecar, in the real Envoy."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from typing import Any

import grpc
import h11
import pytest
from cryptography import x509

from e2e.certificates import Authority
from e2e.secrets_service import build_secrets, serving_secrets
from e2e.stage import received, wait_for
from meshext.envoy.echo import EchoServer
from meshext.envoy.process import EnvoyProcess
from meshext.sandbox.client import Answer, send
from meshext_controlplane.translate.translator import Translator
from meshext_proto.envoy.service.auth.v3 import external_auth_pb2
from meshext_proto.envoy.type.v3 import http_status_pb2
from tests.conformance.background import Background
from tests.controlplane.translation.bootstraps import to_bootstrap
from tests.controlplane.translation.meshes import parse_mesh, proxy_of

pytestmark = pytest.mark.envoy

KEY = b"a key of this test alone, 32 bytes"
SHOP = "http://127.1.7.1:8080"
CLOSED = "http://127.1.7.2:8080"
CHECK = "/envoy.service.auth.v3.Authorization/Check"


def encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


JWKS = json.dumps({"keys": [{"kty": "oct", "alg": "HS256", "k": encode(KEY)}]})
MESH = """
apiVersion: meshext.dev/v1
kind: MeshConfig
metadata: {name: mesh}
spec:
  extensionProviders:
    - {name: ask, envoyExtAuthzGrpc: {service: authz.shop.svc.cluster.local, port: AUTHZ, timeout: 5s}}
    - {name: ask-more, envoyExtAuthzGrpc: {service: authz.shop.svc.cluster.local, port: MORE, timeout: 5s}}
    - {name: dead, envoyExtAuthzGrpc: {service: authz.shop.svc.cluster.local, port: 1, statusOnError: "503"}}
    - {name: by-http, envoyExtAuthzHttp: {service: authz.shop.svc.cluster.local, port: AUTHZ}}
    - {name: lines, envoyFileAccessLog: {path: FOLDER/log, logFormat: {labels: {path: "%REQ(:PATH)%"}}}}
---
apiVersion: v1
kind: Service
metadata: {name: authz, namespace: shop}
spec:
  type: ExternalName
  externalName: 127.0.0.1
  ports: [{name: grpc, port: AUTHZ}, {name: grpc-more, port: MORE}, {name: grpc-dead, port: 1}]
---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: open, namespace: istio-system}
spec: {mtls: {mode: DISABLE}}
---
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: {name: tokens, namespace: shop}
spec:
  jwtRules:
    - issuer: https://issuer.test
      audiences: [shop]
      jwks: 'JWKS'
      outputClaimToHeaders: [{header: x-sub, claim: sub}]
    - {issuer: https://other.test, jwks: 'JWKS', fromHeaders: [{name: x-token}]}
    - issuer: https://fetched.test
      jwksUri: http://127.0.0.1:FETCHED/keys
      fromHeaders: [{name: x-fetched}]
    - {issuer: https://away.test, jwksUri: "http://127.0.0.1:1/keys", fromHeaders: [{name: x-away}]}
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: private, namespace: shop}
spec:
  action: DENY
  rules:
    - from: [{source: {notRequestPrincipals: ["https://issuer.test/*"]}}]
      to: [{operation: {paths: [/private]}}]
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: by-claim, namespace: shop}
spec:
  action: DENY
  rules:
    - to: [{operation: {paths: [/scope]}}]
      when: [{key: "request.auth.claims[scope]", notValues: [write]}]
    - to: [{operation: {paths: [/claims]}}]
      when: [{key: "request.auth.claims[role]", notValues: [admin]}]
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: ask, namespace: shop}
spec: {action: CUSTOM, provider: {name: ask}, rules: [{to: [{operation: {paths: [/ask, /both]}}]}]}
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: ask-more, namespace: shop}
spec: {action: CUSTOM, provider: {name: ask-more}, rules: [{to: [{operation: {paths: [/ask-more, /both]}}]}]}
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: ask-dead, namespace: shop}
spec: {action: CUSTOM, provider: {name: dead}, rules: [{to: [{operation: {paths: [/dead]}}]}]}
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: ask-nobody, namespace: shop}
spec: {action: CUSTOM, provider: {name: nobody}, rules: [{to: [{operation: {paths: [/nobody]}}]}]}
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: ask, namespace: wires}
spec: {action: CUSTOM, provider: {name: ask}, rules: [{to: [{operation: {ports: ["7001"]}}]}]}
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: ask-more, namespace: wires}
spec: {action: CUSTOM, provider: {name: ask-more}, rules: [{to: [{operation: {ports: ["7002"]}}]}]}
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: ask-by-http, namespace: wires}
spec: {action: CUSTOM, provider: {name: by-http}, rules: [{to: [{operation: {ports: ["7003"]}}]}]}
---
apiVersion: telemetry.istio.io/v1
kind: Telemetry
metadata: {name: seen, namespace: shop}
spec:
  accessLogging: [{providers: [{name: lines}], filter: {expression: "response.code == 401"}}]
  metrics:
    - providers: [{name: prometheus}]
      overrides: [{tagOverrides: {asked: {value: request.path}, response_flags: {operation: REMOVE}}}]
---
apiVersion: meshext.dev/v1
kind: FilterPolicy
metadata: {name: missing, namespace: closed}
spec: {filter: "nowhere:Missing"}
---
kind: Workload
name: shop
namespace: shop
address: 127.1.7.1
ports: [{number: 8080, application: "unix:FOLDER/echo.sock", protocol: http}]
---
kind: Workload
name: closed
namespace: closed
address: 127.1.7.2
ports: [{number: 8080, application: "unix:FOLDER/echo.sock", protocol: http}]
---
kind: Workload
name: wires
namespace: wires
address: 127.1.7.3
ports:
  - {number: 7001, application: "unix:FOLDER/echo.sock", protocol: tcp}
  - {number: 7002, application: "unix:FOLDER/echo.sock", protocol: tcp}
  - {number: 7003, application: "unix:FOLDER/echo.sock", protocol: tcp}
  - {number: 7004, application: "unix:FOLDER/echo.sock", protocol: tcp}
"""


@dataclass(slots=True)
class Authorizer(grpc.GenericRpcHandler):
    """Lets in who has the header `x-good`, and with `wires` any connection; counts who was asked about."""

    asked: Counter[str] = field(default_factory=Counter)
    wires: bool = False

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler[Any, Any] | None:
        if details.method != CHECK:
            return None
        return grpc.unary_unary_rpc_method_handler(
            lambda request, _: self.check(request),
            request_deserializer=external_auth_pb2.CheckRequest.FromString,
            response_serializer=external_auth_pb2.CheckResponse.SerializeToString,
        )

    def check(self, request: external_auth_pb2.CheckRequest) -> external_auth_pb2.CheckResponse:
        http = request.attributes.request.http
        self.asked[http.path] += 1
        answer = external_auth_pb2.CheckResponse()
        if "x-good" not in http.headers and not (self.wires and not http.method):
            answer.status.code = 7
            answer.denied_response.status.code = http_status_pb2.Forbidden
            answer.denied_response.body = "not good"
        return answer


@contextmanager
def serving(authorizer: Authorizer) -> Iterator[int]:
    """The authorizer on a port of its own."""
    with ThreadPoolExecutor(2) as pool:
        server = grpc.server(pool, handlers=[authorizer])
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        try:
            yield port
        finally:
            server.stop(None).wait()


class Keys(BaseHTTPRequestHandler):
    """Answers with the key set."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("content-length", str(len(JWKS)))
        self.end_headers()
        self.wfile.write(JWKS.encode())

    def log_message(self, *_: object) -> None:
        """Nothing on the terminal."""


@contextmanager
def serving_keys() -> Iterator[int]:
    """The key set on a port of its own."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Keys) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


@dataclass(frozen=True, slots=True)
class Place:
    """The running sidecars."""

    folder: Path
    background: Background
    envoy: EnvoyProcess
    ask: Authorizer
    more: Authorizer

    def call(self, path: str, *headers: tuple[str, str]) -> Answer:
        return send(SHOP, "GET", path, headers=list(headers))


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    with TemporaryDirectory(prefix="mx-") as name, ExitStack() as stack:
        folder, background = Path(name), Background()
        stack.callback(background.close)
        ask, more = Authorizer(), Authorizer(wires=True)
        ports = [stack.enter_context(serving(each)) for each in (ask, more)]
        fetched = stack.enter_context(serving_keys())
        server = EchoServer("shop")
        background.run(server.start(f"unix:{folder}/echo.sock"))
        stack.callback(lambda: background.run(server.__aexit__(None, None, None)))
        text = MESH.replace("FOLDER", name).replace("JWKS", JWKS).replace("FETCHED", str(fetched))
        mesh = parse_mesh(text.replace("AUTHZ", str(ports[0])).replace("MORE", str(ports[1])))
        authority = Authority(folder, "ca")
        pair = authority.issue("a", [x509.UniformResourceIdentifier("spiffe://cluster.local/ns/a/sa/a")])
        stack.enter_context(serving_secrets(folder / "sds.sock", build_secrets(pair, authority.file)))
        translator = Translator(mesh)
        envoys: list[EnvoyProcess] = []
        for workload in mesh.workloads:
            own = folder / workload.name
            own.mkdir()
            bootstrap = to_bootstrap(translator.snapshot(proxy_of(workload)), sds=folder / "sds.sock")
            envoy = background.run(EnvoyProcess.start(json.dumps(bootstrap), own, concurrency=1))
            stack.callback(stop, background, envoy)
            envoys.append(envoy)
        yield Place(folder, background, envoys[0], ask, more)


def stop(background: Background, envoy: EnvoyProcess) -> None:
    background.run(envoy.stop())


def token(key: bytes = KEY, **claims: object) -> str:
    """A signed token (RFC 7519)."""
    body = {"iss": "https://issuer.test", "aud": "shop", "sub": "ann", "exp": 4_000_000_000, **claims}
    parts = ".".join(encode(json.dumps(each).encode()) for each in ({"alg": "HS256"}, body))
    return f"{parts}.{encode(hmac.digest(key, parts.encode(), hashlib.sha256))}"


def bearer(text: str) -> tuple[str, str]:
    return ("authorization", f"Bearer {text}")


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/", [], 200),
        ("/", [bearer(token())], 200),
        ("/", [bearer(token(key=b"another key, of the same length..."))], 401),
        ("/", [bearer(token(exp=1))], 401),
        ("/", [bearer(token(aud="elsewhere"))], 403),
        ("/", [bearer("none")], 401),
        ("/", [("x-token", token(iss="https://other.test"))], 200),
        ("/private", [], 403),
        ("/private", [bearer(token())], 200),
        ("/private", [("x-token", token(iss="https://other.test"))], 403),
        ("/%70rivate", [], 403),
        ("//private", [], 403),
        ("/scope", [bearer(token(scope="read"))], 403),
        ("/scope", [bearer(token(scope="read write"))], 200),
        ("/claims", [bearer(token(role="user"))], 403),
        ("/claims", [bearer(token(role="admin"))], 200),
        ("/claims", [bearer(token(role=["user", "admin"]))], 200),
    ],
)
def test_tokens(place: Place, path: str, headers: list[tuple[str, str]], status: int) -> None:
    assert place.call(path, *headers).status == status


def test_keys_are_fetched_and_nobody_is_believed_before(place: Place) -> None:
    signed = token(iss="https://fetched.test")
    assert wait_for(lambda: place.call("/", ("x-fetched", signed)).status == 200)
    forged = token(key=b"another key, of the same length...", iss="https://fetched.test")
    assert place.call("/", ("x-fetched", forged)).status == 401
    assert place.call("/", ("x-away", token(iss="https://away.test"))).status == 401


def test_a_claim_goes_to_the_application_and_the_token_does_not(place: Place) -> None:
    answer = place.call("/", bearer(token()), ("x-sub", "forged"))
    assert received(answer, "x-sub") == ["ann"]
    assert received(answer, "authorization") == []


GOOD = ("x-good", "1")


@pytest.mark.parametrize(
    ("path", "headers", "status", "asked"),
    [
        ("/ask", [GOOD], 200, ["ask"]),
        ("/ask", [], 403, ["ask"]),
        ("/ask-more", [GOOD], 200, ["more"]),
        ("/ask-more", [], 403, ["more"]),
        ("/both", [GOOD], 200, ["ask", "more"]),
        ("/both", [], 403, ["ask"]),
        ("/else", [], 200, []),
        ("/dead", [GOOD], 503, []),
        ("/nobody", [GOOD], 403, []),
    ],
)
def test_custom(
    place: Place, path: str, headers: list[tuple[str, str]], status: int, asked: list[str]
) -> None:
    before = {"ask": place.ask.asked.copy(), "more": place.more.asked.copy()}
    assert place.call(path, *headers).status == status
    now = {"ask": place.ask.asked, "more": place.more.asked}
    assert [name for name in now if now[name] - before[name]] == asked


@pytest.mark.parametrize(
    ("port", "served", "asked"),
    [(7001, False, (1, 0)), (7002, True, (0, 1)), (7003, False, (0, 0)), (7004, True, (0, 0))],
)
def test_custom_over_tcp(place: Place, port: int, served: bool, asked: tuple[int, int]) -> None:
    """Asked about the connection; by a provider that only knows HTTP nothing is let in."""
    before = place.ask.asked.total(), place.more.asked.total()
    if served:
        assert send(f"http://127.1.7.3:{port}").status == 200
    else:
        with pytest.raises((h11.RemoteProtocolError, OSError)):
            send(f"http://127.1.7.3:{port}")
    now = place.ask.asked.total(), place.more.asked.total()
    assert (now[0] - before[0], now[1] - before[1]) == asked


def test_a_filter_that_does_not_load_lets_nothing_in(place: Place) -> None:
    assert send(CLOSED).status == 403


def test_what_the_log_asks_for_is_written(place: Place) -> None:
    place.call("/logged", bearer("none"))
    place.call("/unlogged")
    log = place.folder / "log"
    assert wait_for(lambda: log.exists() and "/logged" in log.read_text())
    assert {json.loads(line)["path"] for line in log.read_text().splitlines()} <= {"/", "/logged"}


def test_requests_are_counted_with_tags(place: Place) -> None:
    place.call("/counted")
    shown = place.background.run(place.envoy.admin.get("/stats/prometheus")).decode()
    (line,) = [
        each
        for each in shown.splitlines()
        if each.startswith("envoy_istio_requests_total{") and '"/counted"' in each
    ]
    for tag in ('reporter="destination"', 'response_code="200"', 'asked="/counted"'):
        assert tag in line
    assert "response_flags" not in line
