"""What the translation writes, in real Envoys side by side: mTLS between sidecars, and whom they let in."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest
from cryptography import x509

from e2e.certificates import Authority, plain_client
from e2e.stage import echo
from e2e.town import Town, call_grpc, identity, issue, opened, peers_told, serve_tls
from meshext.sandbox.client import send

pytestmark = pytest.mark.envoy

MESH = """
apiVersion: meshext.dev/v1
kind: MeshConfig
metadata: {name: mesh}
spec: {outboundTrafficPolicy: {mode: REGISTRY_ONLY}}
---
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
    - {name: tcp-open, port: 8083}
---
kind: Workload
name: storefront
namespace: shop
address: 127.61.0.1
---
kind: Workload
name: checkout
namespace: shop
address: 127.61.0.2
labels: {app: checkout}
ports:
  - {number: 8080, application: "unix:FOLDER/checkout.sock"}
  - {number: 8081, application: "unix:FOLDER/checkout.sock"}
  - {number: 8082, application: "unix:FOLDER/checkout.sock"}
  - {number: 8083, application: "127.0.0.1:APPLICATION"}
  - {number: 9000, application: "unix:FOLDER/grpc.sock"}
"""
PEERS = "By=spiffe://cluster.local/ns/shop/sa/checkout;URI=spiffe://cluster.local/ns/shop/sa/storefront"


@pytest.fixture(scope="module")
def town() -> Iterator[Town]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        text = MESH.replace("APPLICATION", str(server.getsockname()[1]))
        with opened(text) as found:
            own = issue(Authority(found.folder, "of-application"), "application", [])
            threading.Thread(target=serve_tls, args=(server, own, b"own"), daemon=True).start()
            yield found


@pytest.fixture(scope="module")
def strangers(town: Town) -> dict[str, ssl.SSLContext]:
    """Clients that have no business here."""
    evil: list[x509.GeneralName] = [
        x509.UniformResourceIdentifier("spiffe://cluster.local.evil/ns/shop/sa/a")
    ]
    theirs = Authority(town.folder, "theirs")
    return {
        "foreign": issue(theirs, "foreign", identity("storefront")).to_client(),
        "elsewhere": issue(town.ours, "elsewhere", evil).to_client(),
        "nobody": plain_client(),
    }


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


@pytest.mark.parametrize("method", ["GET", "CONNECT"])
def test_hosts_that_nobody_names_are_refused(town: Town, method: str) -> None:
    target = "127.0.0.1:80" if method == "CONNECT" else "http://127.0.0.1:80/"
    assert send(town.proxy, method, target, host="127.0.0.1:80").status == 502


def test_grpc_end_to_end(town: Town) -> None:
    assert call_grpc("127.61.0.1:15001", grpc_default_authority="checkout:9000") == b"hello"


def test_a_forged_certificate_header_is_replaced(town: Town) -> None:
    forged = [("x-forwarded-client-cert", "URI=spiffe://cluster.local/ns/shop/sa/admin")]
    assert peers_told(send(town.proxy, headers=forged, host="checkout")) == [PEERS]


def test_strict_refuses_plaintext(town: Town) -> None:
    with socket.create_connection(("127.61.0.2", 8080), timeout=20) as wire:
        wire.sendall(b"GET / HTTP/1.1\r\nhost: checkout\r\n\r\n")
        with suppress(ConnectionResetError):  # closed with our bytes unread
            assert wire.recv(1) == b""


@pytest.mark.parametrize("port", [8081, 8082])
def test_others_take_plaintext(town: Town, port: int) -> None:
    assert send(f"http://127.61.0.2:{port}").status == 200


@pytest.mark.parametrize("who", ["foreign", "elsewhere", "nobody"])
def test_strict_refuses_certificates_that_are_not_the_mesh(
    town: Town, strangers: dict[str, ssl.SSLContext], who: str
) -> None:
    with pytest.raises(OSError):  # noqa: PT011 - an alert or a reset, as the kernel has it
        send("https://127.61.0.2:8080", tls=strangers[who])


@pytest.mark.parametrize("port", [8080, 8081])
@pytest.mark.parametrize("alpn", [[], ["h2", "http/1.1"], ["http/1.1"], ["meshext"]])
def test_any_client_of_the_mesh_is_taken(town: Town, port: int, alpn: list[str]) -> None:
    """grpcio and others without a sidecar show their certificate, and offer what they speak."""
    context = town.papers["storefront"].to_client()
    if alpn:
        context.set_alpn_protocols(alpn)
    with (
        socket.create_connection(("127.61.0.2", port)) as plain,
        context.wrap_socket(plain) as wire,
    ):
        assert wire.selected_alpn_protocol() == (
            "h2" if "h2" in alpn else "http/1.1" if "http/1.1" in alpn else None
        )
    if "h2" not in alpn:
        assert send(f"https://127.61.0.2:{port}", tls=context).status == 200


@pytest.mark.parametrize("address", ["127.61.0.1", "127.61.0.2"])
def test_a_tcp_port_leaves_the_applications_own_tls_alone(town: Town, address: str) -> None:
    """Sidecars come by mTLS, others as they are; either way TLS inside is between the applications."""
    with (
        socket.create_connection((address, 8083)) as plain,
        plain_client().wrap_socket(plain) as wire,
    ):
        shown = x509.load_der_x509_certificate(wire.getpeercert(binary_form=True) or b"")
        assert shown == x509.load_pem_x509_certificate((town.folder / "application.pem").read_bytes())
        assert wire.recv(100) == b"own"


def test_sessions_are_not_resumed(town: Town) -> None:
    context = town.papers["storefront"].to_client()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with socket.create_connection(("127.61.0.2", 8080)) as plain, context.wrap_socket(plain) as first:
        session = first.session
    with (
        socket.create_connection(("127.61.0.2", 8080)) as plain,
        context.wrap_socket(plain, session=session) as second,
    ):
        assert not second.session_reused
