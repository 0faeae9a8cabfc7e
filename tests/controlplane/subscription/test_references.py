"""What resources name, and snapshots that name what they do not hold."""

from __future__ import annotations

import pytest

from meshext_controlplane.snapshot import CLUSTER, ENDPOINT, LISTENER, ROUTE, Resource, build_snapshot
from meshext_controlplane.subscription.consistency import check_snapshot
from meshext_controlplane.subscription.differences import Differences
from meshext_controlplane.subscription.references import References, find_references
from meshext_proto.envoy.config.route.v3 import route_pb2
from meshext_proto.envoy.extensions.filters.http.ext_authz.v3 import ext_authz_pb2
from tests.controlplane.xds.snapshots import cluster, encoded, endpoints, listener, routes


def every_way_to_name_a_cluster() -> Resource:
    message = route_pb2.RouteConfiguration(name="main")
    host = message.virtual_hosts.add(name="all", domains=["*"])
    route = host.routes.add()
    route.route.cluster = "plain"
    route.route.request_mirror_policies.add(cluster="mirror")
    for name in ("first", "second"):
        host.routes.add().route.weighted_clusters.clusters.add(name=name)
    asked = ext_authz_pb2.ExtAuthz()
    asked.grpc_service.envoy_grpc.cluster_name = "deep-in-a-filter"
    route.typed_per_filter_config["authz"].Pack(asked)
    return encoded("main", message)


def test_what_is_named() -> None:
    assert find_references(cluster("a")) == {(ENDPOINT, "a")}
    assert find_references(listener("main", "table")) == {(ROUTE, "table")}
    named = {name for _, name in find_references(every_way_to_name_a_cluster())}
    assert named == {"plain", "mirror", "first", "second", "deep-in-a-filter"}


def test_bytes_that_are_no_message_are_an_error() -> None:
    with pytest.raises(
        ValueError, match=r"'a' is no type\.googleapis\.com/envoy\.config\.cluster\.v3\.Cluster"
    ):
        find_references(Resource(CLUSTER, "a", "1", b"\xff\xff"))


def check(*resources: Resource, before: tuple[Resource, ...] | None = None) -> tuple[str, ...]:
    known = None if before is None else build_snapshot(before)
    return check_snapshot(
        build_snapshot(resources), References(), Differences(), static=frozenset({"sds"}), before=known
    )


def test_missing_names_are_told() -> None:
    assert check(cluster("a"), endpoints("a", 1), routes("main", x="a", y="sds")) == ()
    assert check(cluster("a")) == ("Cluster 'a' names ClusterLoadAssignment 'a', which is not there",)
    assert check(routes("main", x="a")) == (
        "RouteConfiguration 'main' names Cluster 'a', which is not there",
    )
    assert check(listener("one", "main")) == (
        "Listener 'one' names RouteConfiguration 'main', which is not there",
    )


def test_what_goes_and_is_still_named_is_found_beside_what_was_right() -> None:
    table, a, a_at = routes("main", x="a"), cluster("a"), endpoints("a", 1)
    assert check(table, a, endpoints("a", 2), before=(table, a, a_at)) == ()
    assert check(table, before=(table, a, a_at)) == (
        "RouteConfiguration 'main' names Cluster 'a', which is not there",
    )


def test_only_a_few_problems_are_told() -> None:
    many = [listener(f"{number}", "missing") for number in range(50)]
    assert len(check(*many)) == 5
    assert {resource.type_url for resource in many} == {LISTENER}
