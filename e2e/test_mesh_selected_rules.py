"""A DestinationRule with a workloadSelector in real Envoys: the clients that it selects, and no others."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from e2e.mesh.processes import wait_for
from e2e.mesh.shop import shop
from e2e.mesh.world import Member, World, mesh

pytestmark = [pytest.mark.envoy, pytest.mark.slow]

ROUTES = """\
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: checkout, namespace: shop}
spec:
  hosts: [checkout]
  http: [{route: [{destination: {host: checkout, subset: chosen}}]}]
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: everybody, namespace: shop}
spec: {host: checkout, subsets: [{name: chosen, labels: {version: v1}}]}
"""
SELECTING = """\
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {{name: some, namespace: shop}}
spec:
  host: checkout
  workloadSelector: {{matchLabels: {{colour: {colour}}}}}
  subsets: [{{name: chosen, labels: {{version: v2}}}}]
"""


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with mesh(tmp_path, shop("checkout") | {"routes.yaml": ROUTES}) as made:
        for number in (1, 2):
            made.add(f"checkout-{number}", labels={"version": f"v{number}"})
        for colour in ("red", "blue"):
            made.add(f"client-{colour}", labels={"colour": colour})
        for client in made.members[2:]:
            wait_for(f"{client.name} reaches the checkout", partial(client.reaches, "checkout"))
        wait_for("all are synced", made.synced)
        yield made


def answered_by(client: Member) -> set[str]:
    """Who answers ten calls, and a status that is not 200."""
    found = [client.call("http://checkout/") for _ in range(10)]
    return {
        json.loads(each["body"])["name"] if each["status"] == 200 else str(each["status"]) for each in found
    }


def test_it_is_for_the_clients_that_it_selects_alone(world: World) -> None:
    red, blue = world.members[2:]
    assert (answered_by(red), answered_by(blue)) == ({"checkout-1"}, {"checkout-1"})
    world.write("some.yaml", SELECTING.format(colour="red"))
    wait_for("the red one goes elsewhere", lambda: answered_by(red) == {"checkout-2"})
    assert answered_by(blue) == {"checkout-1"}
    world.write("some.yaml", SELECTING.format(colour="blue"))
    wait_for("the blue one does so instead", lambda: answered_by(blue) == {"checkout-2"})
    wait_for("the red one looks on", lambda: answered_by(red) == {"checkout-1"})
    (world.documents / "some.yaml").unlink()
    wait_for("nobody is selected", lambda: answered_by(blue) == {"checkout-1"})
    assert answered_by(red) == {"checkout-1"}
    assert world.synced()
