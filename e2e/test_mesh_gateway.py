"""Gateways in a mesh of processes: what comes in from outside, and what goes out, over real Envoys."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
import threading
from base64 import b64decode
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import pytest
import yaml
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from e2e.certificates import Authority, Pair, plain_client
from e2e.mesh.processes import wait_for
from e2e.mesh.shop import shop
from e2e.mesh.world import OUTBOUND, Member, World, mesh
from e2e.raw import RawUpstream, Seen, raw_upstream
from e2e.town import serve_tls
from meshext.envoy.admin import Admin
from meshext.envoy.upstreams import TcpAddress
from meshext.sandbox.client import Answer, send
from meshext_controlplane.agent.channels import open_channel
from meshext_controlplane.agent.svid import check_svid, key_from_pem
from meshext_controlplane.snapshot import SECRET
from meshext_controlplane.xds.ads import SERVICE
from meshext_proto.envoy.service.discovery.v3 import discovery_pb2
from meshext_proto.meshext import svids_pb2

pytestmark = [pytest.mark.envoy, pytest.mark.slow]

GATEWAYS = """
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: front, namespace: edge}
spec:
  selector: {gate: front}
  servers:
    - {port: {number: 8080, name: http, protocol: HTTP}, hosts: [shop.test, "*.open.test"]}
    - port: {number: 8081, name: http-old, protocol: HTTP}
      hosts: [shop.test]
      tls: {httpsRedirect: true}
    - port: {number: 8443, name: https, protocol: HTTPS}
      hosts: [shop.test, "*.shop.test"]
      tls: {mode: SIMPLE, credentialName: shop-cert}
    - port: {number: 8443, name: https-pay, protocol: HTTPS}
      hosts: [pay.shop.test]
      tls: {mode: MUTUAL, credentialName: pay-cert}
    - port: {number: 8443, name: https-maybe, protocol: HTTPS}
      hosts: [maybe.test]
      tls: {mode: OPTIONAL_MUTUAL, credentialName: pay-cert}
    - port: {number: 8443, name: https-missing, protocol: HTTPS}
      hosts: [missing.test]
      tls: {mode: SIMPLE, credentialName: nobody-has-it}
    - port: {number: 9443, name: through, protocol: TLS}
      hosts: [through.test]
      tls: {mode: PASSTHROUGH}
    - {port: {number: 7000, name: tcp, protocol: TCP}, hosts: ["*"]}
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: out, namespace: edge}
spec:
  selector: {gate: out}
  servers:
    - port: {number: 8443, name: mesh, protocol: HTTPS}
      hosts: [outside.test]
      tls: {mode: ISTIO_MUTUAL}
    - port: {number: 9443, name: through, protocol: TLS}
      hosts: [secure.test]
      tls: {mode: PASSTHROUGH}
"""
ROUTES = """
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: web, namespace: shop}
spec:
  hosts: [shop.test, "*.shop.test", "*.open.test", maybe.test]
  gateways: [edge/front]
  http:
    - match: [{uri: {prefix: /old/}}]
      rewrite: {uri: /new/}
      route: [{destination: {host: web}}]
    - route: [{destination: {host: web}}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: wires, namespace: shop}
spec:
  hosts: ["*"]
  gateways: [edge/front]
  tcp: [{match: [{port: 7000}], route: [{destination: {host: secure.test, port: {number: 443}}}]}]
  tls:
    - match: [{port: 9443, sniHosts: [through.test]}]
      route: [{destination: {host: secure.test, port: {number: 443}}}]
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: secure, namespace: shop}
spec:
  hosts: [secure.test]
  ports: [{number: 443, name: tls, protocol: TLS}]
  resolution: STATIC
  endpoints: [{address: 127.0.0.1, ports: {tls: SECURE}}]
"""
OUTSIDE = """
apiVersion: v1
kind: Service
metadata: {name: out, namespace: edge}
spec: {selector: {gate: out}, ports: [{name: https, port: 8443}, {name: tls, port: 9443}]}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: outside, namespace: shop}
spec:
  hosts: [outside.test]
  ports: [{number: 80, name: http, protocol: HTTP}]
  resolution: STATIC
  endpoints: [{address: 127.0.0.1, ports: {http: OUTSIDE}}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: outside, namespace: shop}
spec:
  hosts: [outside.test]
  gateways: [mesh, edge/out]
  http:
    - match: [{gateways: [mesh]}]
      route: [{destination: {host: out.edge.svc.cluster.local, port: {number: 8443}}}]
    - match: [{gateways: [edge/out]}]
      route: [{destination: {host: outside.test}}]
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: out, namespace: shop}
spec:
  host: out.edge.svc.cluster.local
  trafficPolicy:
    tls: {mode: ISTIO_MUTUAL, sni: outside.test}
    portLevelSettings: [{port: {number: 9443}, tls: {mode: DISABLE}}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: secure, namespace: shop}
spec:
  hosts: [secure.test]
  gateways: [mesh, edge/out]
  tls:
    - match: [{gateways: [mesh], port: 443, sniHosts: [secure.test]}]
      route: [{destination: {host: out.edge.svc.cluster.local, port: {number: 9443}}}]
    - match: [{gateways: [edge/out], port: 9443, sniHosts: [secure.test]}]
      route: [{destination: {host: secure.test, port: {number: 443}}}]
"""
FILTER = """\
from meshext import Filter, Request


class Stamp(Filter):
    def on_request(self, request: Request) -> None:
        request.headers["x-stamp"] = "front"
"""
STAMP = """
apiVersion: meshext.dev/v1
kind: FilterPolicy
metadata: {name: stamp, namespace: edge}
spec: {selector: {matchLabels: {gate: front}}, direction: gateway, filter: "FOLDER/stamp.py:Stamp"}
"""
POLICIES = """
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: front, namespace: edge}
spec:
  selector: {matchLabels: {gate: front}}
  action: DENY
  rules: [{to: [{operation: {paths: [/admin, "/admin/*"], ports: ["8080", "8443"]}}]}]
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: out, namespace: edge}
spec:
  selector: {matchLabels: {gate: out}}
  rules:
    - from: [{source: {principals: [cluster.local/ns/shop/sa/web]}}]
    - when: [{key: connection.sni, values: [secure.test]}]
"""


def secret(name: str, pair: Pair, authority: Path | None = None, namespace: str = "edge") -> str:
    """A Secret of a certificate, and of whom it believes."""
    entries = {"tls.crt": pair.certificate.read_text(), "tls.key": pair.key.read_text()}
    if authority is not None:
        entries["ca.crt"] = authority.read_text()
    meta = {"name": name, "namespace": namespace}
    document = {"apiVersion": "v1", "kind": "Secret", "metadata": meta, "type": "kubernetes.io/tls"}
    return yaml.safe_dump({**document, "stringData": entries})


def named(authority: Authority, file: str, *names: str) -> Pair:
    """A server's certificate."""
    usage = ExtendedKeyUsageOID.SERVER_AUTH
    return authority.issue(file, [x509.DNSName(name) for name in names], usage=usage)


@dataclass(frozen=True, slots=True)
class Edge:
    """A mesh with two gateways, and who may come in."""

    world: World
    front: Member
    authority: Authority
    client: Pair
    outside: RawUpstream

    def ask(self, port: int, host: str, path: str = "/", *lines: tuple[str, str]) -> Answer:
        """A request from outside, without TLS."""
        return send(f"http://{self.front.address}:{port}", "GET", path, host=host, headers=list(lines))

    @contextmanager
    def connected(
        self, name: str, *, context: ssl.SSLContext | None = None, port: int = 8443
    ) -> Iterator[ssl.SSLSocket]:
        """A connection with TLS that asks for that name."""
        with (
            socket.create_connection((self.front.address, port), timeout=20) as plain,
            (context or plain_client()).wrap_socket(plain, server_hostname=name) as wire,
        ):
            yield wire

    def shown(self, name: str, context: ssl.SSLContext | None = None) -> bytes:
        """The certificate that a client is shown that asks for that name."""
        with self.connected(name, context=context) as wire:
            return wire.getpeercert(binary_form=True) or b""

    def ask_tls(
        self, name: str, path: str = "/", *, host: str = "", context: ssl.SSLContext | None = None
    ) -> tuple[int, dict[str, Any]]:
        """Status and JSON of a request over TLS."""
        with self.connected(name, context=context) as wire:
            lines = (f"GET {path} HTTP/1.1", f"Host: {host or name}", "Connection: close", "", "")
            wire.sendall("\r\n".join(lines).encode())
            return read_answer(wire)


def read_answer(wire: socket.socket) -> tuple[int, dict[str, Any]]:
    """Status and JSON of an answer that ends with its connection; ConnectionError where there is none."""
    got = b""
    while more := wire.recv(65_536):
        got += more
    if not got:
        raise ConnectionResetError("no answer")
    head, _, body = got.partition(b"\r\n\r\n")
    found = json.loads(body) if body.startswith(b"{") else {}
    return int(head.split(b" ")[1]), found


def der(pair: Pair) -> bytes:
    """The bytes of the certificate."""
    return ssl.PEM_cert_to_DER_cert(pair.certificate.read_text())


@pytest.fixture(scope="module")
def edge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    folder = tmp_path_factory.mktemp("mesh")
    papers = tmp_path_factory.mktemp("papers")
    authority = Authority(papers, "ca")
    with ExitStack() as stack:
        server = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        own = named(authority, "application", "through.test")
        threading.Thread(target=serve_tls, args=(server, own, b"own"), daemon=True).start()
        outside = stack.enter_context(raw_upstream())
        secrets = [
            secret("shop-cert", named(authority, "shop", "shop.test", "*.shop.test")),
            secret("pay-cert", named(authority, "pay", "pay.shop.test", "maybe.test"), authority.file),
        ]
        documents = {
            **shop("web", "near"),
            "gateways.yaml": GATEWAYS,
            "routes.yaml": ROUTES.replace("SECURE", str(server.getsockname()[1])),
            "outside.yaml": OUTSIDE.replace("OUTSIDE", str(outside.port)),
            "policies.yaml": POLICIES,
            "secrets.yaml": "---\n".join(secrets),
            "stamp.yaml": STAMP.replace("FOLDER", str(folder)),
        }
        (folder / "stamp.py").write_text(FILTER)
        world = stack.enter_context(mesh(folder, documents))
        front = world.add_gateway("front-1")
        world.add_gateway("out-1")
        world.add("web-1")
        world.add("near-1")
        client = authority.issue("client", [x509.DNSName("client.test")])
        made = Edge(world, front, authority, client, outside)
        wait_for("the front answers", lambda: answers(made))
        yield made


def answers(edge: Edge) -> bool:
    with suppress(OSError):
        return edge.ask(8080, "shop.test").status == 200
    return False


def member(edge: Edge, name: str) -> Member:
    return next(each for each in edge.world.members if each.name == name)


def test_http_comes_in_and_goes_on_by_mtls(edge: Edge) -> None:
    answer = edge.ask(8080, "shop.test", "/old/x?a=b")
    told = json.loads(answer.text)
    assert (told["name"], told["path"]) == ("web-1", "/new/x?a=b")
    lines = {name.lower(): value for name, value in told["headers"].items()}
    assert "URI=spiffe://cluster.local/ns/edge/sa/front-1" in lines["x-forwarded-client-cert"]
    assert lines["x-stamp"] == "front"  # a filter in Python at the gateway


@pytest.mark.parametrize(
    ("host", "status"), [("a.open.test", 200), ("SHOP.test:8080", 200), ("else.test", 404)]
)
def test_hosts_that_a_gateway_does_not_have_are_not_found(edge: Edge, host: str, status: int) -> None:
    assert edge.ask(8080, host).status == status


def test_the_mesh_itself_does_not_see_what_is_for_gateways(edge: Edge) -> None:
    wait_for("one calls the other", lambda: member(edge, "near-1").reaches("web"))
    assert json.loads(member(edge, "near-1").call("http://web/old/x")["body"])["path"] == "/old/x"


def test_a_redirect_leads_to_the_port_with_tls(edge: Edge) -> None:
    answer = edge.ask(8081, "shop.test", "/x?a=b", ("x-forwarded-proto", "https"))
    location = dict(answer.headers)["location"]
    assert (answer.status, location) == (301, "https://shop.test:8443/x?a=b")


def test_each_name_has_its_certificate(edge: Edge) -> None:
    shown = {name: edge.shown(name) for name in ("shop.test", "a.shop.test", "maybe.test")}
    shop_pair = Pair(edge.authority.folder / "shop.pem", edge.authority.folder / "shop.key")
    pay_pair = Pair(edge.authority.folder / "pay.pem", edge.authority.folder / "pay.key")
    assert shown == {"shop.test": der(shop_pair), "a.shop.test": der(shop_pair), "maybe.test": der(pay_pair)}
    assert edge.ask_tls("shop.test")[1]["name"] == "web-1"


@pytest.mark.parametrize("name", ["missing.test", "else.test"])
def test_a_name_without_a_certificate_is_not_served(edge: Edge, name: str) -> None:
    with pytest.raises(OSError):  # noqa: PT011 - an alert or a reset, as the kernel has it
        edge.ask_tls(name)


def test_mutual_tls(edge: Edge) -> None:
    with pytest.raises(OSError):  # noqa: PT011
        edge.ask_tls("pay.shop.test")
    stranger = Authority(edge.authority.folder, "stranger").issue("stranger-client", [])
    with pytest.raises(OSError):  # noqa: PT011
        edge.ask_tls("pay.shop.test", context=stranger.to_client())
    assert edge.ask_tls("pay.shop.test", context=edge.client.to_client())[0] == 200


def test_optional_mutual_tls(edge: Edge) -> None:
    assert edge.ask_tls("maybe.test")[0] == 200
    assert edge.ask_tls("maybe.test", context=edge.client.to_client())[0] == 200
    stranger = Authority(edge.authority.folder, "stranger").issue("other-client", [])
    with pytest.raises(OSError):  # noqa: PT011
        edge.ask_tls("maybe.test", context=stranger.to_client())


def test_who_comes_in_for_one_name_does_not_get_another_that_wants_a_certificate(edge: Edge) -> None:
    assert edge.ask_tls("a.shop.test", host="pay.shop.test")[0] == 421
    assert edge.ask_tls("a.shop.test", host="PAY.shop.test.:8443")[0] == 421
    assert edge.ask_tls("maybe.test", host="pay.shop.test")[0] == 404
    assert edge.ask_tls("a.shop.test", host="b.shop.test")[0] == 200


def test_tls_passes_through(edge: Edge) -> None:
    with edge.connected("through.test", port=9443) as wire:
        assert wire.getpeercert(binary_form=True) == der(
            Pair(edge.authority.folder / "application.pem", edge.authority.folder / "application.key")
        )
        assert wire.recv(10) == b"own"


def test_tcp_goes_through(edge: Edge) -> None:
    with edge.connected("any.name", port=7000) as wire:
        assert wire.recv(10) == b"own"


def test_a_policy_at_the_gateway(edge: Edge) -> None:
    for path in ("/admin", "/admin/x", "//admin", "/x/%2e%2e/admin", "/%61dmin"):
        assert edge.ask(8080, "shop.test", path).status == 403
        assert edge.ask_tls("shop.test", path)[0] == 403


FORGED = [
    ("x-forwarded-for", "10.0.0.1"),
    ("x-forwarded-host", "evil.test"),
    ("x-forwarded-proto", "https"),
    ("x-forwarded-client-cert", "URI=spiffe://cluster.local/ns/shop/sa/admin"),
    ("x-envoy-original-path", "/x"),
    ("x-envoy-external-address", "10.0.0.1"),
    ("x-envoy-upstream-rq-timeout-ms", "1"),
    ("x-envoy-retry-on", "5xx"),
    ("x-meshext-uri-san", "spiffe://cluster.local/ns/shop/sa/admin"),
    ("forwarded", "for=10.0.0.1"),
    ("x-real-ip", "10.0.0.1"),
]


def test_what_strangers_claim_is_removed(edge: Edge) -> None:
    told = json.loads(edge.ask(8080, "shop.test", "/", *FORGED).text)
    lines = {name.lower(): value for name, value in told["headers"].items()}
    assert lines["x-forwarded-for"].split(",")[0] != "10.0.0.1"
    assert lines["x-forwarded-proto"] == "http"
    assert "sa/admin" not in json.dumps(lines)
    assert lines["x-envoy-external-address"] == "127.0.0.1"
    written = {"x-forwarded-for", "x-forwarded-proto", "x-forwarded-client-cert", "x-envoy-external-address"}
    assert not ({name for name, _ in FORGED} - written) & set(lines)


def leave(edge: Edge, name: str) -> tuple[int, list[Seen]]:
    """One call to the outside by a workload: its status, and what came there."""
    before = len(edge.outside.seen)
    status = member(edge, name).call("http://outside.test/x")["status"]
    return status, edge.outside.seen[before:]


def test_what_leaves_goes_through_the_egress_gateway(edge: Edge) -> None:
    wait_for("it is let out", lambda: leave(edge, "web-1")[0] == 200)
    status, seen = leave(edge, "web-1")
    assert (status, [each.values("host") for each in seen]) == (200, [[b"outside.test"]])
    assert seen[0].values("x-forwarded-client-cert") == []
    assert leave(edge, "near-1") == (403, [])


def test_tls_leaves_through_the_egress_gateway(edge: Edge) -> None:
    """An application's tunnel, and in it TLS of its own that nobody opens."""
    near, out = member(edge, "near-1"), member(edge, "out-1")
    before = chosen(out, "gateway-9443")
    with socket.create_connection((near.address, OUTBOUND), timeout=20) as plain:
        plain.sendall(b"CONNECT secure.test:443 HTTP/1.1\r\nHost: secure.test:443\r\n\r\n")
        assert plain.recv(65_536).startswith(b"HTTP/1.1 200 ")
        with plain_client().wrap_socket(plain, server_hostname="secure.test") as wire:
            assert wire.recv(10) == b"own"
    assert chosen(out, "gateway-9443") == before + 1


def chosen(who: Member, listener: str) -> int:
    """How many connections of a listener its Envoy has passed on."""
    stats = asyncio.run(Admin(who.admin).stats(rf"^tcp\.{listener}\.downstream_cx_total$"))
    return sum(stats.values())


def test_a_certificate_is_replaced_while_it_runs(edge: Edge) -> None:
    again = named(edge.authority, "shop-again", "shop.test", "*.shop.test")
    pay = Pair(edge.authority.folder / "pay.pem", edge.authority.folder / "pay.key")
    texts = [secret("shop-cert", again), secret("pay-cert", pay, edge.authority.file)]
    with edge.connected("shop.test") as held:
        edge.world.write("secrets.yaml", "---\n".join(texts))
        wait_for("the new one is shown", lambda: edge.shown("shop.test") == der(again))
        held.sendall(b"GET / HTTP/1.1\r\nHost: shop.test\r\nConnection: close\r\n\r\n")
        assert read_answer(held)[0] == 200  # nobody was cut off
    wait_for("all are synced", edge.world.synced)


def test_nobody_else_gets_the_certificate(edge: Edge) -> None:
    """Neither another gateway, nor a sidecar of the same namespace with the same labels."""
    asked = [f"secret|edge|{name}" for name in ("shop-cert", "pay-cert")]
    near = edge.world.add("pretender-1", namespace="edge", labels={"gate": "front"})
    wait_for("it runs", lambda: near.process.says("Envoy is ready"))
    assert ask_for(edge, member(edge, "front-1"), asked) == set(asked)
    for name in ("out-1", "web-1", "pretender-1"):
        assert ask_for(edge, member(edge, name), asked) == set(), name


def test_nobody_gets_the_configuration_of_a_gateway_with_another_certificate(edge: Edge) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        ask_for(edge, member(edge, "out-1"), ["secret|edge|shop-cert"], node="front-1.edge")
    assert caught.value.code() is grpc.StatusCode.PERMISSION_DENIED


def ask_for(edge: Edge, who: Member, names: list[str], *, node: str = "") -> set[str]:
    """The secrets that a proxy gets which asks for them with its own certificate."""
    stored = json.loads((who.folder / "data" / "svid.json").read_text())
    message = svids_pb2.Svid.FromString(b64decode(stored["svid"]))
    svid = check_svid(message, key_from_pem(stored["key"].encode()))

    async def ask() -> set[str]:
        async with open_channel(TcpAddress("127.0.0.1", edge.world.listen), svid) as channel:
            call: Any = channel.stream_stream(f"/{SERVICE}/DeltaAggregatedResources")()
            request = discovery_pb2.DeltaDiscoveryRequest(type_url=SECRET, resource_names_subscribe=names)
            request.node.id = node or f"{who.name}.{who.namespace}"
            await call.write(request.SerializeToString())
            async with asyncio.timeout(20):
                answer = await call.read()
            if answer is grpc.aio.EOF:
                raise grpc.aio.AioRpcError(
                    await call.code(), grpc.aio.Metadata(), grpc.aio.Metadata(), details=await call.details()
                )
            told = discovery_pb2.DeltaDiscoveryResponse.FromString(answer)
            assert {each.name for each in told.resources} | set(told.removed_resources) == set(names)
            return {each.name for each in told.resources}

    return asyncio.run(ask())


@pytest.mark.parametrize("words", [("get", "secret", "edge/shop-cert"), ("describe", "front-1")])
def test_what_people_see_has_no_key(edge: Edge, words: tuple[str, ...]) -> None:
    told = json.dumps(edge.world.ask(*words))
    key = next(each for each in (edge.authority.folder / "shop.key").read_text().split() if len(each) > 40)
    assert key not in told
    assert key not in edge.world.last_words()


def test_what_an_edit_would_change_is_shown_without_the_key(edge: Edge) -> None:
    pair = named(edge.authority, "edited", "else.test")
    text = secret("edited-cert", pair)
    gateway = (
        GATEWAYS.replace("nobody-has-it", "edited-cert")
        .split("---")[0]
        .replace("name: front,", "name: more,")
    )
    file = edge.world.folder / "edit.yaml"
    file.write_text(f"{text}---\n{gateway.replace('number: 8', 'number: 9')}")
    told = json.dumps(edge.world.ask("apply", "-f", str(file), "--dry-run"))
    assert "secret|edge|edited-cert" in told
    assert "<redacted>" in told
    key = next(each for each in pair.key.read_text().split() if len(each) > 40)
    assert key not in told


def test_a_gateway_starts_before_anything_is_for_it(edge: Edge) -> None:
    idle = edge.world.add_gateway("idle-1", "--sotw")
    wait_for("it runs", lambda: idle.process.says("knows this workload as READY"))
    gateway = """
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: idle, namespace: edge}
spec:
  selector: {gate: idle}
  servers:
    - {port: {number: 8080, name: http, protocol: HTTP}, hosts: [idle.test]}
    - port: {number: 8443, name: https, protocol: HTTPS}
      hosts: [idle.test]
      tls: {mode: SIMPLE, credentialName: idle-cert}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: idle, namespace: shop}
spec: {hosts: [idle.test], gateways: [edge/idle], http: [{directResponse: {status: 418}}]}
"""
    edge.world.write("idle.yaml", gateway)
    wait_for("it serves", lambda: answers_at(idle, "idle.test") == 418)
    own = named(edge.authority, "idle", "idle.test")
    edge.world.write("idle-cert.yaml", secret("idle-cert", own))
    wait_for("it has its certificate", lambda: answers_at(idle, "idle.test", tls=True) == 418)


def answers_at(gateway: Member, host: str, *, tls: bool = False) -> int:
    """The status of an answer, 0 where there is none."""
    with suppress(OSError):
        if not tls:
            return send(f"http://{gateway.address}:8080", "GET", "/", host=host).status
        with (
            socket.create_connection((gateway.address, 8443), timeout=20) as plain,
            plain_client().wrap_socket(plain, server_hostname=host) as wire,
        ):
            wire.sendall(f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
            return read_answer(wire)[0]
    return 0


def test_a_gateway_starts_without_the_control_plane(edge: Edge) -> None:
    shown = edge.shown("shop.test")
    edge.world.control_plane.kill()
    edge.front.process.kill()
    edge.front.process.restart()
    wait_for("it answers again", lambda: answers(edge))
    assert "stored resources are used" in edge.front.process.text
    assert edge.shown("shop.test") == shown
    with pytest.raises(OSError):  # noqa: PT011
        edge.ask_tls("pay.shop.test")
    edge.world.control_plane.restart()
    wait_for("all are back", edge.world.synced)
