"""What may happen to a control plane while its mesh is under load, and nobody notices."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e.mesh.processes import wait_for
from e2e.mesh.shop import shop
from e2e.mesh.world import OUTBOUND, World, mesh
from e2e.under_load import under_load
from meshext_controlplane.cli.admin import call
from meshext_proto.meshext import admin_pb2

pytestmark = [pytest.mark.envoy, pytest.mark.slow]

POLICY = """\
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {{name: deny-{number}, namespace: shop}}
spec:
  selector: {{matchLabels: {{app: checkout}}}}
  action: DENY
  rules: [{{to: [{{operation: {{paths: ["{path}"]}}}}]}}]
"""
ROUTE = """\
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: checkout, namespace: shop}}
spec:
  hosts: [checkout]
  http:
  - route: [{{destination: {{host: checkout}}, headers: {{response: {{set: {{x-edit: "{number}"}}}}}}}}]
    timeout: {seconds}s
"""
ENDPOINT = """\
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: {{name: elsewhere, namespace: shop}}
spec: {{address: 127.9.{high}.{low}, labels: {{app: storefront}}, ports: {{http: 8080}}}}
"""


def edit(number: int) -> str:
    """One of a thousand edits: of a policy, of a route, of an endpoint."""
    if number % 3 == 0:
        return POLICY.format(number=number % 10, path=f"/closed/{number}")
    if number % 3 == 1:
        return ROUTE.format(number=number, seconds=10 + number % 50)
    return ENDPOINT.format(high=number // 250, low=number % 250 + 1)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with mesh(tmp_path, shop("checkout", "storefront"), "--svid-life", "60") as made:
        made.add("checkout-1")
        made.add("storefront-1")
        wait_for("the storefront reaches the checkout", lambda: made.members[1].reaches("checkout"))
        yield made


def renewed(world: World) -> int:
    return world.control_plane.text.count(" has renewed: ")


def test_killed_restarted_and_rotating_under_load(world: World) -> None:
    storefront = world.members[1]
    with under_load(OUTBOUND, address=storefront.address, host="checkout") as load:
        world.control_plane.kill()
        wait_for("it is served without a control plane", lambda: load.count > 500)
        world.control_plane.restart()
        wait_for("all proxies are back", world.synced)
        before, had = load.count, renewed(world)
        wait_for("both have a new certificate", lambda: renewed(world) >= had + 2)
        wait_for("it goes on", lambda: load.count > before)
    assert dict(load.kinds) == {"200": load.count}
    assert renewed(world) <= had + 6  # twice in a life, not as fast as they can


def test_a_thousand_edits_in_ten_seconds_under_load(world: World) -> None:
    storefront = world.members[1]
    with under_load(OUTBOUND, address=storefront.address, host="checkout", target="/open") as load:
        began = time.monotonic()
        for number in range(1000):
            text = admin_pb2.Text(source="edit.yaml", content=edit(number))
            request = admin_pb2.ApplyRequest(texts=[text])
            reply = call(world.state, "Apply", request, admin_pb2.ApplyReply)
            assert not reply.problems
            time.sleep(max(0.0, began + number / 100 - time.monotonic()))
        wait_for(
            "the last edit is served", lambda: storefront.call("http://checkout/closed/999")["status"] == 403
        )
        wait_for("all are synced", world.synced)
    assert dict(load.kinds) == {"200": load.count}
    replaced = storefront.call("http://checkout/closed/969")
    assert (replaced["status"], replaced["headers"]["x-edit"]) == (200, "997")
