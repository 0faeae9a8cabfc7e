"""The rules of the incremental protocol, one by one."""

from __future__ import annotations

from meshext_controlplane.snapshot import CLUSTER, ENDPOINT, LISTENER, ROUTE
from meshext_controlplane.subscription.messages import Verdict
from tests.controlplane.subscription.talking import Talk, names
from tests.controlplane.xds.snapshots import cluster, endpoints, listener, routes

A, B = cluster("a"), cluster("b")
A_AT, B_AT = endpoints("a", 1), endpoints("b", 1)


def test_an_empty_first_request_is_the_wildcard_and_is_answered_even_with_nothing() -> None:
    talk = Talk(delta=True)
    talk.say(CLUSTER)
    talk.ack(talk.hear())
    talk.serve(A, A_AT)
    assert names(talk.hear()) == ["a"]


def test_after_a_name_was_said_none_means_none() -> None:
    talk = Talk(A, A_AT, B, B_AT, delta=True)
    talk.say(CLUSTER, subscribe=("a",))
    talk.ack(talk.hear(), unsubscribe=("a",))
    talk.serve(cluster("a", timeout=9), A_AT, B, B_AT)
    assert talk.hear_all() == []


def test_the_legacy_wildcard_stays_beside_names_and_can_be_given_up() -> None:
    talk = Talk(A, A_AT, B, B_AT, delta=True)
    talk.say(CLUSTER)
    talk.ack(talk.hear(), subscribe=("a",))
    assert names(talk.hear()) == ["a"]
    talk.say(CLUSTER, unsubscribe=("*",), nonce="s-2")
    talk.serve(cluster("a", timeout=9), A_AT, cluster("b", timeout=9), B_AT)
    assert names(talk.hear()) == ["a"]


def test_a_name_given_up_under_the_wildcard_is_answered() -> None:
    talk = Talk(A, A_AT, delta=True)
    talk.say(CLUSTER, subscribe=("*", "a", "missing"))
    push = talk.hear()
    assert (names(push), push.removed) == (["a"], ("missing",))
    talk.ack(push, unsubscribe=("a", "missing"))
    push = talk.hear()
    assert (names(push), push.removed) == (["a"], ("missing",))


def test_names_count_in_a_request_with_an_old_nonce() -> None:
    talk = Talk(A, A_AT, B, B_AT, delta=True)
    talk.say(ENDPOINT, subscribe=("a",))
    push = talk.hear()
    assert talk.say(ENDPOINT, subscribe=("b",), nonce="long ago").verdict is Verdict.STALE
    assert talk.hear_all() == [], "one push at a time"
    assert talk.ack(push).verdict is Verdict.ACK
    assert names(talk.hear()) == ["b"]


def test_who_subscribes_again_is_sent_it_again() -> None:
    talk = Talk(A, A_AT, delta=True)
    talk.say(ENDPOINT, subscribe=("a",))
    talk.ack(talk.hear())
    talk.say(ENDPOINT, subscribe=("a",))
    assert names(talk.hear()) == ["a"]


def test_a_missing_name_is_said_to_be_missing_and_sent_when_it_comes() -> None:
    talk = Talk(delta=True)
    talk.say(ENDPOINT, subscribe=("a",))
    push = talk.hear()
    assert (push.resources, push.removed) == ((), ("a",))
    talk.ack(push)
    talk.serve(A, A_AT)
    assert names(talk.hear()) == ["a"]


def test_a_name_that_nobody_had_can_be_given_up() -> None:
    talk = Talk(A, A_AT, delta=True)
    talk.say(ENDPOINT, subscribe=("a",))
    talk.ack(talk.hear(), unsubscribe=("phantom",))
    assert talk.hear_all() == []


def test_who_comes_back_is_sent_what_differs() -> None:
    old = cluster("b", timeout=9)
    talk = Talk(A, A_AT, B, B_AT, delta=True)
    talk.say(CLUSTER, versions={"a": A.version, "b": old.version, "gone": "1"})
    talk.say(ENDPOINT, subscribe=("a", "b"), versions={"a": A_AT.version, "b": B_AT.version})
    clusters, b_at = talk.hear_all()
    assert (names(clusters), names(b_at)) == (["b"], ["b"]), "the cluster warms, and waits for endpoints"
    talk.ack(clusters)
    talk.ack(b_at)
    assert talk.hear_all() == [], "listeners and routes that it has may name what is gone"
    talk.say(LISTENER)
    gone, listeners = talk.hear_all()
    assert (gone.removed, listeners.type_url) == (("gone",), LISTENER)


def test_who_comes_back_with_everything_is_sent_nothing() -> None:
    talk = Talk(A, A_AT, delta=True)
    talk.say(CLUSTER, versions={"a": A.version})
    talk.say(ENDPOINT, subscribe=("a",), versions={"a": A_AT.version})
    assert talk.hear_all() == []


def test_a_cluster_that_is_sent_again_gets_its_endpoints_again() -> None:
    talk = Talk(A, A_AT, delta=True)
    talk.say(CLUSTER)
    talk.ack(talk.hear())
    talk.say(ENDPOINT, subscribe=("a",))
    talk.ack(talk.hear())
    talk.serve(cluster("a", timeout=9), A_AT)
    assert [names(push) for push in talk.hear_all()] == [["a"], ["a"]]


def test_changes_wait_together_for_the_answer() -> None:
    talk = Talk(A, A_AT, delta=True)
    talk.say(ENDPOINT, subscribe=("a", "b"))
    push = talk.hear()
    talk.serve(A, endpoints("a", 2))
    talk.serve(A, endpoints("a", 3), B, B_AT)
    assert talk.hear_all() == []
    talk.ack(push)
    merged = talk.hear()
    assert set(merged.resources) == {endpoints("a", 3), B_AT}


def test_routes_come_after_their_clusters_and_clusters_go_after_their_routes() -> None:
    main = listener("main", "main")
    talk = Talk(A, A_AT, main, routes("main", x="a"), delta=True)
    for type_url, wanted in ((CLUSTER, ()), (ENDPOINT, ("a",)), (LISTENER, ()), (ROUTE, ("main",))):
        talk.say(type_url, subscribe=wanted)
    for _ in range(2):
        for push in talk.hear_all():
            talk.ack(push)
    assert talk.session.idle

    talk.serve(B, B_AT, main, routes("main", x="b"))
    clusters = talk.hear()
    assert (names(clusters), clusters.removed) == (["b"], ())
    talk.say(ENDPOINT, subscribe=("b",))
    b_at = talk.hear()
    talk.ack(clusters)
    assert talk.hear_all() == [], "routes wait for the endpoints too"
    talk.ack(b_at)
    changed = talk.hear()
    assert (names(changed), changed.type_url) == (["main"], ROUTE)
    talk.ack(changed)
    removal = talk.hear()
    assert (removal.type_url, removal.removed) == (CLUSTER, ("a",))


def test_a_refused_version_is_not_sent_again_and_a_later_one_is() -> None:
    bad = listener("main", "main", port=2)
    table = routes("main")
    talk = Talk(listener("main", "main"), table, delta=True)
    talk.say(LISTENER)
    talk.ack(talk.hear())
    talk.serve(bad, table)
    receipt = talk.nack(talk.hear(), "main: no")
    assert (receipt.verdict, receipt.names, receipt.error) == (Verdict.NACK, ("main",), "main: no")
    assert talk.hear_all() == []
    assert talk.session.subscriptions[LISTENER].refused == ("main",)
    talk.serve(bad, routes("main", x="a"), A, A_AT)
    assert talk.hear_all() == []
    talk.serve(listener("main", "main", port=3), table)
    talk.ack(talk.hear())
    assert talk.session.subscriptions[LISTENER].refused == ()


def test_back_to_the_last_good_one_it_is_sent_again() -> None:
    good, table = listener("main", "main"), routes("main")
    talk = Talk(good, table, delta=True)
    talk.say(LISTENER)
    talk.ack(talk.hear())
    talk.serve(listener("main", "main", port=2), table)
    talk.nack(talk.hear(), "main: no")
    talk.serve(good, table)
    assert talk.hear().resources == (good,)


def test_one_bad_of_many_is_found_and_the_others_are_served() -> None:
    ports = {name: endpoints(name, 1) for name in "abcdefgh"}
    talk = Talk(*ports.values(), delta=True)
    talk.say(ENDPOINT, subscribe=tuple(ports))
    pushes = 0
    while (push := talk.session.next_push()) is not None:
        pushes += 1
        if "f" in names(push):
            talk.nack(push, "one of these is wrong")
        else:
            talk.ack(push)
    subscription = talk.session.subscriptions[ENDPOINT]
    assert (subscription.refused, set(subscription.acked)) == (("f",), set("abcdegh"))
    assert pushes <= 7


def test_endpoints_that_were_lost_on_the_way_come_again() -> None:
    """The cluster had been accepted when the stream broke; what it has of endpoints is the same as before."""
    first = Talk(A, A_AT, delta=True)
    first.say(CLUSTER)
    first.ack(first.hear())
    first.say(ENDPOINT, subscribe=("a",))
    first.hear()
    assert first.session.warming == ("a",)
    again = Talk(A, A_AT, delta=True, warming=first.session.warming)
    again.say(CLUSTER, versions={"a": A.version})
    again.say(ENDPOINT, subscribe=("a",), versions={"a": A_AT.version})
    push = again.hear()
    assert names(push) == ["a"]
    again.ack(push)
    assert again.session.warming == ()
