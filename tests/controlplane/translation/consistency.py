"""Whether what a proxy has holds together."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from meshext_controlplane.snapshot import CLUSTER, ENDPOINT, LISTENER, ROUTE, Snapshot
from meshext_controlplane.subscription.consistency import check_snapshot
from meshext_controlplane.subscription.differences import Differences
from meshext_controlplane.subscription.references import References
from meshext_controlplane.translate.decoding import decode_resource, to_data
from meshext_controlplane.translate.messages import SDS_CLUSTER


def texts(data: Any, key: str) -> Iterator[str]:
    """Every text under a key, however deep."""
    if isinstance(data, dict):
        for name, value in data.items():
            if name == key and isinstance(value, str):
                yield value
            yield from texts(value, key)
    elif isinstance(data, list):
        for value in data:
            yield from texts(value, key)


def check(snapshot: Snapshot) -> None:
    """Every name that is mentioned is there; routes and endpoints are there that somebody mentions."""
    named = {url: snapshot.named(url) for url in (CLUSTER, ENDPOINT, LISTENER, ROUTE)}
    data = {url: [to_data(decode_resource(each)) for each in found.values()] for url, found in named.items()}
    wanted = set(texts([data[LISTENER], data[ROUTE]], "cluster"))
    for routes in data[ROUTE]:
        wanted |= {each for part in find(routes, "weighted_clusters") for each in texts(part, "name")}
        domains = [domain for host in routes.get("virtual_hosts", []) for domain in host["domains"]]
        assert len(set(domains)) == len(domains)
    wanted |= {each for part in find(data[LISTENER], "weighted_clusters") for each in texts(part, "name")}
    assert wanted <= named[CLUSTER].keys()
    assert set(texts(data[LISTENER], "route_config_name")) == named[ROUTE].keys()
    eds = {each["name"] for each in data[CLUSTER] if each.get("type") == "EDS"}
    assert eds == named[ENDPOINT].keys()
    assert check_snapshot(snapshot, References(), Differences(), static=frozenset({SDS_CLUSTER})) == ()
    addresses = [json.dumps(each["address"]) for each in data[LISTENER] if "api_listener" not in each]
    assert len(set(addresses)) == len(addresses)


def find(data: Any, key: str) -> Iterator[Any]:
    """Every part under a key."""
    if isinstance(data, dict):
        for name, value in data.items():
            if name == key:
                yield value
            yield from find(value, key)
    elif isinstance(data, list):
        for value in data:
            yield from find(value, key)
