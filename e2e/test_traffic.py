"""Rules of traffic in real Envoys: what becomes of requests and connections that an application sends."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from functools import partial

import pytest
from cryptography import x509

from e2e.raw import RawUpstream
from e2e.stage import echo, received, wait_for
from e2e.town import Town, call_grpc, issue, opened, serve_tls
from meshext.sandbox.client import send
from tests.ports import free_port

pytestmark = pytest.mark.envoy

MESH = """
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec:
  selector: {app: web}
  ports:
    - {name: http, port: 80, targetPort: 8080}
    - {name: grpc, port: 9000}
    - {name: tcp, port: 7000, targetPort: 8080}
---
apiVersion: v1
kind: Service
metadata: {name: sticky, namespace: shop}
spec: {selector: {app: web}, ports: [{name: http, port: 80, targetPort: 8080}]}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: outside, namespace: shop}
spec:
  hosts: [outside.example.com]
  ports: [{number: 80, protocol: HTTP, name: http}, {number: 443, protocol: TLS, name: tls}]
  resolution: STATIC
  endpoints: [{address: 127.0.0.1, ports: {http: OUTSIDE, tls: OUTSIDE}}]
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: told, namespace: shop}
spec:
  hosts: [told.example.com]
  ports: [{number: 80, protocol: HTTP, name: http}]
  resolution: STATIC
  endpoints: [{address: 127.0.0.1, ports: {http: OUTSIDE}}]
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: told, namespace: shop}
spec: {host: told.example.com, trafficPolicy: {proxyProtocol: {}}}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: shaky, namespace: shop}
spec:
  hosts: [shaky.example.com]
  ports: [{number: 80, protocol: HTTP, name: http}]
  resolution: STATIC
  endpoints: [{address: 127.0.0.1, ports: {http: OUTSIDE}}, {address: 127.0.0.1, ports: {http: NOBODY}}]
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: as-asked, namespace: shop}
spec: {hosts: ["127.0.0.1"], ports: [{number: OUTSIDE, protocol: HTTP, name: http}]}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: secure, namespace: shop}
spec:
  hosts: [secure.example.com, other.example.com, unverified.example.com]
  ports: [{number: 80, protocol: HTTP, name: http}]
  resolution: STATIC
  endpoints: [{address: 127.0.0.1, ports: {http: SECURE}}]
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: secure, namespace: shop}
spec: {host: "*.example.com", trafficPolicy: {tls: {mode: SIMPLE, caCertificates: FOLDER/ours.pem}}}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: unverified, namespace: shop}
spec: {host: unverified.example.com, trafficPolicy: {tls: {mode: SIMPLE, insecureSkipVerify: true}}}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: outside, namespace: shop}
spec: {host: outside.example.com}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: shaky, namespace: shop}
spec: {host: shaky.example.com}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: web, namespace: shop}
spec:
  host: web
  subsets: [{name: v1, labels: {version: v1}}, {name: v2, labels: {version: v2}}]
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: sticky, namespace: shop}
spec: {host: sticky, trafficPolicy: {loadBalancer: {consistentHash: {httpHeaderName: x-user}}}}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: parts, namespace: shop}
spec:
  http:
    - {match: [{uri: {prefix: /parts/two}}], route: [{destination: {host: web, subset: v2}}]}
    - {match: [{uri: {prefix: /elsewhere}}], route: [{destination: {host: web, subset: v2}}]}
    - {route: [{destination: {host: web, subset: v1}}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: web, namespace: shop}
spec:
  hosts: [web]
  http:
    - match: [{uri: {prefix: /split}}]
      route:
        - {destination: {host: web, subset: v1}, weight: 50}
        - {destination: {host: web, subset: v2}, weight: 50}
    - match: [{headers: {x-version: {regex: "2|two"}}, withoutHeaders: {x-not: {exact: "1"}}}]
      route: [{destination: {host: web, subset: v2}}]
    - match: [{queryParams: {version: {exact: "2"}}}]
      route: [{destination: {host: web, subset: v2}}]
    - match: [{uri: {prefix: /headers}}]
      headers:
        request: {set: {x-set: new, Host: other.example}, add: {x-add: second}, remove: [x-gone]}
        response: {set: {x-answer: "%PROTOCOL% 100%%"}, remove: [content-type]}
      route: [{destination: {host: web, subset: v1}}]
    - match: [{uri: {prefix: /parts}}]
      delegate: {name: parts}
      headers: {request: {set: {x-part: given}}}
    - match: [{uri: {prefix: /old/}}]
      rewrite: {uri: /new/}
      route: [{destination: {host: web, subset: v1}}]
    - match: [{uri: {regex: "/r/[a-z]+/.*"}}]
      rewrite:
        uriRegexRewrite: {match: "^/r/([a-z]+)/(.*)$", rewrite: "/\\\\2/\\\\1"}
        authority: new.example
      route: [{destination: {host: web, subset: v1}}]
    - match: [{uri: {exact: /redirect}}]
      redirect: {uri: /there, authority: there.example.com, scheme: https, redirectCode: 308}
    - match: [{uri: {exact: /answer}, method: {exact: GET}}]
      directResponse: {status: 418, body: {string: tea}}
    - match: [{uri: {prefix: /fault}}]
      fault: {abort: {httpStatus: 555, percentage: {value: 100}}}
      route: [{destination: {host: web}}]
    - match: [{uri: {prefix: /never-at-fault}}]
      fault: {abort: {httpStatus: 555}}
      route: [{destination: {host: web, subset: v1}}]
    - match: [{uri: {prefix: /mirror}}]
      mirrors: [{destination: {host: outside.example.com, port: {number: 80}}}]
      route: [{destination: {host: web, subset: v1}}]
    - match: [{uri: {prefix: /cors}}]
      corsPolicy:
        allowOrigins: [{exact: "https://a.example"}]
        allowMethods: [PUT]
        unmatchedPreflights: IGNORE
      route: [{destination: {host: web, subset: v1}}]
    - match: [{uri: {prefix: /gone}}]
      route: [{destination: {host: web, subset: v9}}]
    - match: [{uri: {prefix: /for-us}, sourceLabels: {app: client}}]
      route: [{destination: {host: web, subset: v2}}]
    - match: [{uri: {prefix: /for-others}, sourceLabels: {app: other}}]
      directResponse: {status: 500}
    - route: [{destination: {host: web, subset: v1}}]
---
kind: Workload
name: client
namespace: shop
address: 127.61.0.1
labels: {app: client}
---
kind: Workload
name: web-1
namespace: shop
address: 127.61.0.2
labels: {app: web, version: v1}
ports:
  - {number: 8080, application: "unix:FOLDER/web-1.sock"}
  - {number: 9000, application: "unix:FOLDER/grpc.sock"}
---
kind: Workload
name: web-2
namespace: shop
address: 127.61.0.3
labels: {app: web, version: v2}
ports: [{number: 8080, application: "unix:FOLDER/web-2.sock"}]
"""


@pytest.fixture(scope="module")
def outside() -> Iterator[RawUpstream]:
    upstream = RawUpstream()
    yield upstream
    upstream.close()


@pytest.fixture(scope="module")
def town(outside: RawUpstream) -> Iterator[Town]:
    text = MESH.replace("OUTSIDE", str(outside.port)).replace("NOBODY", str(free_port()))
    answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        opened(text.replace("SECURE", str(server.getsockname()[1]))) as found,
    ):
        own = issue(found.ours, "secure", [x509.DNSName("secure.example.com")])
        serve = partial(serve_tls, server, own, answer, hear=True)
        threading.Thread(target=serve, daemon=True).start()
        yield found


def served_by(town: Town, path: str, **headers: str) -> str:
    """Which workload has answered."""
    answer = town.call(f"http://web{path}", **headers)
    assert answer.status == 200, answer.text
    name: str = echo(answer)["upstream"]
    return name


def test_weights(town: Town) -> None:
    assert {served_by(town, "/split") for _ in range(60)} == {"web-1", "web-2"}


@pytest.mark.parametrize(
    ("path", "headers", "wanted"),
    [
        ("/", {}, "web-1"),
        ("/", {"x_version": "two"}, "web-2"),
        ("/", {"x_version": "22"}, "web-1"),
        ("/", {"x_version": "2", "x_not": "1"}, "web-1"),
        ("/?version=2", {}, "web-2"),
        ("/?version=22", {}, "web-1"),
        ("/for-us", {}, "web-2"),
        ("/for-others", {}, "web-1"),
        ("/never-at-fault", {}, "web-1"),
    ],
)
def test_matches(town: Town, path: str, headers: dict[str, str], wanted: str) -> None:
    assert served_by(town, path, **headers) == wanted


def test_a_part_is_left_to_another_document(town: Town) -> None:
    assert [served_by(town, path) for path in ("/parts/one", "/parts/two", "/elsewhere")] == [
        "web-1",
        "web-2",
        "web-1",
    ]
    assert received(town.call("http://web/parts/two"), "x-part") == ["given"]


def test_header_fields(town: Town) -> None:
    answer = town.call("http://web/headers", x_set="old", x_add="first", x_gone="here")
    seen = {name: received(answer, name) for name in ("x-set", "x-add", "x-gone")}
    assert seen == {"x-set": ["new"], "x-add": ["first", "second"], "x-gone": []}
    assert echo(answer)["host"] == "other.example"
    assert answer.header("x-answer") == "HTTP/1.1 100%"
    assert answer.header("content-type") is None


def test_rewrites(town: Town) -> None:
    assert echo(town.call("http://web/old/a?b=c"))["target"] == "/new/a?b=c"
    answer = echo(town.call("http://web/r/one/two?b=c"))
    assert (answer["target"], answer["host"]) == ("/two/one?b=c", "new.example")


@pytest.mark.parametrize("path", ["//old/x", "/%6Fld/x", "/a/../old/x", "/old%2fx", "/a/%2e%2e/old/x"])
def test_paths_are_plain_before_rules_look(town: Town, path: str) -> None:
    assert echo(town.call(f"http://web{path}"))["target"] == "/new/x"


def test_answers_of_the_sidecar(town: Town) -> None:
    redirect = town.call("http://web/redirect")
    assert (redirect.status, redirect.header("location")) == (308, "https://there.example.com/there")
    tea = town.call("http://web/answer")
    assert (tea.status, tea.text) == (418, "tea")
    assert town.call("http://web/answer", "POST").status == 200
    assert town.call("http://web/fault").status == 555
    assert town.call("http://web/gone").status == 503


def test_cors(town: Town) -> None:
    ask = {"access_control_request_method": "PUT"}
    allowed = town.call("http://web/cors", "OPTIONS", origin="https://a.example", **ask)
    assert (allowed.status, allowed.header("access-control-allow-methods")) == (200, "PUT")
    assert allowed.header("access-control-allow-origin") == "https://a.example"
    other = town.call("http://web/cors", "OPTIONS", origin="https://b.example", **ask)
    assert other.header("access-control-allow-origin") is None


def test_mirrors(town: Town, outside: RawUpstream) -> None:
    assert served_by(town, "/mirror/of-this") == "web-1"
    assert wait_for(lambda: any(each.path == "/mirror/of-this" for each in outside.seen))


def test_a_dead_endpoint_is_passed_over(town: Town) -> None:
    assert {town.call("http://shaky.example.com/").status for _ in range(20)} == {200}


def test_a_user_stays_with_an_endpoint(town: Town) -> None:
    found = {}
    for user in map(str, range(12)):
        one = {echo(town.call("http://sticky/", x_user=user))["upstream"] for _ in range(4)}
        assert len(one) == 1
        found[user] = one.pop()
    assert set(found.values()) == {"web-1", "web-2"}


def test_hosts_outside(town: Town, outside: RawUpstream) -> None:
    for url in ("http://outside.example.com/static", f"http://127.0.0.1:{outside.port}/as-asked"):
        assert town.call(url).status == 200
        assert outside.seen[-1].path == f"/{url.rpartition('/')[2]}"


def test_an_endpoint_is_told_of_the_client(town: Town, outside: RawUpstream) -> None:
    assert town.call("http://told.example.com/told").status == 200
    line, _, head = outside.seen[-1].head.partition(b"\r\n")
    assert line.startswith(b"PROXY TCP4 127.0.0.1 ")
    assert head.startswith(b"GET /told HTTP/1.1\r\n")


def test_hosts_that_nobody_names_are_looked_up(town: Town, outside: RawUpstream) -> None:
    assert town.call(f"http://localhost:{outside.port}/localhost").status == 200
    assert outside.seen[-1].values("host") == [f"localhost:{outside.port}".encode()]


@pytest.mark.parametrize(("host", "status"), [("secure", 200), ("other", 503), ("unverified", 200)])
def test_tls_that_a_rule_begins_proves_the_host(town: Town, host: str, status: int) -> None:
    assert town.call(f"http://{host}.example.com/").status == status


@pytest.mark.parametrize(
    "authority", ["outside.example.com:443", "web:80", "web.shop:7000", "localhost:OUTSIDE"]
)
def test_tunnels(town: Town, outside: RawUpstream, authority: str) -> None:
    authority = authority.replace("OUTSIDE", str(outside.port))
    with socket.create_connection(("127.61.0.1", 15001), timeout=20) as wire:
        wire.sendall(f"CONNECT {authority} HTTP/1.1\r\nhost: {authority}\r\n\r\n".encode())
        assert wire.recv(65536).startswith(b"HTTP/1.1 200")
        wire.sendall(b"GET /inside HTTP/1.1\r\nhost: inside\r\nconnection: close\r\n\r\n")
        assert wire.recv(65536).startswith(b"HTTP/1.1 200")


def test_grpc_through_a_tunnel(town: Town) -> None:
    """What grpcio does where the environment has an HTTP proxy."""
    assert call_grpc("dns:///web.shop:9000", grpc_http_proxy=town.proxy) == b"hello"


def test_a_tcp_service_has_a_port(town: Town) -> None:
    answer = send("http://127.61.0.1:7000", target="/by-tcp")
    assert echo(answer)["target"] == "/by-tcp"


def test_headers_that_look_alike_are_refused(town: Town) -> None:
    lines = [("x_user", "admin")]
    assert send(town.proxy, "GET", "http://web/", host="web", headers=lines).status == 400


def test_too_many_headers_are_refused(town: Town) -> None:
    lines = [(f"x-{number}", "") for number in range(200)]
    assert send(town.proxy, "GET", "http://web/", host="web", headers=lines).status == 431
