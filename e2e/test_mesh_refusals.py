"""What is refused in a mesh: by the control plane at its first start, by an Envoy while it serves."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from e2e.mesh.processes import MESHEXT, wait_for
from e2e.mesh.shop import shop
from e2e.mesh.world import OUTBOUND, World, mesh
from e2e.stage import report
from e2e.under_load import under_load
from meshext_controlplane.cli.admin import call
from meshext_controlplane.server.control_plane import LAST_GOOD
from meshext_proto.meshext import admin_pb2
from tests.ports import free_port

pytestmark = [pytest.mark.envoy, pytest.mark.slow]

# RE2 has no room for it, which our reading does not know.
UNSERVABLE = """\
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: checkout, namespace: shop}
spec:
  hosts: [checkout]
  http:
  - match: [{uri: {regex: "/((([a-z]{90}){90}){90})"}}]
    directResponse: {status: 418}
  - route: [{destination: {host: checkout}, headers: {response: {set: {x-edit: "bad"}}}}]
"""
REFUSED, REASON = ("outbound-http",), "invalid repetition size: {90}"
SERVABLE = UNSERVABLE.replace("/((([a-z]{90}){90}){90})", "/tea").replace("bad", "good")
DENY = """\
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: nobody, namespace: shop}
spec: {action: DENNY, rules: [{}]}
"""


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with mesh(tmp_path, shop("checkout", "storefront")) as made:
        made.add("checkout-1")
        made.add("storefront-1")
        wait_for("the storefront reaches the checkout", lambda: made.members[1].reaches("checkout"))
        yield made


def refusals(world: World) -> list[tuple[str, tuple[str, ...], str]]:
    """Which proxy refuses what, and why."""
    reply = call(world.state, "ProxyStatus", admin_pb2.ProxyStatusRequest(), admin_pb2.ProxyStatusReply)
    return [
        (proxy.node_id, tuple(part.refused), part.error)
        for proxy in reply.proxies
        for part in proxy.types
        if part.state == "NACKED"
    ]


def test_what_an_envoy_refuses_is_shown_and_disturbs_nobody(world: World) -> None:
    storefront = world.members[1]
    with under_load(OUTBOUND, address=storefront.address, host="checkout", target="/orders") as load:
        began = time.monotonic()
        world.write("routes.yaml", UNSERVABLE)
        wait_for("both refuse it", lambda: len(refusals(world)) == 2)
        report(f"an Envoy's refusal was shown {time.monotonic() - began:.2f} s after the file was written")
        assert refusals(world) == [
            (node, REFUSED, REASON) for node in ("checkout-1.shop", "storefront-1.shop")
        ]
        shown = status(world)
        assert shown.returncode == 1
        assert f"storefront-1.shop RDS {REFUSED[0]}: {REASON}\n" in shown.stdout
        before = load.count
        wait_for("calls go on", lambda: load.count > before + 100)
        world.write("routes.yaml", SERVABLE)
        wait_for("the next version is taken", lambda: not refusals(world) and world.synced())
    assert dict(load.kinds) == {"200": load.count}
    answer = storefront.call("http://checkout/tea")
    assert answer["status"] == 418
    assert status(world).returncode == 0


def status(world: World) -> subprocess.CompletedProcess[str]:
    command = [*MESHEXT, "proxy-status", "--state", str(world.state)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def start(folder: Path) -> subprocess.Popen[str]:
    ports = [f"127.0.0.1:{free_port()}" for _ in range(2)]
    command = ["controlplane", "--config", str(folder / "mesh"), "--state", str(folder / "state")]
    command += ["--listen", ports[0], "--join-listen", ports[1]]
    both: Any = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen([*MESHEXT, *command], **both)


def test_a_first_start_with_a_wrong_document_serves_nothing(tmp_path: Path) -> None:
    (tmp_path / "mesh").mkdir()
    for name, text in {**shop("checkout"), "deny.yaml": DENY}.items():
        (tmp_path / "mesh" / name).write_text(text)
    for _ in range(2):  # the first try leaves nothing that the second one would take for a start
        with start(tmp_path) as process:
            output, errors = process.communicate(timeout=60)
        assert (process.returncode, output) == (2, "")
        assert f"a first start needs documents that are right: {tmp_path}/mesh/deny.yaml:4: " in errors
        assert "'DENNY'" in errors
        assert not (tmp_path / "state" / LAST_GOOD).exists()
    (tmp_path / "mesh" / "deny.yaml").write_text(DENY.replace("DENNY", "DENY"))
    with start(tmp_path) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("serving xds ")
        process.terminate()
        process.communicate(timeout=60)
