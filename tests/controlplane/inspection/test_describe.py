"""`meshext describe` on a mesh that has a document of every kind, and against what is served."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict

import pytest

from meshext_controlplane.cli.describe import to_lines
from meshext_controlplane.inspection.describe import describe
from meshext_controlplane.translate.decoding import snapshot_to_data
from meshext_controlplane.translate.translator import Translator
from tests.controlplane.inspection.views import REFUSED, SYNCED, read_shop, view_of
from tests.controlplane.translation.consistency import find
from tests.controlplane.translation.meshes import parse_mesh, proxy_of, read_mesh

MESH = read_shop()
VIEW = view_of(MESH, **{"reviews-2": SYNCED, "caller": REFUSED})
PORT_CHAINS = {"STRICT": ["mtls"], "PERMISSIVE": ["mtls", "plaintext"], "DISABLE": ["plaintext"]}


@pytest.mark.parametrize("name", [each.name for each in MESH.workloads])
def test_what_is_shown(name: str, golden: Callable[[str, str], None]) -> None:
    (workload,) = VIEW.workload(name)
    golden("\n".join(to_lines(describe(VIEW, workload))) + "\n", f"{name}.txt")


def test_for_machines(golden: Callable[[str, str], None]) -> None:
    (workload,) = VIEW.workload("shop/reviews-2")
    golden(json.dumps(asdict(describe(VIEW, workload)), indent=2) + "\n", "reviews-2.json")


@pytest.mark.parametrize("name", [each.name for each in MESH.workloads])
def test_it_says_what_is_served(name: str) -> None:
    """Chains for mTLS modes, RBAC for policies, filters by name: found in the snapshot itself."""
    (workload,) = VIEW.workload(name)
    described = describe(VIEW, workload)
    served = snapshot_to_data(Translator(MESH).snapshot(proxy_of(workload)))
    listeners = {each["name"]: each for each in served["Listener"]}
    for port in described.ports:
        chains = [each["name"] for each in listeners[f"inbound-{port.number}"]["filter_chains"]]
        assert chains == PORT_CHAINS[port.mtls]
    text = json.dumps(served)
    for policy in described.filters:
        inbound_http = any(port.protocol in ("http", "grpc") for port in described.ports)
        if policy.direction == "outbound" or inbound_http:
            assert f"filter|{policy.policy.replace('/', '|')}" in text
    for rule in described.authorization:
        if described.ports and not rule.provider:
            namespace, _, own = rule.policy.partition("/")
            assert f"ns[{namespace}]-policy[{own}]-rule[0]" in text


GATES = read_mesh("gateways")


@pytest.mark.parametrize("name", ["front", "out", "near"])
def test_gateways_are_shown(name: str, golden: Callable[[str, str], None]) -> None:
    view = view_of(GATES, front=SYNCED)
    (workload,) = view.workload(name)
    golden("\n".join(to_lines(describe(view, workload))) + "\n", f"gateway-{name}.txt")


def test_a_gateway_says_what_is_served() -> None:
    """A host is in the names of a filter chain, unless its certificate is missing."""
    view = view_of(GATES)
    (workload,) = view.workload("edge/front")
    described = describe(view, workload)
    served = snapshot_to_data(Translator(GATES).snapshot(proxy_of(workload)))
    names = {name for chain in find(served, "filter_chain_match") for name in chain.get("server_names", ())}
    for server in described.servers:
        if server.protocol == "HTTPS":
            hosts = {host.rpartition("/")[2] for host in server.hosts}
            assert hosts <= names if not server.missing else not hosts & names
    assert [each.name for each in described.servers if each.missing] == [
        "https-broken",
        "https-elsewhere",
        "https-no-authority",
    ]


@pytest.mark.parametrize(
    ("name", "found"), [("web", ["web"]), ("other/web", []), ("other/caller", ["caller"])]
)
def test_workloads_by_name(name: str, found: list[str]) -> None:
    assert [each.name for each in VIEW.workload(name)] == found


SCOPED = """\
apiVersion: v1
kind: Service
metadata: {name: reviews, namespace: shop}
spec: {selector: {app: reviews}, ports: [{name: http, port: 80}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: split, namespace: shop}
spec: {hosts: [reviews], http: [{route: [{destination: {host: reviews}}]}]}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: rule, namespace: shop}
spec: {host: reviews}
---
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {name: hidden, namespace: far}
spec: {egress: [{hosts: ["./*"]}]}
---
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {name: some, namespace: near}
spec: {workloadSelector: {labels: {app: blind}}, egress: [{hosts: ["./*"]}]}
---
kind: Workload
name: reviews-1
namespace: shop
address: 127.1.7.2
labels: {app: reviews}
ports: [{number: 80, application: "127.0.0.1:8080", protocol: http}]
---
kind: Workload
name: far-1
namespace: far
address: 127.1.7.3
ports: []
---
kind: Workload
name: blind-1
namespace: near
address: 127.1.7.4
labels: {app: blind}
ports: []
---
kind: Workload
name: seeing-1
namespace: near
address: 127.1.7.5
ports: []
"""


def test_who_does_not_see_a_service_is_no_caller_of_it() -> None:
    mesh = parse_mesh(SCOPED)
    view = view_of(mesh)
    (workload,) = view.workload("reviews-1")
    described = describe(view, workload)
    (routes,), (rule,) = described.virtual_services, described.destination_rules
    assert routes.callers == rule.callers == ("near (seeing-1)", "shop")
    for name, served in [("far-1", False), ("blind-1", False), ("seeing-1", True)]:
        (caller,) = view.workload(name)
        assert ("reviews.shop" in str(Translator(mesh).snapshot(proxy_of(caller)).types)) is served
