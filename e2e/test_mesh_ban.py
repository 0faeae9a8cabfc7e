"""An identity is banned while the mesh runs: nothing is given to it any more, and its peers refuse it."""

from __future__ import annotations

import ssl
import subprocess
from contextlib import closing
from http.client import HTTPSConnection
from pathlib import Path

import pytest

from e2e.mesh.processes import MESHEXT, wait_for
from e2e.mesh.shop import shop
from e2e.mesh.world import PORT, Member, World, mesh
from meshext.sandbox.client import send

pytestmark = [pytest.mark.envoy, pytest.mark.slow]

BAD = "spiffe://cluster.local/ns/shop/sa/stolen"


def test_a_banned_identity(tmp_path: Path) -> None:
    with mesh(tmp_path, shop("checkout")) as world:
        checkout, good = world.add("checkout-1"), world.add("storefront-1")
        bad = world.add("stolen-1", "--write-certs", str(tmp_path / "certs"))
        wait_for("both reach checkout", lambda: good.reaches("checkout") and bad.reaches("checkout"))
        wait_for("its certificate is good at checkout", lambda: is_let_in(checkout, tmp_path / "certs"))

        with closing(connect(checkout, tmp_path / "certs")) as before:
            assert ask(before) == 200
            ban(world, BAD, "--reason", "stolen")
            wait_for("checkout refuses it on an open connection", lambda: ask(before) == 403)
        wait_for("checkout refuses it", lambda: not is_let_in(checkout, tmp_path / "certs"))
        wait_for("it has no stream", lambda: proxies(world) == {"checkout-1.shop", "storefront-1.shop"})
        assert good.reaches("checkout")
        (held,) = [each for each in world.ask("certs")["certificates"] if each["identity"] == BAD]
        assert held["banned"]

        ban(world, "--lift", BAD)
        wait_for("checkout takes it again", lambda: is_let_in(checkout, tmp_path / "certs"))


def ban(world: World, *words: str) -> None:
    subprocess.run([*MESHEXT, "ban", *words, "--state", str(world.state)], check=True, timeout=60)


def connect(member: Member, certificates: Path) -> HTTPSConnection:
    """A connection past every Envoy but the member's own, which stays open."""
    return HTTPSConnection(member.address, PORT, context=trusting(certificates), timeout=20)


def ask(connection: HTTPSConnection) -> int:
    """The status of one request."""
    connection.request("GET", "/", headers={"host": "checkout"})
    answer = connection.getresponse()
    answer.read()
    return answer.status


def trusting(certificates: Path) -> ssl.SSLContext:
    """TLS as the holder of these files."""
    context = ssl.create_default_context(cafile=certificates / "root-cert.pem")
    context.check_hostname = False
    context.load_cert_chain(certificates / "cert-chain.pem", certificates / "key.pem")
    return context


def is_let_in(member: Member, certificates: Path) -> bool:
    """Whether a call past every Envoy but the member's own is answered, on a new connection."""
    if not (certificates / "root-cert.pem").exists():
        return False
    try:
        return send(f"https://{member.address}:{PORT}", tls=trusting(certificates)).status == 200
    except OSError:
        return False


def proxies(world: World) -> set[str]:
    return {each["proxy"] for each in world.ask("proxy-status") or []}
