"""gRPC servers without an Envoy: called by such clients and by Envoys, and guarded by policies."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e.mesh.dialing import DIALER, Dialer, add_dialer, add_server, grpc_shop
from e2e.mesh.processes import wait_for
from e2e.mesh.world import World, mesh

pytestmark = [pytest.mark.envoy, pytest.mark.slow]

TARGET = "xds:///echo.shop:50051"
DENY = """\
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: guard, namespace: shop}
spec:
  selector: {matchLabels: {app: echo}}
  action: DENY
  rules:
  - from: [{source: {principals: [cluster.local/ns/shop/sa/caller]}}]
    to: [{operation: {paths: [%s]}}]
"""
SAY, OTHER = "/greet.Greeter/Say", "/greet.Greeter/Other"

Town = tuple[World, Dialer]


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with mesh(tmp_path_factory.mktemp("grpc"), grpc_shop("echo")) as world:
        add_server(world, "echo-1")
        dialer = add_dialer(world, "caller-1")
        wait_for("calls are answered", lambda: dialer.reaches(TARGET))
        yield world, dialer


def test_it_is_told_who_calls(town: Town) -> None:
    assert town[1].call(TARGET)["reply"]["metadata"]["peer"] == "spiffe://cluster.local/ns/shop/sa/caller"


def test_policies_guard_it_on_an_open_connection(town: Town) -> None:
    world, dialer = town
    world.write("guard.yaml", DENY % SAY)
    wait_for("it is denied", lambda: dialer.call(TARGET)["code"] == "PERMISSION_DENIED")
    assert dialer.call(TARGET, method=OTHER)["code"] == "OK"
    world.write("guard.yaml", DENY % '"/greet.Greeter/{*}"')
    wait_for(
        "what it can not judge is closed",
        lambda: dialer.call(TARGET, method=OTHER)["code"] == "PERMISSION_DENIED",
    )
    told = world.ask("describe", "shop/echo-1")["warnings"]
    assert any("lets nobody in at port 8080, as it can not do templates of paths" in each for each in told)
    world.write("guard.yaml", DENY % "/nothing")
    wait_for("it is let in again", lambda: dialer.reaches(TARGET))


def test_an_envoy_calls_it_too(town: Town) -> None:
    """A client behind a sidecar, whose calls its Envoy secures."""
    world = town[0]
    root = str(Path(__file__).resolve().parent.parent)
    behind = world.add("web-1", application=DIALER, environment={"PYTHONPATH": root})
    web = Dialer(behind, behind.folder / "app.sock")
    wait_for("it is answered", lambda: web.reaches("echo.shop:50051"))
    assert web.call("echo.shop:50051")["reply"]["metadata"]["peer"] == "spiffe://cluster.local/ns/shop/sa/web"
