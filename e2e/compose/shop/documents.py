"""Documents that cases put in place of the shop's own, and when every Envoy that matters has them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from e2e.compose.project import Project
from e2e.compose.shop.visiting import new_mark
from e2e.compose.waiting import wait_for

STOREFRONTS = ("storefront-1", "storefront-2")
VERSIONS = "versions.yaml"
SUBSETS = """\
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {{name: recommendation, namespace: shop}}
spec:
  host: recommendation
  subsets: [{{name: v1, labels: {{version: v1}}}}, {{name: v2, labels: {{version: v2}}}}]
  {policy}
"""
ROUTE = """\
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: recommendation, namespace: shop}
spec:
  hosts: [recommendation]
  http: %s
"""
TROUBLE = """\
apiVersion: meshext.dev/v1
kind: FilterPolicy
metadata: {{name: trouble, namespace: shop}}
spec:
  selector: {{matchLabels: {{app: recommendation, version: {version}}}}}
  filter: /suite/shop/filters/trouble.py:{kind}
  config: {config}
"""


def to(subset: str = "", weight: int = 100) -> dict[str, object]:
    """One destination of a route: a version of the recommendations, or any."""
    destination = {"host": "recommendation", **({"subset": subset} if subset else {})}
    return {"destination": destination, "weight": weight}


def in_force(shop: Project, mark: str, *sidecars: str) -> bool:
    """Whether a route of that name is in each of these Envoys."""
    return all(mark in shop.envoy(each, "/config_dump?resource=dynamic_route_configs") for each in sidecars)


@contextmanager
def routed(
    shop: Project, *rules: Mapping[str, object], policy: str = "", by: tuple[str, ...] = STOREFRONTS
) -> Iterator[None]:
    """The recommendations with other routes, once every caller has them; `policy` is a trafficPolicy.

    Then as before, and every caller has that.
    """
    mark = new_mark()
    named = [{"name": f"{mark}-{number}", **rule} for number, rule in enumerate(rules)]
    setting = f"trafficPolicy: {policy}" if policy else ""
    text = "---\n".join([SUBSETS.format(policy=setting), ROUTE % json.dumps(named)])
    with shop.changed(VERSIONS, text):
        wait_for("the routes are in force", lambda: in_force(shop, mark, *by))
        yield
    wait_for("the routes are as before", lambda: not any(in_force(shop, mark, each) for each in by))


@contextmanager
def troubled(shop: Project, version: str, kind: str, **config: object) -> Iterator[None]:
    """A version of the recommendations with a filter of `trouble.py` before it, once that is there."""
    host = f"recommendation-{version}"
    text = TROUBLE.format(version=version, kind=kind, config=json.dumps(config or None))

    def is_there() -> bool:
        chains = shop.envoy(host, "/config_dump?resource=ecds_filters")
        return "filter|shop|trouble" in chains

    with shop.changed("trouble.yaml", text):
        wait_for(f"{kind} stands before {host}", is_there)
        yield
    wait_for(f"{kind} is gone", lambda: not is_there())
