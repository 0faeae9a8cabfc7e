"""Limits and tokens: counted for the whole shop, believed wherever they come from."""

from __future__ import annotations

import json
import time
from collections import Counter

from e2e.compose.project import Project
from e2e.compose.shop.visiting import (
    CUSTOMER,
    ORDERS,
    STOREFRONT,
    eventually,
    get,
    logged,
    metrics,
    new_mark,
    order,
    status_of,
    visit,
)
from e2e.compose.waiting import wait_for
from e2e.limiting import Issuer

BURST, REFILL = 5, 60.0  # mesh/limits.yaml
ORDERED = 24
TOKENS = """\
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: {name: customers, namespace: shop}
spec:
  selector: {matchLabels: {app: storefront}}
  jwtRules: [{issuer: https://customers.test, audiences: [shop], jwks: '%s'}]
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: with-a-token, namespace: shop}
spec:
  selector: {matchLabels: {app: storefront}}
  action: DENY
  rules:
    - from: [{source: {notRequestPrincipals: ["https://customers.test/*"]}}]
      to: [{operation: {paths: [/recommendations]}}]
"""


def test_two_sidecars_count_in_one_redis(shop: Project) -> None:
    user = new_mark()
    began = time.monotonic()
    answers = shop.send(CUSTOMER, [order(user, url=f"{ORDERS}?{user}")] * ORDERED)
    statuses = Counter(map(status_of, answers))
    most = BURST + 1 + int((time.monotonic() - began) * BURST / REFILL)
    assert set(statuses) == {201, 429}
    assert BURST <= statuses[201] <= most
    told = logged(shop, user, "storefront-", ORDERED)
    assert {each["node"] for each in told} == {"storefront-1.shop", "storefront-2.shop"}
    assert sum(each["refused_by"] == "rate-limit" for each in told) == statuses[429]
    assert int(shop.exec("redis", "redis-cli", "dbsize")) > 0
    assert status_of(visit(shop, order())) == 201  # somebody else

    def both() -> bool:
        query = 'sum by (instance) (rate_limit_requests_total{rule="orders"})'
        return len([each for each in metrics(shop).query(query) if float(each["value"][1]) > 0]) == 2

    wait_for("both services have counted", both)


def test_tokens_are_asked_for_and_checked(shop: Project) -> None:
    issuer, other = Issuer("customers"), Issuer("customers")
    jwks = json.dumps(issuer.provider()["jwks"])
    past = int(time.time()) - 3600
    good = issuer.token(sub="ann", aud="shop")
    tokens = {
        good: 200,
        issuer.token(sub="ann", aud="another"): 403,
        issuer.token(sub="ann", aud="shop", exp=past): 401,
        other.token(sub="ann", aud="shop"): 401,
        "nonsense": 401,
    }
    asked = f"{STOREFRONT}/recommendations"
    with shop.changed("tokens.yaml", TOKENS % jwks):
        eventually(shop, "a token is asked for", get(asked), 403)
        eventually(shop, "it is believed", get(asked, authorization=f"Bearer {good}"), 200)
        answers = shop.send(CUSTOMER, [get(asked, authorization=f"Bearer {each}") for each in tokens])
        assert [status_of(each) for each in answers] == [*tokens.values()]
        assert status_of(visit(shop, get(f"{STOREFRONT}/"))) == 200  # no token is asked for there
    eventually(shop, "none is asked for any more", get(asked), 200)
