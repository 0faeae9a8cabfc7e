"""The rules of the state of the world, one by one."""

from __future__ import annotations

import pytest

from meshext_controlplane.snapshot import CLUSTER, ENDPOINT, LISTENER, ROUTE
from meshext_controlplane.subscription.messages import Verdict
from tests.controlplane.subscription.talking import Talk, names
from tests.controlplane.xds.snapshots import cluster, endpoints, listener, routes

A, B = cluster("a"), cluster("b")
A_AT, B_AT = endpoints("a", 1), endpoints("b", 1)


def test_clusters_and_listeners_come_as_a_whole() -> None:
    talk = Talk(A, A_AT, delta=False)
    talk.say(CLUSTER)
    talk.ack(talk.hear())
    talk.serve(A, A_AT, B, B_AT)
    push = talk.hear()
    assert names(push) == ["a", "b"]
    talk.ack(push)
    talk.serve(B, B_AT)
    assert names(talk.hear()) == ["b"]


def test_endpoints_come_as_they_change() -> None:
    talk = Talk(A, A_AT, B, B_AT, delta=False)
    talk.say(ENDPOINT, names=("a", "b"))
    talk.ack(talk.hear(), names=("a", "b"))
    talk.serve(A, endpoints("a", 2), B, B_AT)
    assert names(talk.hear()) == ["a"]


def test_an_old_nonce_counts_for_nothing() -> None:
    talk = Talk(A, A_AT, B, B_AT, delta=False)
    talk.say(ENDPOINT, names=("a",))
    talk.ack(talk.hear(), names=("a",))
    talk.serve(A, endpoints("a", 2), B, B_AT)
    push = talk.hear()
    assert talk.say(ENDPOINT, names=("a", "b"), nonce="s-1").verdict is Verdict.STALE
    talk.ack(push, names=("a", "b"))
    assert names(talk.hear()) == ["b"]


def test_an_empty_first_list_is_the_wildcard_and_a_later_one_is_nothing() -> None:
    talk = Talk(A, A_AT, B, B_AT, delta=False)
    talk.say(CLUSTER)
    talk.ack(talk.hear(), names=("*", "a"))
    talk.ack(talk.hear(), names=("a",))
    talk.serve(cluster("a", timeout=9), A_AT, cluster("b", timeout=9), B_AT)
    push = talk.hear()
    assert names(push) == ["a"]
    talk.ack(push)
    talk.serve(A, A_AT, B, B_AT)
    assert talk.hear_all() == []


def test_a_missing_name_is_sent_when_it_comes() -> None:
    talk = Talk(delta=False)
    talk.say(ENDPOINT, names=("a",))
    assert talk.hear_all() == []
    talk.serve(A, A_AT)
    assert names(talk.hear()) == ["a"]


def test_a_missing_cluster_is_answered_with_what_there_is() -> None:
    talk = Talk(A, A_AT, delta=False)
    talk.say(CLUSTER, names=("a", "missing"))
    assert names(talk.hear()) == ["a"]


def test_where_one_is_refused_the_whole_holds_the_last_good_one() -> None:
    good, bad, table = listener("main", "main"), listener("main", "main", port=2), routes("main")
    other = listener("other", "main")
    talk = Talk(good, table, delta=False)
    talk.say(LISTENER)
    talk.ack(talk.hear())
    talk.serve(bad, other, table)
    talk.nack(talk.hear(), "Error adding/updating listener(s) main: no")
    push = talk.hear()
    assert set(push.resources) == {good, other}
    talk.ack(push)
    assert talk.hear_all() == []
    assert talk.session.subscriptions[LISTENER].refused == ("main",)


def test_who_comes_back_with_the_same_version_is_sent_nothing() -> None:
    first = Talk(A, A_AT, delta=False)
    first.say(CLUSTER)
    version = first.hear().version
    again = Talk(A, A_AT, delta=False)
    again.say(CLUSTER, version=version)
    assert again.hear_all() == []
    changed = Talk(B, B_AT, delta=False)
    changed.say(CLUSTER, version=version)
    assert names(changed.hear()) == ["b"]


def test_who_comes_back_with_what_was_served_last_keeps_clusters_that_routes_may_name() -> None:
    first = Talk(A, A_AT, delta=False)
    first.say(CLUSTER)
    version = first.hear().version
    again = Talk(B, B_AT, delta=False, before=[[A, A_AT]])
    again.say(CLUSTER, version=version)
    assert set(names(again.hear())) == {"a", "b"}


def test_a_version_that_nobody_knows_keeps_what_the_proxy_had_until_it_has_answered() -> None:
    new = [B, B_AT, listener("main", "main"), routes("main", x="b")]
    talk = Talk(*new, delta=False, before=[[A, listener("main", "main"), routes("main", x="a")]])
    for type_url, asked in [(CLUSTER, ()), (ENDPOINT, ("a",)), (LISTENER, ()), (ROUTE, ("main",))]:
        talk.say(type_url, names=asked, version="of another time")
    clusters = talk.hear()
    assert set(names(clusters)) == {"a", "b"}
    talk.ack(clusters)
    talk.say(ENDPOINT, names=("a", "b"), version="of another time")
    talk.ack(talk.hear(), names=("a", "b"))
    main, table = talk.hear_all()
    talk.ack(main)
    assert talk.hear_all() == []
    talk.ack(table, names=("main",))
    assert names(talk.hear()) == ["b"]


def test_a_listener_that_is_refused_after_a_restart_stays_as_it_was() -> None:
    good, bad, table = listener("main", "main"), listener("main", "main", port=2), routes("main")
    talk = Talk(bad, table, delta=False, before=[[good, table]])
    talk.say(LISTENER, version="of another time")
    talk.nack(talk.hear(), "Error adding/updating listener(s) main: no")
    assert talk.hear().resources == (good,)


def test_what_was_taken_beside_what_was_refused_is_removed_when_nobody_wants_it_any_more() -> None:
    taken, bad, table = listener("taken", "main"), listener("bad", "main", port=2), routes("main")
    talk = Talk(table, delta=False)
    talk.say(LISTENER)
    talk.ack(talk.hear())
    talk.serve(taken, bad, table)
    push = talk.hear()
    talk.serve(table)
    talk.nack(push, "Error adding/updating listener(s) bad: no")
    assert talk.hear().resources == ()


def test_a_route_waits_for_endpoints_that_are_asked_for_while_others_are_on_their_way() -> None:
    talk = Talk(A, A_AT, routes("main"), delta=False)
    for type_url, wanted in ((CLUSTER, ()), (ENDPOINT, ("a",)), (ROUTE, ("main",))):
        talk.say(type_url, names=wanted)
        talk.ack(talk.hear(), names=wanted)
    talk.serve(A, endpoints("a", 2), B, B_AT, routes("main", b="b"))
    clusters, earlier = talk.hear_all()
    talk.say(ENDPOINT, names=("a", "b"), nonce="s-2")
    talk.ack(clusters)
    assert talk.hear_all() == []
    talk.ack(earlier, names=("a", "b"))
    last = talk.hear()
    assert (last.type_url, names(last)) == (ENDPOINT, ["b"])
    talk.ack(last, names=("a", "b"))
    assert talk.hear().type_url == ROUTE


@pytest.mark.parametrize("error", ["b is bad", "one of these is bad"])
def test_what_a_proxy_only_may_have_had_is_given_up_when_it_refuses_that(error: str) -> None:
    talk = Talk(A, A_AT, delta=False, before=[[B, B_AT]])
    talk.say(CLUSTER, version="another")
    first = talk.hear()
    assert sorted(names(first)) == ["a", "b"]
    talk.nack(first, error)
    second = talk.hear()
    assert names(second) == ["a"]
    talk.ack(second)
    assert talk.hear_all() == []


def test_what_it_may_have_had_is_no_last_good_one_where_it_is_what_was_refused() -> None:
    talk = Talk(A, A_AT, delta=False, before=[[A, A_AT]])
    talk.say(CLUSTER, version="another")
    talk.nack(talk.hear(), "a is bad")
    assert talk.hear_all() == []
