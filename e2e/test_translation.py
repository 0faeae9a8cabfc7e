"""What the translation writes, in real Envoys side by side: mTLS between sidecars, and whom they let in."""

from __future__ import annotations

import json
import re
import socket
import ssl
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import grpc
import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from e2e.certificates import Authority, Pair, plain_client
from e2e.secrets_service import build_secrets, serving_secrets
from e2e.stage import echo, received
from meshext.envoy.echo import EchoServer
from meshext.envoy.process import EnvoyProcess
from meshext.sandbox.client import Answer, send
from meshext_controlplane.model.mesh import Mesh
from meshext_controlplane.model.workload import Workload
from meshext_controlplane.translate.peer_authentication import MtlsMode
from meshext_controlplane.translate.policies import Policies
from meshext_controlplane.translate.translator import Translator
from tests.conformance.background import Background
from tests.controlplane.translation.bootstraps import to_bootstrap
from tests.controlplane.translation.meshes import parse_mesh, proxy_of

pytestmark = pytest.mark.envoy

MESH = """
apiVersion: v1
kind: Service
metadata: {name: checkout, namespace: shop}
spec:
  selector: {app: checkout}
  ports:
    - {name: http, port: 80, targetPort: 8080}
    - {name: grpc, port: 9000}
    - {name: http-open, port: 81, targetPort: 8081}
    - {name: http-plain, port: 82, targetPort: 8082}
---
kind: Workload
name: storefront
namespace: shop
address: 127.1.0.1
---
kind: Workload
name: checkout
namespace: shop
address: 127.1.0.2
labels: {app: checkout}
ports:
  - {number: 8080, application: "unix:FOLDER/echo.sock"}
  - {number: 8081, application: "unix:FOLDER/echo.sock"}
  - {number: 8082, application: "unix:FOLDER/echo.sock"}
  - {number: 9000, application: "unix:FOLDER/grpc.sock"}
"""
MODES = {8081: MtlsMode.PERMISSIVE, 8082: MtlsMode.DISABLE}


PEERS = "By=spiffe://cluster.local/ns/shop/sa/checkout;URI=spiffe://cluster.local/ns/shop/sa/storefront"


class Modes(Policies):
    """STRICT, with a port for each of the other modes."""

    def mtls_mode(self, workload: Workload, port: int) -> MtlsMode:
        return MODES.get(port, MtlsMode.STRICT)


@dataclass(frozen=True, slots=True)
class Town:
    """Two sidecars of a mesh, and the papers to come without one."""

    ours: Authority
    papers: dict[str, Pair]
    background: Background
    proxy: str = "http://127.1.0.1:15001"

    def call(self, url: str) -> Answer:
        """What the storefront's application does: ask its HTTP proxy."""
        return send(self.proxy, "GET", url, host=url.split("/")[2])


def peers_told(answer: Answer) -> list[str]:
    """What the application was told of the client's certificate, without its hash."""
    return [re.sub("Hash=[0-9a-f]{64};", "", each) for each in received(answer, "x-forwarded-client-cert")]


def call_grpc(target: str, authority: str) -> bytes:
    """A unary call through an HTTP proxy that takes HTTP/2."""
    with grpc.insecure_channel(target, options=[("grpc.default_authority", authority)]) as channel:
        ask: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary("/town.Echo/Unary")
        return ask(b"hello", timeout=20, wait_for_ready=True)


class GrpcEcho(grpc.GenericRpcHandler):
    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler[bytes, bytes] | None:
        return grpc.unary_unary_rpc_method_handler(lambda message, _: message)


def identity(name: str) -> list[x509.GeneralName]:
    return [x509.UniformResourceIdentifier(f"spiffe://cluster.local/ns/shop/sa/{name}")]


def issue(authority: Authority, name: str, sans: list[x509.GeneralName]) -> Pair:
    return authority.issue(name, sans, more=(ExtendedKeyUsageOID.SERVER_AUTH,))


def stop(background: Background, envoy: EnvoyProcess) -> None:
    background.run(envoy.stop())


@contextmanager
def running(town: Town, mesh: Mesh, folder: Path) -> Iterator[None]:
    """The sidecars of all workloads of the mesh."""
    translator = Translator(mesh, policies=Modes)
    with ExitStack() as stack:
        for workload in mesh.workloads:
            own = folder / workload.name
            own.mkdir()
            secrets = build_secrets(town.papers[workload.name], town.ours.file)
            stack.enter_context(serving_secrets(own / "sds.sock", secrets))
            snapshot = translator.snapshot(proxy_of(workload))
            bootstrap = json.dumps(to_bootstrap(snapshot, sds=own / "sds.sock"))
            envoy = town.background.run(EnvoyProcess.start(bootstrap, own, concurrency=1))
            stack.callback(stop, town.background, envoy)
        yield


@pytest.fixture(scope="module")
def town() -> Iterator[Town]:
    with TemporaryDirectory(prefix="mx-") as name, ExitStack() as stack:
        folder = Path(name)
        ours, theirs = Authority(folder, "ours"), Authority(folder, "theirs")
        papers = {each: issue(ours, each, identity(each)) for each in ("storefront", "checkout")}
        papers["foreign"] = issue(theirs, "foreign", identity("storefront"))
        papers["elsewhere"] = issue(
            ours, "elsewhere", [x509.UniformResourceIdentifier("spiffe://cluster.local.evil/ns/shop/sa/a")]
        )
        background = Background()
        stack.callback(background.close)
        found = Town(ours, papers, background)
        server = EchoServer("checkout")
        background.run(server.start(f"unix:{folder}/echo.sock"))
        stack.callback(lambda: background.run(server.__aexit__(None, None, None)))
        stack.enter_context(serving_grpc(folder / "grpc.sock"))
        stack.enter_context(running(found, parse_mesh(MESH.replace("FOLDER", name)), folder))
        yield found


@contextmanager
def serving_grpc(path: Path) -> Iterator[None]:
    with ThreadPoolExecutor(2) as pool:
        server = grpc.server(pool, handlers=[GrpcEcho()])
        server.add_insecure_port(f"unix:{path}")
        server.start()
        try:
            yield
        finally:
            server.stop(None).wait()


@pytest.mark.parametrize(
    "authority",
    ["checkout", "checkout.shop", "checkout.shop.svc:80", "checkout.shop.svc.cluster.local", "checkout:81"],
)
def test_a_call_goes_by_mtls(town: Town, authority: str) -> None:
    answer = town.call(f"http://{authority}/x")
    assert answer.status == 200
    assert echo(answer)["upstream"] == "checkout"
    assert peers_told(answer) == [PEERS]


def test_without_mtls_nobody_is_told_of_a_certificate(town: Town) -> None:
    answer = send(
        town.proxy, host="checkout:82", headers=[("x-forwarded-client-cert", "URI=spiffe://cluster.local/x")]
    )
    assert answer.status == 200
    assert peers_told(answer) == []


def test_grpc_end_to_end(town: Town) -> None:
    assert call_grpc("127.1.0.1:15001", "checkout:9000") == b"hello"


def test_a_forged_certificate_header_is_replaced(town: Town) -> None:
    forged = [("x-forwarded-client-cert", "URI=spiffe://cluster.local/ns/shop/sa/admin")]
    assert peers_told(send(town.proxy, headers=forged, host="checkout")) == [PEERS]


def test_strict_refuses_plaintext(town: Town) -> None:
    with socket.create_connection(("127.1.0.2", 8080), timeout=20) as wire:
        wire.sendall(b"GET / HTTP/1.1\r\nhost: checkout\r\n\r\n")
        with suppress(ConnectionResetError):  # closed with our bytes unread
            assert wire.recv(1) == b""


@pytest.mark.parametrize("port", [8081, 8082])
def test_others_take_plaintext(town: Town, port: int) -> None:
    assert send(f"http://127.1.0.2:{port}").status == 200


@pytest.mark.parametrize("paper", ["foreign", "elsewhere", ""])
def test_strict_refuses_certificates_that_are_not_the_mesh(town: Town, paper: str) -> None:
    context = town.papers[paper].to_client() if paper else plain_client()
    with pytest.raises(OSError):  # noqa: PT011
        send("https://127.1.0.2:8080", tls=context)


@pytest.mark.parametrize("port", [8080, 8081])
@pytest.mark.parametrize("alpn", [[], ["h2", "http/1.1"], ["http/1.1"], ["meshext"]])
def test_any_client_of_the_mesh_is_taken(town: Town, port: int, alpn: list[str]) -> None:
    """grpcio and others without a sidecar show their certificate, and offer what they speak."""
    context = town.papers["storefront"].to_client()
    if alpn:
        context.set_alpn_protocols(alpn)
    with (
        socket.create_connection(("127.1.0.2", port)) as plain,
        context.wrap_socket(plain) as wire,
    ):
        assert wire.selected_alpn_protocol() == (
            "h2" if "h2" in alpn else "http/1.1" if "http/1.1" in alpn else None
        )
    if "h2" not in alpn:
        assert send(f"https://127.1.0.2:{port}", tls=context).status == 200


def test_sessions_are_not_resumed(town: Town) -> None:
    context = town.papers["storefront"].to_client()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with socket.create_connection(("127.1.0.2", 8080)) as plain, context.wrap_socket(plain) as first:
        session = first.session
    with (
        socket.create_connection(("127.1.0.2", 8080)) as plain,
        context.wrap_socket(plain, session=session) as second,
    ):
        assert not second.session_reused
