"""Python filters that a document puts beside sidecars: there, changed under load, taken away."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import psutil
import pytest

from e2e.mesh.processes import wait_for
from e2e.mesh.shop import shop
from e2e.mesh.world import OUTBOUND, World, mesh
from e2e.under_load import Got, Load, under_load

pytestmark = [pytest.mark.envoy, pytest.mark.slow]

FILTER = """\
from dataclasses import dataclass

from meshext import Filter, Request


class Stamp(Filter):
    @dataclass(frozen=True)
    class Config:
        value: str

    def on_request(self, request: Request) -> None:
        request.headers["x-stamp"] = self.config.value
"""
POLICY = """\
apiVersion: meshext.dev/v1
kind: FilterPolicy
metadata: {{name: stamp, namespace: shop}}
spec:
  selector: {{matchLabels: {{app: checkout}}}}
  filter: {spec}
  config: {{value: {value}}}
"""


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    (tmp_path / "stamp.py").write_text(FILTER)
    with mesh(tmp_path, shop("checkout")) as made:
        made.add("checkout-1")
        made.add("storefront-1")
        wait_for("the storefront reaches the checkout", lambda: made.members[1].reaches("checkout"))
        yield made


def stamp(got: Got) -> str:
    """The status, and what the filter wrote."""
    value = got.body.decode().partition('"x-stamp": "')[2].partition('"')[0]
    return f"{got.status} {value}".strip()


def write(world: World, value: str) -> None:
    world.write("stamp.yaml", POLICY.format(spec=f"{world.folder}/stamp.py:Stamp", value=value))


def seen(load: Load, kind: str) -> bool:
    return load.kinds[kind] > 100


def test_a_filter_comes_changes_under_load_and_goes(world: World) -> None:
    storefront = world.members[1]
    write(world, "one")
    with under_load(OUTBOUND, address=storefront.address, host="checkout", judge=stamp) as coming:
        wait_for("the filter writes", lambda: coming.kinds["200 one"] > 100)
    assert set(coming.kinds) == {"200", "200 one"}
    with under_load(OUTBOUND, address=storefront.address, host="checkout", judge=stamp) as load:
        for value in ("two", "three"):
            write(world, value)
            wait_for(f"the filter writes {value}", partial(seen, load, f"200 {value}"))
    assert set(load.kinds) == {"200 one", "200 two", "200 three"}
    (world.documents / "stamp.yaml").unlink()
    with under_load(OUTBOUND, address=storefront.address, host="checkout", judge=stamp) as going:
        wait_for("the filter is gone", lambda: going.kinds["200"] > 100)
    assert set(going.kinds) == {"200 three", "200"}


def test_a_sidecar_that_is_killed_leaves_nothing_behind(world: World) -> None:
    """Neither processes nor, after its next start, the folder of its filters' sockets."""
    checkout, storefront = world.members
    link = checkout.folder / "data" / "envoy" / "filters"
    write(world, "one")
    wait_for("its filter has a socket", lambda: link.is_symlink() and any(link.iterdir()))
    sockets = link.readlink()
    children = psutil.Process(checkout.process.process.pid).children(recursive=True)
    assert len(children) >= 3  # Envoy, the application, the filter
    checkout.process.kill()
    psutil.wait_procs(children, timeout=30)
    assert [each for each in children if each.is_running()] == []
    assert sockets.is_dir()
    checkout.process.restart()
    wait_for("it is back", lambda: storefront.call("http://checkout/")["body"].count('"x-stamp": "one"') == 1)
    assert not sockets.exists()
    again = link.readlink()
    assert checkout.process.stop() == 0
    assert not again.exists()
    assert not link.is_symlink()
