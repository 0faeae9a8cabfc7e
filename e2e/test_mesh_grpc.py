"""gRPC clients without an Envoy: they dial xds:///, and services behind real Envoys see who they are."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from e2e.mesh.dialing import Dialer, add_dialer, add_greeter, grpc_shop
from e2e.mesh.processes import wait_for
from e2e.mesh.world import World, mesh

pytestmark = [pytest.mark.envoy, pytest.mark.slow]

TARGET = "xds:///echo.shop:50051"


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, Dialer]]:
    with mesh(tmp_path_factory.mktemp("grpc"), grpc_shop("echo")) as world:
        add_greeter(world, "echo-1")
        add_greeter(world, "echo-2")
        dialer = add_dialer(world, "caller-1")
        wait_for("calls are answered", lambda: dialer.reaches(TARGET))
        yield world, dialer


@pytest.mark.parametrize("name", ["echo", "echo.shop", "echo.shop.svc.cluster.local"])
def test_a_service_is_dialed_by_any_of_its_names(town: tuple[World, Dialer], name: str) -> None:
    got = town[1].call(f"xds:///{name}:50051")
    assert (got["code"], got["reply"]["name"].rpartition("-")[0]) == ("OK", "echo")


def test_the_callee_is_told_who_calls(town: tuple[World, Dialer]) -> None:
    shown = town[1].call(TARGET)["reply"]["metadata"]["x-forwarded-client-cert"]
    assert "URI=spiffe://cluster.local/ns/shop/sa/caller" in shown


def test_replicas_share_the_calls(town: tuple[World, Dialer]) -> None:
    wait_for("both answer", lambda: len(town[1].tally(TARGET)) == 2)
    assert set(town[1].tally(TARGET, 40).values()) == {20}


def test_every_proxy_is_synced(town: tuple[World, Dialer]) -> None:
    told = wait_for("the client is told of", lambda: town[0].ask("proxy-status"))
    assert {each["proxy"]: each["kind"] for each in told}["caller-1.shop"] == "grpc"
    assert all(part["state"] in ("SYNCED", "NOT SENT") for each in told for part in each["types"].values())
