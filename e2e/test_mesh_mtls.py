"""Two workloads under STRICT mTLS: joined by tokens, configured over ADS, seen from the outside."""

from __future__ import annotations

import json
from collections.abc import Iterator

import h11
import pytest

from e2e.mesh.processes import wait_for
from e2e.mesh.shop import shop
from e2e.mesh.world import PORT, Member, World, mesh
from meshext.sandbox.client import send

pytestmark = [pytest.mark.envoy, pytest.mark.slow]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with mesh(tmp_path_factory.mktemp("mesh"), shop("checkout", "storefront")) as made:
        made.add("checkout-1")
        made.add("storefront-1")
        wait_for("both applications answer", lambda: both_answer(made))
        yield made


def both_answer(world: World) -> bool:
    others = ("storefront", "checkout")
    return all(one.reaches(other) for one, other in zip(world.members, others, strict=True))


def member(world: World, name: str) -> Member:
    return next(each for each in world.members if each.name == name)


@pytest.mark.parametrize("host", ["checkout", "checkout.shop", "checkout.shop.svc.cluster.local:80"])
def test_one_calls_the_other_by_any_of_its_names(world: World, host: str) -> None:
    found = member(world, "storefront-1").call(f"http://{host}/orders?n=1")
    body = json.loads(found["body"])
    assert (found["status"], body["name"], body["path"]) == (200, "checkout-1", "/orders?n=1")


def test_the_callee_is_told_who_calls(world: World) -> None:
    body = json.loads(member(world, "storefront-1").call("http://checkout/")["body"])
    shown = {name.lower(): value for name, value in body["headers"].items()}["x-forwarded-client-cert"]
    assert "URI=spiffe://cluster.local/ns/shop/sa/storefront" in shown


def test_plaintext_is_refused(world: World) -> None:
    with pytest.raises((h11.RemoteProtocolError, OSError)):
        send(f"http://{member(world, 'checkout-1').address}:{PORT}")


def test_every_proxy_is_synced(world: World) -> None:
    wait_for("all are synced", world.synced)
