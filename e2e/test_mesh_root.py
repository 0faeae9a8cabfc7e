"""Another root while the mesh runs: old and new certificates meet, then the old one is refused."""

from __future__ import annotations

import json
import socket
import ssl
from base64 import b64decode
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

import pytest

from e2e.mesh.local import ask_socket
from e2e.mesh.processes import Process, wait_for
from e2e.mesh.shop import shop
from e2e.mesh.world import OUTBOUND, PORT, Member, World, mesh
from e2e.under_load import under_load
from meshext_controlplane.agent.svid import Svid, key_from_pem
from meshext_proto.meshext import svids_pb2

pytestmark = [pytest.mark.envoy, pytest.mark.slow]

NAMES = ("checkout", "storefront", "search")
LIFE = 160  # seconds: sidecars follow within a twentieth of it
EACH_ITS_HANDSHAKE = """\
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: checkout, namespace: shop}
spec: {host: checkout, trafficPolicy: {connectionPool: {http: {maxRequestsPerConnection: 1}}}}
"""
DOCUMENTS = shop(*NAMES) | {"pool.yaml": EACH_ITS_HANDSHAKE}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with mesh(tmp_path, DOCUMENTS, "--svid-life", str(LIFE)) as made:
        for name in NAMES[:2]:
            made.add(f"{name}-1")
        storefront = made.members[1]
        wait_for("calls are answered", lambda: storefront.reaches("checkout"))
        yield made


def test_three_steps_under_load_with_two_crashes(world: World, tmp_path: Path) -> None:
    checkout, storefront = world.members
    old, before = roots(world), read_svid(storefront)
    with under_load(OUTBOUND, address=storefront.address, host="checkout", among=3) as load:
        first = rotate(world, "first")
        wait_for("both roots are trusted", lambda: "trusted beside the old one" in first.text)
        crash(world, first)
        second = rotate(world, "second", "--resume")
        wait_for("the new one issues", lambda: "the new root issues" in second.text)
        newcomer = world.add("search-1")
        wait_for("who joins now is called", lambda: storefront.reaches("search"))
        wait_for("and calls", lambda: newcomer.reaches("checkout"))
        crash(world, second)
        third = rotate(world, "third", "--resume", "--json")
        wait_for("the old one is gone", lambda: third.process.poll() is not None, patience=180)
        so_far = load.count
        wait_for("it goes on", lambda: load.count > so_far + 100)
    assert (third.process.returncode, json.loads(third.text.splitlines()[-1])["stage"]) == (0, "none")
    assert dict(load.kinds) == {"200": load.count}
    assert len(roots(world)) == 1
    assert not roots(world) & old
    assert [count(each, "fail_verify") for each in world.members] == [0, 0, 0]
    assert [count(each, "ssl.connection_error") for each in world.members] == [0, 0, 0]
    assert count(storefront, "checkout.*ssl.handshake") > load.count / 2  # each request its own
    # A sidecar that the crash has cut off hears of it once it has come back.
    wait_for("the old one is refused", lambda: not lets_in(checkout, before, tmp_path))
    assert before.seconds_left(datetime.now(UTC)) > 0  # or it proves nothing
    assert lets_in(checkout, read_svid(storefront), tmp_path)


def rotate(world: World, name: str, *options: str) -> Process:
    """The command, which takes all steps that are left."""
    return Process(name, ["certs", "rotate-root", "--state", str(world.state), *options], world.folder)


def crash(world: World, command: Process) -> None:
    """Kill the command and the control plane; start the latter again."""
    command.kill()
    world.control_plane.kill()
    world.control_plane.restart()


def roots(world: World) -> set[str]:
    """The fingerprints of the roots that are trusted."""
    return {each["sha256"] for each in world.ask("certs")["authorities"] if each["role"] == "root"}


def count(member: Member, pattern: str) -> int:
    """The sum of the counters of its Envoy that match."""
    lines = ask_socket(member.admin, f"/stats?filter={quote(pattern)}").splitlines()
    assert lines, pattern
    return sum(int(line.rpartition(": ")[2]) for line in lines)


def read_svid(member: Member) -> Svid:
    """What its sidecar has on disk."""
    document = json.loads((member.folder / "data" / "svid.json").read_bytes())
    message = svids_pb2.Svid.FromString(b64decode(document["svid"]))
    return Svid.from_message(message, key_from_pem(document["key"].encode()))


def lets_in(member: Member, svid: Svid, folder: Path) -> bool:
    """Whether its port takes a client with that certificate."""
    pair = folder / "client.pem"
    pair.write_bytes(svid.key_pem + svid.chain_pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.load_cert_chain(pair)
    with socket.create_connection((member.address, PORT), timeout=10) as plain:
        try:
            with context.wrap_socket(plain) as link:
                link.sendall(b"GET / HTTP/1.1\r\nhost: checkout\r\n\r\n")
                return link.recv(12) == b"HTTP/1.1 200"
        except OSError:
            return False
