"""What an edit changes, told once for all proxies that it is for."""

from __future__ import annotations

from meshext_controlplane.model.proxy import Proxy
from meshext_controlplane.model.spiffe import SpiffeId
from meshext_controlplane.model.workload import Workload
from meshext_controlplane.server.difference import MOST_CHANGES, diff_documents, diff_snapshots
from meshext_controlplane.snapshot import Resource, Snapshot, build_snapshot, encode_resource
from meshext_proto.envoy.config.cluster.v3 import cluster_pb2
from meshext_proto.envoy.config.route.v3 import route_pb2
from meshext_proto.meshext.admin_pb2 import Change


def proxy(name: str) -> Proxy:
    identity = SpiffeId("cluster.local", "shop", name)
    workload = Workload(name=f"{name}-1", identity=identity, address="127.1.0.2")
    return Proxy(node_id=f"{name}-1.shop", identity=identity, workload=workload)


def route(*, timeout: int) -> Resource:
    message = route_pb2.RouteConfiguration(name="r")
    message.virtual_hosts.add(name="v", domains=["*"]).routes.add().route.timeout.seconds = timeout
    return encode_resource("r", message)


def cluster(name: str) -> Resource:
    return encode_resource(name, cluster_pb2.Cluster(name=name))


def snapshot(*resources: Resource) -> Snapshot:
    return build_snapshot(resources)


def test_one_change_is_told_once_for_all_its_proxies() -> None:
    before, after = snapshot(route(timeout=1), cluster("a")), snapshot(route(timeout=2), cluster("a"))
    (change,) = diff_snapshots([(proxy("b"), before, after), (proxy("a"), before, after)])
    assert (change.what, change.kind) == ("RouteConfiguration r", Change.CHANGED)
    assert list(change.proxies) == ["a-1.shop", "b-1.shop"]
    assert [line for line in change.diff.splitlines() if line[0] in "+-"] == [
        "-      timeout: 1s",
        "+      timeout: 2s",
    ]


def test_what_comes_and_goes_is_told() -> None:
    changes = diff_snapshots([(proxy("a"), snapshot(cluster("old")), snapshot(cluster("new")))])
    assert [(change.what, change.kind) for change in changes] == [
        ("Cluster new", Change.CREATED),
        ("Cluster old", Change.REMOVED),
    ]


def test_what_is_the_same_is_not_told() -> None:
    assert diff_snapshots([(proxy("a"), snapshot(cluster("a")), snapshot(cluster("a")))]) == []


def test_many_changes_are_counted() -> None:
    after = snapshot(*(cluster(f"c{number:04}") for number in range(MOST_CHANGES + 5)))
    assert diff_snapshots([(proxy("a"), snapshot(), after)])[-1].what == "and 5 more"


def test_documents_are_compared_by_their_texts() -> None:
    before, after = {"A x/a": "a: 1\n", "A x/b": "b\n"}, {"A x/a": "a: 2\n", "A x/b": "b\n"}
    (change,) = diff_documents(before, after)
    assert (change.what, change.diff) == ("A x/a", "@@ -1 +1 @@\n-a: 1\n+a: 2")
