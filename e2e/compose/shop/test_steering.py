"""Who gets which version: by weight, by a header, all at once, and by `meshext rollout`."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from e2e.compose.load import load
from e2e.compose.project import Project
from e2e.compose.shop.documents import ROUTE, SUBSETS, VERSIONS, routed, to, troubled
from e2e.compose.shop.visiting import (
    CUSTOMER,
    RECOMMENDATIONS,
    versions,
)
from e2e.compose.waiting import wait_for
from meshext_controlplane.demo.claims.traffic import check_shares

CALLS = 300
RATE = 5.0  # calls a second, each past four filters in Python
PACE = "--steps=25,100 --hold=6s --every=1s --min-requests=20 --max-slower=100 --json".split()
DIRECT = "storefront-1-app"
"""Calls the recommendations as the storefront does."""


def test_a_canary_by_weight_gets_its_share(shop: Project) -> None:
    with routed(shop, {"route": [to("v1", 80), to("v2", 20)]}):
        check_shares(Counter(versions(shop, ["ann"] * CALLS)), {"v1": 0.8, "v2": 0.2})
    assert len(set(versions(shop, ["ann"] * 20))) == 1


def test_a_header_decides(shop: Project) -> None:
    testers = {"match": [{"headers": {"x-user": {"prefix": "tester-"}}}], "route": [to("v2")]}
    with routed(shop, testers, {"route": [to("v1")]}):
        assert set(versions(shop, [f"tester-{number}" for number in range(20)])) == {"v2"}
        assert set(versions(shop, [f"user-{number}" for number in range(20)])) == {"v1"}


def test_blue_becomes_green_without_a_lost_call(shop: Project) -> None:
    with routed(shop, {"route": [to("v1")]}), load(shop, CUSTOMER, RECOMMENDATIONS, rate=RATE) as calls:
        assert set(versions(shop, ["ann"] * 20)) == {"v1"}
        with routed(shop, {"route": [to("v2")]}):
            assert set(versions(shop, ["ann"] * 20)) == {"v2"}
        assert set(versions(shop, ["ann"] * 20)) == {"v1"}
    assert calls.sent > 0
    assert calls.failed == {}


@contextmanager
def applied(shop: Project) -> Iterator[None]:
    """The route of the recommendations by the API instead of a file, as `meshext rollout` wants it."""
    with shop.changed(VERSIONS, SUBSETS.format(policy="")):
        route = ROUTE % json.dumps([{"route": [to("v1")]}])
        wait_for("the file's route is gone", lambda: not served(shop))
        shop.meshext("apply", "-f", "-", text=route)
        try:
            wait_for("everybody gets v1", lambda: set(versions(shop, ["ann"] * 20)) == {"v1"})
            yield
        finally:
            shop.meshext("delete", "VirtualService", "shop/recommendation")
    wait_for("the file's route is back", lambda: served(shop))


def served(shop: Project) -> list[Any]:
    """The VirtualService of the recommendations, if there is one."""
    found = json.loads(shop.meshext("get", "VirtualService", "--json"))
    return [each for each in found if each["name"] == "recommendation"]


def roll_out(shop: Project) -> list[dict[str, Any]]:
    """Run `meshext rollout` to its end; what it has told, the exit code last."""
    words = ["rollout", "shop/recommendation", "--canary=v2", "--prometheus=http://prometheus:9090", *PACE]
    script = 'MESHEXT_STATE=/state/mesh meshext "$@"; printf \'{"code": %d}\\n\' $?'
    said = shop.exec("control-plane", "sh", "-c", script, "sh", *words)
    return [json.loads(line) for line in said.splitlines()]


def test_a_good_canary_goes_forward_by_itself(shop: Project) -> None:
    with applied(shop), load(shop, CUSTOMER, RECOMMENDATIONS, rate=2 * RATE) as calls:
        *told, end = roll_out(shop)
        assert end == {"code": 0}, told[-1]
        assert [each["next_weight"] for each in told if each["event"] in ("forward", "done")] == [100, 100]
        assert set(versions(shop, ["ann"] * 20)) == {"v2"}
    assert calls.failed == {}


def test_a_bad_canary_goes_back_by_itself(shop: Project) -> None:
    with (
        applied(shop),
        troubled(shop, "v2", "Failing"),
        load(shop, CUSTOMER, RECOMMENDATIONS, rate=2 * RATE) as calls,
    ):
        *told, end = roll_out(shop)
        assert end == {"code": 1}
        assert (told[-1]["event"], told[-1]["weight"], told[-1]["next_weight"]) == ("back", 25, 0)
        assert told[-1]["canary"]["errors"] > 0
        wait_for("everybody gets v1 again", lambda: set(versions(shop, ["ann"] * 20)) == {"v1"})
    assert 0 < calls.failures < calls.sent / 2
