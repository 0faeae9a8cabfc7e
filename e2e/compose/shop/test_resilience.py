"""Hosts that fail, are slow, or go: who is called instead, and what is put into calls on purpose."""

from __future__ import annotations

import time
from collections import Counter

from e2e.compose.load import load
from e2e.compose.project import Project
from e2e.compose.shop.documents import routed, to, troubled
from e2e.compose.shop.visiting import RECOMMENDATION, get, new_mark, status_of, value_of
from e2e.compose.waiting import wait_for

EAST, WEST = "storefront-1-app", "storefront-2-app"
"""Each calls the recommendations as its storefront does: v1 is in the east, v2 in the west."""

RATE = 5.0  # calls a second
URL = f"{RECOMMENDATION}/for/ann"
NEAREST = """{loadBalancer: {localityLbSetting: {enabled: true}},
    outlierDetection:
        {consecutive5xxErrors: 3, interval: 1s, baseEjectionTime: 3s, maxEjectionPercent: 100}}"""
# Else the other zone is there for emergencies alone, and nobody sees the first one come back.
EJECTING = """{loadBalancer: {localityLbSetting: {enabled: false}},
    outlierDetection:
        {consecutive5xxErrors: 3, interval: 1s, baseEjectionTime: 3s, maxEjectionPercent: 50}}"""
ONE_AT_A_TIME = "{connectionPool: {http: {http2MaxRequests: 1, http1MaxPendingRequests: 1}}}"
SOON_NOTICED = "{connectionPool: {tcp: {connectTimeout: 1s}}}"  # who is gone answers nothing, not even no
EITHER = {"route": [to()]}
AGAIN = {"attempts": 2, "retryOn": "5xx,connect-failure,reset", "perTryTimeout": "5s"}


def seen(shop: Project, service: str, calls: int = 20, **headers: str) -> Counter[str]:
    """Which versions answer, and what else comes."""
    answers = shop.send(service, [get(URL, **headers)] * calls)
    return Counter(
        value_of(each)["version"] if status_of(each) == 200 else str(status_of(each)) for each in answers
    )


def ejections(shop: Project) -> int:
    """How often the storefront's Envoy has ejected one."""
    return sum(shop.stats("storefront-1", "recommendation.*ejections_enforced_total").values())


def test_another_endpoint_takes_over(shop: Project) -> None:
    with routed(shop, {**EITHER, "retries": AGAIN}, policy=SOON_NOTICED):
        wait_for("both answer", lambda: set(seen(shop, EAST)) == {"v1", "v2"})
        with load(shop, EAST, URL, rate=RATE) as calls:
            shop.docker("kill", "recommendation-v1")
            wait_for("only one is left", lambda: set(seen(shop, EAST)) == {"v2"})
    assert calls.sent > 0
    assert calls.failed == {}


def test_the_nearest_zone_answers_and_the_other_where_that_fails(shop: Project) -> None:
    with routed(shop, {**EITHER, "retries": AGAIN}, policy=NEAREST):
        wait_for("the east stays in the east", lambda: seen(shop, EAST) == {"v1": 20})
        assert seen(shop, WEST) == {"v2": 20}
        with load(shop, EAST, URL, rate=RATE) as calls:
            with troubled(shop, "v1", "Failing"):
                wait_for("the west answers the east", lambda: seen(shop, EAST) == {"v2": 20})
            wait_for("the east is back", lambda: seen(shop, EAST) == {"v1": 20})
        assert calls.failed == {}


def test_faults_are_put_in_for_whom_they_are_meant(shop: Project) -> None:
    for_bob = [{"headers": {"x-user": {"exact": "bob"}}}]
    for_eve = [{"headers": {"x-user": {"exact": "eve"}}}]
    abort = {"abort": {"httpStatus": 418, "percentage": {"value": 100}}}
    delay = {"delay": {"fixedDelay": "1s", "percentage": {"value": 100}}}
    rules = [{"match": for_bob, "fault": abort}, {"match": for_eve, "fault": delay}, {}]
    with routed(shop, *({**each, **EITHER} for each in rules)):
        assert seen(shop, EAST, x_user="bob") == {"418": 20}
        began = time.monotonic()
        assert set(seen(shop, EAST, 8, x_user="eve")) <= {"v1", "v2"}
        assert time.monotonic() - began > 1
        assert set(seen(shop, EAST, x_user="ann")) <= {"v1", "v2"}


def test_a_failed_try_is_made_again(shop: Project) -> None:
    with troubled(shop, "v1", "Flaky"):
        with routed(shop, {"route": [to("v1")], "retries": {"attempts": 0}}):
            assert seen(shop, EAST, 1, x_mark=new_mark()) == {"503": 1}
        with routed(shop, {"route": [to("v1")], "retries": AGAIN}):
            marks = [new_mark() for _ in range(20)]
            answers = shop.send(EAST, [get(URL, x_mark=mark) for mark in marks])
            assert [status_of(each) for each in answers] == [200] * 20


def test_too_much_at_once_is_refused_at_the_caller(shop: Project) -> None:
    once = {"route": [to("v1")], "retries": {"attempts": 0}}
    with troubled(shop, "v1", "Slow", seconds=0.5), routed(shop, once, policy=ONE_AT_A_TIME):
        answers = shop.send(EAST, [get(URL)] * 8, at_once=8)
        statuses = Counter(map(status_of, answers))
        assert set(statuses) == {200, 503}
        assert statuses[503] >= 4
        refused = next(each for each in answers if status_of(each) == 503)
        assert {name.lower() for name in refused["headers"]} >= {"x-envoy-overloaded"}
        assert seen(shop, EAST, 1) == {"v1": 1}  # the circuit closes by itself


def test_a_bad_endpoint_is_ejected_and_comes_back(shop: Project) -> None:
    with routed(shop, {**EITHER, "retries": {"attempts": 0}}, policy=EJECTING):
        wait_for("both answer", lambda: set(seen(shop, EAST)) == {"v1", "v2"})
        before = ejections(shop)
        with troubled(shop, "v1", "Failing"):
            wait_for("the bad one is ejected", lambda: bool(seen(shop, EAST)) and ejections(shop) > before)
            wait_for("the other one answers", lambda: seen(shop, EAST) == {"v2": 20})
        wait_for("it is back", lambda: set(seen(shop, EAST)) == {"v1", "v2"})
