"""Weights and marks in a VirtualService's text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshext_controlplane.rollout.errors import RolloutError
from meshext_controlplane.rollout.pilot import Standing
from meshext_controlplane.rollout.shifting import Shifting, Versions, read_shifting

TEXT = """\
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: reviews, namespace: shop, annotations: {owner: "1e3"}}
spec:
  hosts: [reviews]
  http:
  - match: [{headers: {x-user: {exact: "no"}}}]
    route: [{destination: {host: reviews, subset: v2}}]
  - route:
    - {destination: {host: reviews, subset: v1, port: {number: 80}}}
"""
REVIEWS = "reviews.shop.svc.cluster.local"


def shifting(text: str = TEXT) -> Shifting:
    return read_shifting(text, canary="v2")


def test_what_is_not_given_is_found() -> None:
    assert shifting().versions == Versions(host=REVIEWS, stable="v1", canary="v2")
    assert shifting().weight() == 0


@given(st.integers(0, 100), st.floats(0, 1e10))
def test_what_is_written_is_read_again(weight: int, since: float) -> None:
    standing = Standing(weight=weight, since=round(since, 3))
    again = shifting(shifting().at(standing).to_text())
    assert (again.standing(), again.weight()) == (standing, weight)
    assert shifting(again.ended(100).to_text()).standing() is None


def test_only_shared_routes_change() -> None:
    document = shifting(shifting().at(Standing(weight=25, since=1)).to_text()).document
    own, shared = document["spec"]["http"]
    assert own == shifting().document["spec"]["http"][0]
    stable, canary = shared["route"]
    assert (stable["weight"], canary["weight"]) == (75, 25)
    assert canary["destination"] == {"host": "reviews", "subset": "v2", "port": {"number": 80}}
    assert document["metadata"]["annotations"]["owner"] == "1e3"


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("subset: v1, port: {number: 80}", "port: {number: 80}", "every version"),
        ("host: reviews, subset: v1", "host: others, subset: v1", "several hosts"),
        ("    - {dest", "    - {destination: {host: reviews, subset: v3}}\n    - {dest", "--stable"),
        (
            "  - route:\n    - {destination: {host: reviews, subset: v1, port: {number: 80}}}\n",
            "",
            "no HTTP route",
        ),
        ('owner: "1e3"', "meshext.dev/rollout: '{}'", "not ours"),
        (
            'owner: "1e3"',
            'meshext.dev/rollout: \'{"canary": "v9", "weight": 1, "since": 1}\'',
            "subset v9 is under way",
        ),
    ],
)
def test_what_can_not_be_shifted_is_told(old: str, new: str, told: str) -> None:
    assert old in TEXT
    text = TEXT.replace(old, new)
    with pytest.raises(RolloutError, match=told):
        shifting(text).standing()


def test_the_canary_is_not_its_own_measure() -> None:
    with pytest.raises(RolloutError, match="canary and stable"):
        read_shifting(TEXT, canary="v2", stable="v2")
