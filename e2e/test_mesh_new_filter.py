"""A filter comes to workloads that serve: no request is lost while its services start, none slips by then."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path

import psutil
import pytest

from e2e.mesh.local import ask_socket
from e2e.mesh.processes import wait_for
from e2e.mesh.shop import shop
from e2e.mesh.world import OUTBOUND, Member, World, mesh
from e2e.under_load import Load, under_load

pytestmark = [pytest.mark.envoy, pytest.mark.slow]

FILTER = """\
import os
import time
from dataclasses import dataclass

from meshext import Filter, Request, Respond

gate = os.environ.get("GATE")  # not known where the class is only looked at
while gate and not os.path.exists(gate):
    time.sleep(0.02)


class Deny(Filter):
    @dataclass(frozen=True)
    class Config:
        path: str

    def on_request(self, request: Request) -> Respond | None:
        return Respond(403) if request.path == self.config.path else None
"""
POLICY = """\
apiVersion: meshext.dev/v1
kind: FilterPolicy
metadata: {{name: deny, namespace: shop}}
spec:
  selector: {{matchLabels: {{app: checkout}}}}
  filter: {folder}/deny.py:Deny
  config: {{path: {path}}}
"""


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    (tmp_path / "deny.py").write_text(FILTER)
    with mesh(tmp_path, shop("checkout")) as made:
        for name in ("checkout-1", "checkout-2"):
            made.add(name, environment={"GATE": str(gate(made))})
        storefront = made.add("storefront-1")
        wait_for("the storefront reaches the checkout", lambda: storefront.reaches("checkout"))
        wait_for("all are synced", made.synced)
        yield made


def gate(world: World) -> Path:
    """The filter's services start once this file is there."""
    return world.folder / "gate"


def write(world: World, path: str) -> None:
    world.write("deny.yaml", POLICY.format(folder=world.folder, path=path))


def load(world: World, target: str) -> AbstractContextManager[Load]:
    """Requests of the storefront to any checkout."""
    return under_load(OUTBOUND, address=world.members[2].address, host="checkout", target=target)


def filters(world: World, *states: str) -> bool:
    """Whether these are the states of the filters that do not serve, at both of the checkouts."""
    found = missing(world)
    return all(found.get(f"checkout-{number}.shop") == list(states) for number in (1, 2))


def missing(world: World) -> dict[str, list[str]]:
    """The states of the filters beside each proxy that do not serve."""
    found = world.ask("proxy-status") or []
    return {each["proxy"]: [one["state"] for one in each["filters"]] for each in found}


def failures(world: World) -> list[str]:
    """What a check of the mesh finds to have failed."""
    stages = world.ask("check")["stages"]
    return [each["text"] for stage in stages for each in stage["results"] if each["level"] == "FAILED"]


def told(world: World, path: str) -> bool:
    """Whether both checkouts have been told of that version."""
    kept = [member.folder / "data" / "filters.json" for member in world.members[:2]]
    return all(each.exists() and path in each.read_text() for each in kept)


def more(load: Load, kind: str, count: int) -> bool:
    return load.kinds[kind] >= count


def settled(member: Member) -> bool:
    """Whether no connection is left that came before the last change of a listener."""
    stats = ask_socket(member.admin, "/stats?filter=draining")
    return bool(re.search(r"total_filter_chains_draining: 0\n", stats)) and "listeners_draining: 0\n" in stats


def enforced(world: World, path: str) -> bool:
    return filters(world) and world.synced() and all(map(settled, world.members[:2])) and denied(world, path)


def denied(world: World, path: str) -> bool:
    return bool(world.members[2].call(f"http://checkout{path}")["status"] == 403)


def test_a_policy_that_selects_all_replicas_loses_no_request(world: World) -> None:
    """Its filter is named as long as it does not run. Then what it denies is denied, everywhere."""
    with load(world, "/open") as allowed, load(world, "/secret") as judged:
        write(world, "/secret")
        wait_for("both go on without it", partial(filters, world, "HELD"))
        assert all("filter shop/deny does not serve" in each for each in failures(world))
        assert len(failures(world)) == 2
        served = judged.count
        wait_for("requests go on", lambda: judged.count > served + 200)
        assert set(judged.kinds) == {"200"}
        gate(world).touch()
        wait_for("it is asked", partial(enforced, world, "/secret"))
        wait_for("it denies", partial(more, judged, "403", 200))
    assert set(allowed.kinds) == {"200"}
    assert set(judged.kinds) == {"200", "403"}
    with load(world, "/secret") as late:
        wait_for("it denies all", partial(more, late, "403", 500))
    assert set(late.kinds) == {"403"}


def test_an_edit_that_comes_while_it_starts_and_its_removal(world: World) -> None:
    with load(world, "/first") as first, load(world, "/second") as second:
        write(world, "/first")
        wait_for("both go on without it", partial(filters, world, "HELD"))
        write(world, "/second")
        wait_for("both know the edit", partial(told, world, "/second"))
        gate(world).touch()
        wait_for("it is asked", partial(enforced, world, "/second"))
        wait_for("it denies", partial(more, second, "403", 200))
        (world.documents / "deny.yaml").unlink()
        with load(world, "/second") as going:
            wait_for("it denies no more", partial(more, going, "200", 200))
    assert set(first.kinds) == {"200"}  # the first version was never in force
    assert set(second.kinds) == {"200", "403"}


def test_one_that_is_taken_away_while_it_starts_was_never_there(world: World) -> None:
    with load(world, "/secret") as judged:
        write(world, "/secret")
        wait_for("both go on without it", partial(filters, world, "HELD"))
        (world.documents / "deny.yaml").unlink()
        wait_for("nothing is missing", partial(filters, world))
        gate(world).touch()
        served = judged.count
        wait_for("requests go on", lambda: judged.count > served + 500)
    assert set(judged.kinds) == {"200"}


def test_who_begins_anew_has_the_filter_from_the_start(world: World) -> None:
    """Neither an Envoy nor a sidecar that starts again goes on without a filter that has not run yet."""
    write(world, "/secret")
    wait_for("both go on without it", partial(filters, world, "HELD"))
    one, two, storefront = world.members
    kill_envoy(one)
    two.process.kill()
    wait_for("the filter is in force at the first", lambda: missing(world).get("checkout-1.shop") == ["DOWN"])
    two.process.restart()
    wait_for("and at the second", lambda: missing(world).get("checkout-2.shop") == ["DOWN"])
    assert not storefront.reaches("checkout/open")
    with load(world, "/secret") as judged:
        gate(world).touch()
        wait_for("it denies", partial(more, judged, "403", 500))
    assert "200" not in judged.kinds
    assert storefront.reaches("checkout/open")


def kill_envoy(member: Member) -> None:
    children = psutil.Process(member.process.process.pid).children(recursive=True)
    envoy = [each for each in children if Path(each.exe()).name.startswith("envoy")]
    assert len(envoy) == 1
    envoy[0].kill()


def test_nothing_slips_by_where_it_is_in_force(world: World) -> None:
    """Envoys and sidecars die under load; what is denied is denied, or not answered."""
    gate(world).touch()
    write(world, "/secret")
    wait_for("it is asked", partial(enforced, world, "/secret"))
    one, two, _ = world.members
    with load(world, "/secret") as judged:
        kill_envoy(one)
        two.process.kill()
        two.process.restart()
        wait_for("both are back", lambda: filters(world) and world.synced(), patience=90)
        count = judged.kinds["403"]
        wait_for("both deny again", partial(more, judged, "403", count + 500))
    assert "200" not in judged.kinds
