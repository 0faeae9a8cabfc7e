"""What the commands say of a running mesh is what its real Envoys do: describe, explain, check."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from e2e.mesh.processes import MESHEXT, wait_for
from e2e.mesh.shop import STRICT, shop
from e2e.mesh.world import PORT, World, mesh

pytestmark = [pytest.mark.envoy, pytest.mark.slow]

POLICIES = """\
apiVersion: meshext.dev/v1
kind: MeshConfig
metadata: {name: mesh}
spec: {trustDomainAliases: [old.test]}
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: no-admin, namespace: shop}
spec:
  selector: {matchLabels: {app: checkout}}
  action: DENY
  rules: [{to: [{operation: {paths: [/admin*]}}]}]
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: callers, namespace: shop}
spec:
  selector: {matchLabels: {app: checkout}}
  rules:
    - from: [{source: {principals: [old.test/ns/shop/sa/storefront]}}]
      to: [{operation: {paths: [/orders*, /admin*]}}]
"""
GUARD = """\
from meshext import Filter, Request, Respond


class Guard(Filter):
    def on_request(self, request: Request) -> Respond | None:
        if "closed" in request.path and request.peer.principal:
            return Respond(423, details="closed")
        return None
"""
GUARDED = """\
apiVersion: meshext.dev/v1
kind: FilterPolicy
metadata: {{name: guard, namespace: shop}}
spec: {{selector: {{matchLabels: {{app: checkout}}}}, filter: "{file}:Guard"}}
"""
DOCUMENTS = shop("checkout", "storefront") | {"policies.yaml": POLICIES}
CALLER = "spiffe://cluster.local/ns/shop/sa/storefront"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("mesh")
    (folder / "guard.py").write_text(GUARD)
    with mesh(folder, {**DOCUMENTS, "guard.yaml": GUARDED.format(file=folder / "guard.py")}) as made:
        made.add("checkout-1")
        made.add("storefront-1")
        wait_for("the storefront calls checkout", lambda: made.members[1].reaches("checkout/orders"))
        wait_for("all are synced", made.synced)
        yield made


def run(world: World, *words: str) -> tuple[int, Any]:
    """The exit code of a command about this mesh, and its JSON."""
    command = [*MESHEXT, *words, "--json", "--state", str(world.state)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=90)
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


def test_describe(world: World) -> None:
    code, found = run(world, "describe", "shop/checkout-1")
    assert code == 0
    assert (found["state"], found["proxy"]["connected"], found["proxy"]["synced"]) == ("READY", True, True)
    assert [(each["number"], each["mtls"], each["decided_by"]) for each in found["ports"]] == [
        (PORT, "STRICT", "shop/default")
    ]
    assert [each["policy"] for each in found["authorization"]] == ["shop/callers", "shop/no-admin"]
    assert [(each["host"], each["workload_port"]) for each in found["services"]] == [
        ("checkout.shop.svc.cluster.local", PORT)
    ]


@pytest.mark.parametrize(
    ("path", "policy"),
    [("/orders", "shop/callers"), ("//x/..%2fadmin%2fx", "shop/no-admin"), ("/other", None)],
)
def test_explain_says_what_the_mesh_does(world: World, path: str, policy: str | None) -> None:
    asked = json.dumps({"method": "GET", "path": path, "peer": {"principal": CALLER}})
    code, said = run(world, "explain", "--workload", "checkout-1", "--request", asked)
    status = world.members[1].call(f"http://checkout{path}")["status"]
    assert (said["allowed"], said["policy"]) == (code == 0, policy)
    assert status == (200 if said["allowed"] else 403)


@pytest.mark.parametrize(
    ("path", "outcome"), [("/orders", "passes"), ("/orders/closed", "refuses"), ("/closed", "not reached")]
)
def test_explain_asks_filters_too(world: World, path: str, outcome: str) -> None:
    asked = json.dumps({"method": "GET", "path": path, "peer": {"principal": CALLER}})
    code, said = run(world, "explain", "--workload", "checkout-1", "--request", asked)
    assert [(each["named"], each["outcome"]) for each in said["filters"]] == [
        ("FilterPolicy shop/guard", outcome)
    ]
    status = world.members[1].call(f"http://checkout{path}")["status"]
    assert (code == 0, status) == {
        "passes": (True, 200),
        "refuses": (False, said["filters"][0]["status"]),
        "not reached": (False, 403),
    }[outcome]


def failed(found: Any) -> list[tuple[str, str]]:
    return [
        (stage["title"], each["text"])
        for stage in found["stages"]
        for each in stage["results"]
        if each["level"] == "FAILED"
    ]


def test_check_of_a_mesh_that_is_well(world: World) -> None:
    code, found = run(world, "check")
    assert (code, found["ok"], failed(found)) == (0, True, [])
    assert [stage["title"] for stage in found["stages"]] == [
        "control plane",
        "configuration",
        "authority",
        "workload shop/checkout-1",
        "workload shop/storefront-1",
        "services",
        "analysis",
    ]
    told = [each["text"] for stage in found["stages"] for each in stage["results"]]
    assert sum("refuses plain text" in each for each in told) == 2
    assert sum("of its life left" in each for each in told) == 2


def test_check_names_what_is_broken(world: World) -> None:
    """A document that is refused, then a sidecar that has died."""
    world.write("bad.yaml", STRICT.replace("STRICT", "LENIENT"))
    wait_for("it is refused", lambda: failed(run(world, "check")[1]))
    code, found = run(world, "check")
    assert code == 1
    assert {title for title, _ in failed(found)} == {"configuration"}
    (world.documents / "bad.yaml").unlink()
    world.members[1].process.kill()
    wait_for("its stream has ended", lambda: len(world.ask("proxy-status")) == 1)
    wait_for("the folder is read again", lambda: len(failed(run(world, "check")[1])) == 1)
    code, found = run(world, "check")
    assert (code, failed(found)) == (1, [("workload shop/storefront-1", "its proxy is not connected")])
