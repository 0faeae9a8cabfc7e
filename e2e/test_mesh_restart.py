"""A sidecar that asks for whole states, and a control plane that comes back with another configuration."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from e2e.mesh.local import ask_socket
from e2e.mesh.processes import wait_for
from e2e.mesh.shop import STRICT, service
from e2e.mesh.world import OUTBOUND, Member, World, mesh
from e2e.under_load import under_load

pytestmark = [pytest.mark.envoy, pytest.mark.slow]

ROUTE = """\
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: checkout, namespace: shop}}
spec:
  hosts: [checkout]
  http: [{{route: [{{destination: {{host: {to}}}, headers: {{response: {{set: {{x-to: {to}}}}}}}}}]}}]
"""
ROUNDS = 2


def behind(name: str) -> str:
    """The shop whose checkout is reached by a service of that name, which only this one has."""
    other = service(name).replace(f"{{app: {name}}}", "{app: checkout}")
    return "---\n".join([service("checkout"), service("storefront"), other, ROUTE.format(to=name), STRICT])


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with mesh(tmp_path, {"shop.yaml": behind("first")}) as made:
        made.add("checkout-1")
        made.add("storefront-1", "--sotw")
        wait_for("the storefront reaches the checkout", lambda: made.members[1].reaches("checkout"))
        wait_for("all are synced", made.synced)
        yield made


@pytest.mark.parametrize("killed", [True, False], ids=["killed", "ended"])
def test_no_request_fails_where_a_service_is_replaced_over_a_restart(world: World, killed: bool) -> None:
    storefront = world.members[1]
    with under_load(OUTBOUND, address=storefront.address, host="checkout") as load:
        for number in range(ROUNDS):
            wait_for("it is written down", lambda: (world.state / "served.db").exists())
            if killed:
                world.control_plane.kill()
            else:
                world.control_plane.stop()
            world.write("shop.yaml", behind(f"next-{number}"))
            world.control_plane.restart()
            wait_for("the new service is asked", partial(leads_to, storefront, f"next-{number}"))
            wait_for("all are synced", world.synced)
    assert dict(load.kinds) == {"200": load.count}
    names = ask_socket(storefront.admin, "/clusters")
    assert f"next-{ROUNDS - 1}" in names
    assert "next-0" not in names


def leads_to(member: Member, name: str) -> bool:
    """Whether its calls of the checkout go by that service."""
    return bool(member.call("http://checkout")["headers"].get("x-to") == name)
