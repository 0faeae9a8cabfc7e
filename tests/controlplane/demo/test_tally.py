"""Calls added up."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from meshext_controlplane.demo.tally import MOST_ROWS, OTHERS, Tally, quantile
from meshext_controlplane.tap.calls import Call

CUSTOMERS = "spiffe://cluster.local/ns/shop/sa/customers"
STOREFRONT = "spiffe://cluster.local/ns/shop/sa/storefront"
PASSED = "via_upstream"
NO_ADMIN = "rbac_access_denied_matched_policy[ns[shop]-policy[no-admin]-rule[0]]"
VISIT = Call(
    node="storefront.shop",
    start=10.0,
    duration=0.002,
    method="GET",
    authority="storefront.shop",
    path="/",
    code=200,
    details=PASSED,
    peer=CUSTOMERS,
    server=STOREFRONT,
    cluster="inbound|8080||",
)
SENT = replace(VISIT, node="customers.shop", peer="", server="", cluster="outbound|80||storefront.shop")


def test_a_call_that_both_sidecars_log_counts_once() -> None:
    tally = Tally()
    for call in (SENT, VISIT):
        tally.add(call)
    (row,) = tally.rows()
    assert (row.caller, row.called, row.outcome, row.count) == ("customers", "storefront", "allowed", 1)
    assert (row.codes, row.median, row.last) == (((200, 1),), 0.002, 10.0)


def test_what_is_refused_stands_below_and_says_by_what() -> None:
    tally = Tally()
    denied = replace(VISIT, code=403, details=NO_ADMIN, cluster="")
    limited = replace(VISIT, code=429, details="rate_limited", cluster="")
    nowhere = replace(SENT, code=502, details="direct_response", cluster="", authority="elsewhere.example")
    for call in (denied, denied, limited, nowhere, VISIT):
        tally.add(call)
    assert [(row.caller, row.called, row.outcome, row.count) for row in tally.rows()] == [
        ("customers", "storefront", "allowed", 1),
        ("customers", "storefront", "AuthorizationPolicy shop/no-admin", 2),
        ("customers", "elsewhere.example", "direct_response", 1),
        ("customers", "storefront", "rate-limit", 1),
    ]
    assert tally.refused_by("rate-limit") == 1


def test_versions_are_counted_where_calls_are_sent_to_them() -> None:
    tally = Tally()
    for subset, count in (("v1", 3), ("v2", 1)):
        cluster = f"outbound|80|{subset}|recommendation.shop.svc.cluster.local"
        for _ in range(count):
            tally.add(replace(SENT, node="storefront.shop", cluster=cluster))
    assert tally.shares() == [("v1", 3, 0.75), ("v2", 1, 0.25)]
    assert tally.rows() == []


def test_a_stranger_does_not_make_rows_without_end() -> None:
    tally = Tally()
    for number in range(MOST_ROWS * 2):
        tally.add(replace(VISIT, peer=f"spiffe://cluster.local/ns/shop/sa/a{number}"))
    tally.add(replace(VISIT, peer="nonsense"))
    rows = tally.rows()
    assert len(rows) == MOST_ROWS + 1
    assert sum(row.count for row in rows) == tally.calls == MOST_ROWS * 2 + 1
    assert next(row.count for row in rows if row.caller == OTHERS) == MOST_ROWS + 1


@given(st.lists(st.floats(min_value=0, max_value=1e6), min_size=1), st.floats(min_value=0, max_value=1))
def test_a_quantile_is_one_of_the_values_with_so_many_below(values: list[float], share: float) -> None:
    found = quantile(values, share)
    assert found in values
    assert sum(value <= found for value in values) >= len(values) * share
