"""DestinationRules with a workloadSelector: for whom they are, what they come before, what they leave."""

from __future__ import annotations

from dataclasses import replace

import pytest

from meshext_controlplane.snapshot import CLUSTER
from meshext_controlplane.translate.translator import Translator
from meshext_proto.envoy.config.cluster.v3 import cluster_pb2
from tests.controlplane.translation.meshes import parse_mesh, proxy_of

SERVICE = """\
apiVersion: v1
kind: Service
metadata: {name: api, namespace: shop}
spec: {selector: {app: api}, ports: [{name: http, port: 80}]}
"""


def rule(name: str, seconds: int, *, namespace: str = "shop", selector: str = "", more: str = "") -> str:
    selected = f"workloadSelector: {{matchLabels: {{{selector}}}}}, " if selector else ""
    return (
        "---\napiVersion: networking.istio.io/v1\nkind: DestinationRule\n"
        f"metadata: {{name: {name}, namespace: {namespace}}}\n"
        f"spec: {{host: api.shop.svc.cluster.local, {selected}{more}"
        f"trafficPolicy: {{connectionPool: {{tcp: {{connectTimeout: {seconds}s}}}}}}}}\n"
    )


def workload(name: str, namespace: str, labels: str) -> str:
    return (
        f"---\nkind: Workload\nname: {name}\nnamespace: {namespace}\n"
        f"address: 127.1.7.{len(name)}\nlabels: {{{labels}}}\nports: []\n"
    )


WORKLOADS = (
    workload("red", "shop", "colour: red, size: s")
    + workload("blue", "shop", "colour: blue")
    + workload("away", "far", "colour: red")
    + workload("root", "istio-system", "colour: red")
)


def timeouts(*documents: str) -> dict[str, int]:
    """The connect timeout of each workload's cluster, in seconds."""
    mesh = parse_mesh(SERVICE + "".join(documents) + WORKLOADS)
    translator = Translator(mesh)
    found = {}
    for each in mesh.workloads:
        named = translator.snapshot(proxy_of(each)).named(CLUSTER)
        cluster = cluster_pb2.Cluster.FromString(named["outbound|80||api.shop.svc.cluster.local"].body)
        found[each.name] = cluster.connect_timeout.seconds
    return found


RED = "colour: red"
NONE = {"red": 10, "blue": 10, "away": 10, "root": 10}


@pytest.mark.parametrize(
    ("documents", "expected"),
    [
        ([rule("red", 1, selector=RED)], {**NONE, "red": 1}),
        ([rule("wide", 2), rule("red", 1, selector=RED)], {"red": 1, "blue": 2, "away": 2, "root": 2}),
        ([rule("red", 1, selector=RED), rule("wide", 2)], {"red": 1, "blue": 2, "away": 2, "root": 2}),
        (
            [rule("red", 1, selector=RED), rule("small", 3, selector="size: s")],
            {**NONE, "red": 1},
        ),
        ([rule("both", 3, selector="colour: red, size: l")], NONE),
        (
            [rule("own", 1, namespace="far", selector=RED), rule("wide", 2)],
            {"red": 2, "blue": 2, "away": 1, "root": 2},
        ),
        (
            [rule("own", 1, namespace="far", selector="colour: green"), rule("wide", 2)],
            {"red": 2, "blue": 2, "away": 2, "root": 2},
        ),
        (
            [
                rule("red", 1, namespace="istio-system", selector=RED),
                rule("wide", 2, namespace="istio-system"),
            ],
            {"red": 2, "blue": 2, "away": 2, "root": 1},
        ),
        ([rule("all", 4, selector=" ")], {**NONE, "red": 4, "blue": 4}),
    ],
    ids=["alone", "after", "before", "first", "not-all-labels", "own", "nobody", "root", "empty"],
)
def test_who_obeys(documents: list[str], expected: dict[str, int]) -> None:
    assert timeouts(*documents) == expected


def test_what_a_selecting_rule_leaves_out_is_the_wide_one_s() -> None:
    subsets: dict[str, list[str]] = {}
    wide = rule("wide", 2, more="subsets: [{name: v1, labels: {v: one}}], ")
    red = rule("red", 1, selector=RED, more="subsets: [{name: v2, labels: {v: two}}], ")
    mesh = parse_mesh(SERVICE + wide + red + WORKLOADS)
    translator = Translator(mesh)
    for each in mesh.workloads:
        named = translator.snapshot(proxy_of(each)).named(CLUSTER)
        subsets[each.name] = sorted(name.split("|")[2] for name in named if "|api." in name)
    assert subsets["red"] == ["", "v1", "v2"]
    assert subsets["blue"] == subsets["away"] == ["", "v1"]


def test_labels_that_change_change_the_rule() -> None:
    """A workload that registers anew with other labels is another client."""
    mesh = parse_mesh(SERVICE + rule("red", 1, selector=RED) + WORKLOADS)
    blue = next(each for each in mesh.workloads if each.name == "blue")
    translator = Translator(mesh)
    before = translator.snapshot(proxy_of(blue))
    turned = replace(blue, labels={"colour": "red"})
    changed = replace(mesh, workloads=tuple(turned if each is blue else each for each in mesh.workloads))
    after = Translator(changed, previous=translator).snapshot(proxy_of(turned))
    assert before.named(CLUSTER) != after.named(CLUSTER)
