"""Clusters of filters outlive them while connections drain."""

from __future__ import annotations

from meshext_controlplane.server.lingering import LINGER, Lingering
from meshext_controlplane.snapshot import (
    CLUSTER,
    EXTENSION,
    Resource,
    Snapshot,
    build_snapshot,
    encode_resource,
)
from meshext_proto.envoy.config.cluster.v3 import cluster_pb2
from meshext_proto.envoy.config.core.v3 import extension_pb2

FILTER = "filter|shop|stamp"


def cluster(name: str) -> Resource:
    return encode_resource(name, cluster_pb2.Cluster(name=name))


def snapshot(*names: str) -> Snapshot:
    return build_snapshot(map(cluster, names))


class Clock:
    def __init__(self) -> None:
        self.now = 0.0
        self.asked: list[float] = []
        self.lingering = Lingering(clock=lambda: self.now, later=self.asked.append)

    def names(self, given: Snapshot, node: str = "a.shop") -> list[str]:
        return sorted(self.lingering.hold(node, given).named(CLUSTER))


def test_a_filters_cluster_stays_for_a_while() -> None:
    clock, after = Clock(), snapshot("outbound")
    assert clock.names(snapshot("outbound", FILTER)) == [FILTER, "outbound"]
    assert clock.names(after) == [FILTER, "outbound"]
    assert clock.asked == [LINGER]
    clock.now = LINGER
    assert clock.names(after) == ["outbound"]


def test_a_filters_configuration_stays_as_well() -> None:
    clock = Clock()
    given = encode_resource(FILTER, extension_pb2.TypedExtensionConfig(name=FILTER))
    clock.lingering.hold("a.shop", build_snapshot([given]))
    assert list(clock.lingering.hold("a.shop", snapshot()).named(EXTENSION)) == [FILTER]


def test_other_clusters_go_at_once() -> None:
    clock = Clock()
    clock.names(snapshot("outbound"))
    assert clock.names(snapshot()) == []


def test_one_that_comes_back_is_the_new_one() -> None:
    clock, again = Clock(), snapshot(FILTER)
    clock.names(snapshot(FILTER))
    clock.names(snapshot())
    assert clock.lingering.hold("a.shop", again) is again


def test_what_did_not_change_is_the_same_object() -> None:
    clock, after = Clock(), snapshot()
    clock.names(snapshot(FILTER))
    assert clock.lingering.hold("a.shop", after) is clock.lingering.hold("a.shop", after)


def test_proxies_do_not_share() -> None:
    clock = Clock()
    clock.names(snapshot(FILTER))
    assert clock.names(snapshot(), "b.shop") == []
