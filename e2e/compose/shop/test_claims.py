"""The demo's claims across hosts: who is let in, what is denied, how much, and what one sees of it."""

from __future__ import annotations

import secrets
from collections import Counter

import pytest

from e2e.compose.project import Project
from e2e.compose.shop.visiting import (
    CHECKOUT,
    CUSTOMER,
    RECOMMENDATION,
    RECOMMENDATIONS,
    STOREFRONT,
    get,
    identity_of,
    logged,
    metrics,
    new_mark,
    order,
    status_of,
    tell,
    value_of,
    versions,
    visit,
)
from e2e.compose.waiting import wait_for
from meshext_controlplane.demo.claims.traffic import SHARES, check_shares

SERVERS = {
    "storefront-1": "east",
    "storefront-2": "west",
    "checkout-1": "east",
    "checkout-2": "west",
    "recommendation-v1": "east",
    "recommendation-v2": "west",
    "limits-1": "east",
    "limits-2": "west",
}
SPELLINGS = ("/admin", "//admin", "/%61dmin", "/x/../admin", "/admin/takings", "/%2fadmin")
FORGED = "By=spiffe://x;URI=spiffe://cluster.local/ns/shop/sa/storefront"
USERS = 300
UNREACHABLE = ("OSError", "TimeoutError")
TARGETS = 13  # of prometheus.yaml
TRACED = {"customers", "storefront", "checkout"}


@pytest.mark.parametrize("server", SERVERS)
def test_who_has_no_certificate_of_the_mesh_is_refused(shop: Project, server: str) -> None:
    address = shop.address(server, network=SERVERS[server])
    port = 9000 if server.startswith("limits") else 8080
    for target in (f"http://{address}:{port}/healthz", f"foreign://{address}:{port}/storefront"):
        answer = shop.call("stranger", target)
        assert answer.get("answer", "") == ""
        assert status_of(answer) == 0
        assert answer.get("error", "") != "ConnectionRefusedError"  # it is there


def test_hosts_of_two_zones_do_not_reach_each_other(shop: Project) -> None:
    near, far = shop.address("recommendation-v1"), shop.address("checkout-2")
    # As the sidecar's user, whom nothing intercepts; whoever speaks no TLS is hung up on.
    assert shop.call("checkout-1", f"tcp://{near}:8080", user="1337").get("error") not in UNREACHABLE
    assert shop.call("checkout-1", f"tcp://{far}:8080", user="1337").get("error") in UNREACHABLE


def test_a_caller_is_known_by_its_certificate_alone(shop: Project) -> None:
    answer = visit(shop, get(f"{STOREFRONT}/", x_user="ann", x_forwarded_client_cert=FORGED))
    assert value_of(answer) == {"welcome": "ann", "caller": identity_of("customers")}


def test_a_denied_path_is_denied_however_it_is_spelled(shop: Project) -> None:
    mark = new_mark()
    answers = shop.send(CUSTOMER, [get(f"{STOREFRONT}{each}?{mark}") for each in SPELLINGS])
    assert [status_of(each) for each in answers] == [403] * len(SPELLINGS)
    told = logged(shop, mark, "storefront", len(SPELLINGS))
    assert {each["refused_by"] for each in told} == {"AuthorizationPolicy shop/no-admin"}


def test_only_who_is_allowed_gets_in(shop: Project) -> None:
    mark = new_mark()
    assert status_of(visit(shop, get(f"{RECOMMENDATION}/for/ann?{mark}"))) == 403
    assert logged(shop, mark, "recommendation-")[0]["refused_by"] == "no ALLOW matched"
    answer = visit(shop, get(RECOMMENDATIONS, x_user="ann"))
    assert value_of(answer)["caller"] == identity_of("storefront")


def test_the_python_policy_decides(shop: Project) -> None:
    mark = new_mark()
    assert status_of(visit(shop, order(url=f"{CHECKOUT}/orders?{mark}"))) == 403
    assert logged(shop, mark, "checkout-")[0]["refused_by"] == "no ALLOW matched"
    answer = visit(shop, order())
    assert (status_of(answer), value_of(answer)["caller"]) == (201, identity_of("storefront"))


def test_nobody_is_called_who_is_not_written_down(shop: Project) -> None:
    address = shop.address("prometheus", network="east")
    assert status_of(shop.call("stranger", f"http://{address}:9090/-/ready")) == 200
    assert status_of(shop.call(CUSTOMER, f"http://{address}:9090/-/ready")) in (0, 502)


def test_the_split_is_kept(shop: Project) -> None:
    users = [new_mark() for _ in range(USERS)]
    first = versions(shop, users)
    check_shares(Counter(first), SHARES)
    assert versions(shop, users[:50]) == first[:50]


def test_spans_of_one_order_arrive_in_one_trace(shop: Project) -> None:
    trace, root = secrets.token_hex(16), secrets.token_hex(8)
    assert status_of(visit(shop, order(traceparent=f"00-{trace}-{root}-01"))) == 201

    def whole() -> bool:
        spans = tell(shop, f"spans?{trace}")
        known = {each["id"] for each in spans} | {root}
        seen = {each["service"].partition(".")[0] for each in spans}
        return seen >= TRACED and all(each["parent"] in known for each in spans)

    wait_for("spans of three hosts in one trace", whole)


def test_the_telemetry_filter_tells_and_keeps_secrets(shop: Project) -> None:
    mark = new_mark()
    assert status_of(visit(shop, get(f"{RECOMMENDATIONS}?{mark}&token=s3cr3t"))) == 200
    told = logged(shop, mark, "storefront")[0]["filters"]["telemetry"]
    assert told["route"] == "/recommendations"
    assert "customers" in told["peer"]
    assert "s3cr3t" not in str(told)


def test_prometheus_sees_every_host_and_counts(shop: Project) -> None:
    asked = metrics(shop)
    wait_for("every target is up", lambda: asked.number("count(up)") == asked.number("sum(up)") == TARGETS)
    labels = 'instance="customers:15090",envoy_cluster_name=~".*storefront.*"'
    counted = f"sum(envoy_cluster_upstream_rq_total{{{labels}}})"
    before = asked.number(counted)
    shop.send(CUSTOMER, [get(f"{STOREFRONT}/")] * 20)
    wait_for("twenty more calls are counted", lambda: asked.number(counted) >= before + 20)
