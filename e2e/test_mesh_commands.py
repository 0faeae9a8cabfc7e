"""Each command about a running mesh, for people and for machines, on real Envoys and on dumps of them."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from e2e.mesh.local import ask_socket
from e2e.mesh.processes import MESHEXT, wait_for
from e2e.mesh.shop import shop
from e2e.mesh.world import World, mesh

pytestmark = [pytest.mark.envoy, pytest.mark.slow]

DENY = """\
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: no-admin, namespace: shop}
spec:
  selector: {matchLabels: {app: checkout}}
  action: DENY
  rules: [{to: [{operation: {paths: [/admin*]}}]}]
"""
ROUTE = """\
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: checkout, namespace: shop}
spec:
  hosts: [checkout]
  http:
    - match: [{uri: {exact: /teapot}}]
      directResponse: {status: 418}
    - route: [{destination: {host: checkout}}]
"""
WRONG = ROUTE.replace("host: checkout}", "host: checkout, subset: none}")
CHECKOUT, STOREFRONT = (
    "spiffe://cluster.local/ns/shop/sa/checkout",
    "spiffe://cluster.local/ns/shop/sa/storefront",
)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("mesh")
    with mesh(folder, shop("checkout", "storefront") | {"deny.yaml": DENY}) as made:
        made.add("checkout-1")
        made.add("storefront-1")
        wait_for("the storefront calls checkout", lambda: made.members[1].reaches("checkout"))
        wait_for("all are synced", made.synced)
        yield made


def told(*words: str) -> tuple[int, str]:
    """The exit code of a command, and what it printed."""
    done = subprocess.run(
        [*MESHEXT, *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=90
    )
    assert "Traceback" not in done.stdout
    return done.returncode, done.stdout


def read(*words: str) -> Any:
    """What a command that does well says as JSON."""
    code, out = told(*words, "--json")
    assert code == 0, out
    return json.loads(out)


def test_proxy_status(world: World) -> None:
    state = ("--state", str(world.state))
    code, out = told("proxy-status", *state)
    assert code == 0
    header, *rows = out.splitlines()
    assert header.split()[:3] == ["NAME", "KIND", "CDS"]
    assert [row.split()[0] for row in rows] == ["checkout-1.shop", "storefront-1.shop"]
    assert {"SYNCED", "sidecar", "1.40.0", CHECKOUT} <= set(rows[0].split())
    assert len(told("proxy-status", "storefront-1.shop", *state)[1].splitlines()) == 2
    (one,) = read("proxy-status", "checkout-1.shop", *state)
    assert one["types"]["CDS"]["state"] == one["types"]["LDS"]["state"] == "SYNCED"
    assert one["types"]["CDS"]["resources"] >= 2
    assert told("proxy-status", "nobody.shop", *state)[0] == 1


HELD = {
    "cluster": "checkout.shop.svc.cluster.local",
    "listener": "outbound-http",
    "route": "outbound-http",
    "endpoint": "outbound|80||checkout.shop.svc.cluster.local",
    "secret": "default",
}


@pytest.mark.parametrize("kind", HELD)
def test_proxy_config_live_and_saved(world: World, tmp_path: Path, kind: str) -> None:
    member, saved = world.members[1], tmp_path / "dump.json"
    live = ("proxy-config", kind, "--data", str(member.folder / "data"))
    code, table = told(*live)
    assert code == 0
    assert HELD[kind] in table
    saved.write_text(ask_socket(member.admin, "/config_dump?include_eds"))
    code, again = told("proxy-config", kind, "-f", str(saved))
    assert code == 0
    assert len(again.splitlines()) == len(table.splitlines())
    found = read(*live)
    assert read("proxy-config", kind, "-f", str(saved)) == found
    assert all(kind in each for each in found)
    assert "PRIVATE KEY" not in json.dumps(found) + table + again


def test_describe_explain_check(world: World) -> None:
    state = ("--state", str(world.state))
    code, out = told("describe", "shop/checkout-1", *state)
    assert code == 0
    assert all(word in out for word in ("STRICT", "no-admin", "checkout.shop.svc.cluster.local", CHECKOUT))
    assert read("describe", "shop/checkout-1", *state)["identity"] == CHECKOUT
    for path, denied in (("/admin/x", 1), ("/orders", 0)):
        asked = json.dumps({"method": "GET", "path": path, "peer": {"principal": STOREFRONT}})
        code, out = told("explain", "--workload", "shop/checkout-1", "--request", asked, *state)
        assert (code, "no-admin" in out) == (denied, bool(denied))
    code, out = told("check", *state)
    assert code == 0, out
    assert all(
        title in out for title in ("control plane", "authority", "workload shop/checkout-1", "services")
    )


def test_certs(world: World) -> None:
    state = ("--state", str(world.state))
    code, out = told("certs", *state)
    assert code == 0
    assert all(each in out for each in (CHECKOUT, STOREFRONT, "root", "issuing"))
    found = read("certs", *state)["certificates"]
    assert {CHECKOUT, STOREFRONT} < {each["identity"] for each in found}


def test_apply_get_delete(world: World, tmp_path: Path) -> None:
    state, file, wrong = ("--state", str(world.state)), tmp_path / "route.yaml", tmp_path / "wrong.yaml"
    storefront = world.members[1]
    file.write_text(ROUTE)
    wrong.write_text(WRONG)
    code, out = told("apply", "-f", str(file), "--dry-run", *state)
    assert code == 0
    assert any(line.strip().startswith("+") and "uri: {exact: /teapot}" in line for line in out.splitlines())
    assert "storefront-1.shop" in out
    assert storefront.call("http://checkout/teapot")["status"] == 200
    assert told("get", "VirtualService", *state)[1].count("checkout") == 0

    assert told("analyze", str(wrong), str(world.documents))[0] == 1
    code, out = told("apply", "-f", str(wrong), *state)
    assert code == 1
    assert f"{wrong}:" in out
    assert "subset 'none'" in out
    assert told("analyze", str(file), str(world.documents))[0] == 0
    assert told("apply", "-f", str(file), *state)[0] == 0
    wait_for("it is served", lambda: storefront.call("http://checkout/teapot")["status"] == 418)
    (found,) = read("get", "VirtualService", "shop/checkout", *state)
    assert found["applied"] is True
    assert "/teapot" in told("get", "VirtualService", "shop/checkout", *state)[1]

    assert told("delete", "VirtualService", "shop/checkout", "--dry-run", *state)[0] == 0
    assert storefront.call("http://checkout/teapot")["status"] == 418
    assert told("delete", "VirtualService", "shop/checkout", *state)[0] == 0
    wait_for("it is gone", lambda: storefront.call("http://checkout/teapot")["status"] == 200)
    assert told("delete", "VirtualService", "shop/checkout", *state)[0] == 1
