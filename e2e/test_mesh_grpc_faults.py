"""gRPC clients without an Envoy while parts of the mesh die, restart and renew; strangers at either end."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from e2e.certificates import Authority, Pair
from e2e.mesh.dialing import Dialer, add_dialer, add_greeter, grpc_service, grpc_shop
from e2e.mesh.processes import wait_for
from e2e.mesh.world import PORT, Member, World, mesh

pytestmark = [pytest.mark.envoy, pytest.mark.slow]

TARGET = "xds:///echo.shop:50051"
ENTRY = """\
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: {{name: {name}, namespace: shop}}
spec:
  address: {address}
  ports: {{grpc: {port}}}
  labels: {{app: {name}, security.istio.io/tlsMode: istio}}
  serviceAccount: {account}
"""


Town = tuple[World, Dialer]


@contextmanager
def town_of(folder: Path, *options: str) -> Iterator[Town]:
    """Two replicas, and a client that is answered."""
    with mesh(folder, grpc_shop("echo"), *options) as world:
        add_greeter(world, "echo-1")
        add_greeter(world, "echo-2")
        dialer = add_dialer(world, "caller-1")
        wait_for("calls are answered", lambda: dialer.reaches(TARGET))
        yield world, dialer


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with town_of(tmp_path_factory.mktemp("grpc")) as made:
        yield made


def wait_for_both(dialer: Dialer) -> None:
    wait_for("both answer", lambda: min(since(dialer).values(), default=0) > 0 and len(since(dialer)) == 2)


def since(dialer: Dialer) -> dict[str, int]:
    names: dict[str, int] = dialer.load(TARGET)["names"]
    return names


def ended_well(dialer: Dialer) -> None:
    got = dialer.enough(TARGET)
    assert (got["kinds"], got["problems"]) == ({"OK": got["count"]}, [])


def renewed(world: World) -> int:
    return world.control_plane.text.count(" has renewed: ")


@pytest.mark.timeout(400)
def test_killed_endpoint_restarted_control_plane_and_renewal_under_load(tmp_path: Path) -> None:
    with town_of(tmp_path, "--svid-life", "90") as (world, dialer):
        live_through(world, dialer)


def live_through(world: World, dialer: Dialer) -> None:
    """All of it, one after the other, and no call fails."""
    one, two = world.members[:2]
    dialer.load(TARGET)
    wait_for_both(dialer)
    world.control_plane.kill()
    begun = dialer.load(TARGET)["count"]
    wait_for("it goes on without", lambda: dialer.load(TARGET)["count"] > begun + 500)
    two.process.kill()
    before = since(dialer)["echo-1"]
    wait_for("the other answers", lambda: since(dialer)["echo-1"] > before + 200)
    world.control_plane.restart()
    two.process.restart()
    again = since(dialer)["echo-2"]
    wait_for("it is back", lambda: since(dialer)["echo-2"] > again + 50)
    had = renewed(world)
    wait_for("certificates are renewed", lambda: renewed(world) >= had + 3)
    two.process.stop()
    two.process.restart()
    again = since(dialer)["echo-2"]
    wait_for("it is back, with new handshakes", lambda: since(dialer)["echo-2"] > again + 50)
    one.process.stop()
    again = since(dialer)["echo-2"]
    wait_for("it leaves in order", lambda: since(dialer)["echo-2"] > again + 200)
    ended_well(dialer)


def test_an_application_starts_while_the_control_plane_is_away(town: Town) -> None:
    world, dialer = town
    stored = dialer.member.folder / "data" / "last-good.binpb"
    places = [each.address.encode() for each in world.members[:2]]
    wait_for("what it has is stored", lambda: stored.exists() and holds(stored, places))
    world.control_plane.kill()
    dialer.member.process.kill()
    dialer.member.process.restart()
    wait_for("calls are answered again", lambda: dialer.reaches(TARGET))
    world.control_plane.restart()
    wait_for("it is connected", lambda: "caller-1.shop" in connected(world))
    assert dialer.reaches(TARGET)


def holds(file: Path, words: list[bytes]) -> bool:
    content = file.read_bytes()
    return all(each in content for each in words)


def connected(world: World) -> set[str]:
    return {each["proxy"] for each in world.ask("proxy-status") or []}


def test_files_are_private(town: Town) -> None:
    folder = town[1].member.folder / "data"
    assert folder.stat().st_mode & 0o777 == 0o700
    files = [*(folder / "certificates").iterdir(), folder / "grpc-bootstrap.json"]
    assert len(files) == 5
    assert {each.stat().st_mode & 0o777 for each in files} == {0o600}


def test_strangers_at_either_end_are_refused(town: Town, tmp_path: Path) -> None:
    (world, dialer), uri = town, x509.UniformResourceIdentifier("spiffe://cluster.local/ns/shop/sa/echo")
    usages = (ExtendedKeyUsageOID.SERVER_AUTH,)
    pair = Authority(tmp_path, "foreign").issue("echo", [uri], more=usages)
    with tls_server(pair) as port:
        entry = ENTRY.format(name="foreign", address="127.0.0.1", port=port, account="echo")
        world.write("foreign.yaml", f"{grpc_service('foreign')}---\n{entry}")
        told = wait_for("it is refused", lambda: unavailable(dialer, "xds:///foreign.shop:50051"))
        assert "CERTIFICATE_VERIFY_FAILED" in told
    assert not lets_in(world.members[0], pair)


def test_another_identity_of_the_mesh_is_refused(town: Town) -> None:
    """Its certificate is good, and it is not who the service says."""
    world, dialer = town
    address = world.members[0].address
    entry = ENTRY.format(name="other", address=address, port=PORT, account="somebody-else")
    world.write("other.yaml", f"{grpc_service('other')}---\n{entry}")
    told = wait_for("it is refused", lambda: unavailable(dialer, "xds:///other.shop:50051"))
    assert "SAN" in told or "subject" in told.lower() or "verif" in told.lower(), told


def unavailable(dialer: Dialer, target: str) -> str:
    got = dialer.call(target)
    return got["details"] if got["code"] == "UNAVAILABLE" and "does not exist" not in got["details"] else ""


@contextmanager
def tls_server(pair: Pair) -> Iterator[int]:
    """A server that speaks TLS with a certificate of its own, and would take anybody."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.certificate, pair.key)
    context.set_alpn_protocols(["h2"])
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            while True:
                try:
                    plain, _ = listening.accept()
                    context.wrap_socket(plain, server_side=True).close()
                except OSError:
                    if listening.fileno() < 0:
                        return

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield int(listening.getsockname()[1])


def lets_in(member: Member, pair: Pair) -> bool:
    """Whether a sidecar takes a client whose certificate is of another root."""
    context = pair.to_client()
    context.set_alpn_protocols(["h2"])
    with socket.create_connection((member.address, PORT), timeout=10) as plain:
        try:
            with context.wrap_socket(plain) as link:
                link.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
                return bool(link.recv(1))
        except OSError:
            return False
