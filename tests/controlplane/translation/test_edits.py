"""What an edit of the mesh changes in what a proxy has, and what stays the very same object."""

from __future__ import annotations

from dataclasses import replace

import pytest

from meshext_controlplane.model.mesh import Mesh
from meshext_controlplane.model.workload import State
from meshext_controlplane.snapshot import Resource, Snapshot
from meshext_controlplane.translate.translator import Translator
from tests.controlplane.translation.consistency import check
from tests.controlplane.translation.meshes import parse_mesh, proxy_of

BASE = """
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {selector: {app: web}, ports: [{name: http, port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: api, namespace: shop}
spec: {selector: {app: api}, ports: [{name: http, port: 80}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: web, namespace: shop}
spec: {hosts: [web], http: [{route: [{destination: {host: api}}]}]}
---
kind: Workload
name: client
namespace: shop
address: 127.1.0.1
---
kind: Workload
name: web-1
namespace: shop
account: web
address: 127.1.0.2
labels: {app: web}
ports: [{number: 80, application: "unix:/run/web.sock"}]
---
kind: Workload
name: api-1
namespace: shop
account: api
address: 127.1.0.3
labels: {app: api}
ports: [{number: 80, application: "unix:/run/api.sock"}]
"""
WEB, API = "web.shop.svc.cluster.local", "api.shop.svc.cluster.local"
NETWORKING = "\n---\napiVersion: networking.istio.io/v1\nmetadata: {name: r, namespace: shop}\n"
RULE = f"{NETWORKING}kind: DestinationRule\nspec: "
HASHED = "trafficPolicy: {loadBalancer: {consistentHash: {httpHeaderName: x}}}"
POOL = "{connectionPool: {tcp: {maxConnections: 1}}}"
ROUTES = {"RouteConfiguration outbound-http"}


def edited(old: str, new: str) -> Mesh:
    assert old in BASE
    return parse_mesh(BASE.replace(old, new))


def with_workload(**changes: object) -> Mesh:
    """The mesh in which the workload web-1 is another one."""
    mesh = parse_mesh(BASE)
    client, web, api = mesh.workloads
    return replace(mesh, workloads=(client, replace(web, **changes), api))  # type: ignore[arg-type]


EDITS: dict[str, tuple[Mesh, set[str]]] = {
    "nothing": (parse_mesh(BASE), set()),
    "a workload's state": (
        with_workload(state=State.DRAINING),
        {f"ClusterLoadAssignment outbound|80||{WEB}"},
    ),
    "a workload goes": (
        replace(parse_mesh(BASE), workloads=parse_mesh(BASE).workloads[::2]),
        {f"ClusterLoadAssignment outbound|80||{WEB}", f"Cluster outbound|80||{WEB}"},
    ),
    "a route": (edited("http: [{route", "http: [{timeout: 1s, route"), ROUTES),
    "a rule": (
        parse_mesh(f"{BASE}{RULE}{{host: web, trafficPolicy: {POOL}}}"),
        {f"Cluster outbound|80||{WEB}"},
    ),
    "what a route's destination hashes": (
        parse_mesh(f"{BASE}{RULE}{{host: api, {HASHED}}}"),
        {f"Cluster outbound|80||{API}", *ROUTES},
    ),
    "a subset": (
        parse_mesh(f"{BASE}{RULE}{{host: web, subsets: [{{name: v1}}]}}"),
        {f"Cluster outbound|80|v1|{WEB}", f"ClusterLoadAssignment outbound|80|v1|{WEB}"},
    ),
    "a destination's port": (
        edited("app: api}, ports: [{name: http, port: 80}]", "app: api}, ports: [{name: http, port: 81}]"),
        {
            f"Cluster outbound|81||{API}",
            f"ClusterLoadAssignment outbound|81||{API}",
            f"Cluster outbound|80||{API}",
            f"ClusterLoadAssignment outbound|80||{API}",
            *ROUTES,
        },
    ),
}


def resources(snapshot: Snapshot) -> dict[str, Resource]:
    return {
        f"{url.rpartition('.')[2]} {name}": each
        for url, named in snapshot.types.items()
        for name, each in named.items()
    }


@pytest.mark.parametrize("edit", EDITS)
def test_edit(edit: str) -> None:
    mesh, wanted = EDITS[edit]
    before = Translator(parse_mesh(BASE))
    proxy = proxy_of(mesh.workloads[0])
    old = resources(before.snapshot(proxy))
    new = resources(Translator(mesh, previous=before).snapshot(proxy))
    assert {name for name in {**old, **new} if old.get(name) is not new.get(name)} == wanted


def test_workloads_alone_leave_other_types_alone() -> None:
    mesh = parse_mesh(BASE)
    before = Translator(mesh)
    proxy = proxy_of(mesh.workloads[1])
    old = before.snapshot(proxy)
    client, web, api = mesh.workloads
    later = replace(mesh, workloads=(client, web, replace(api, weight=7)))
    new = Translator(later, previous=before).snapshot(proxy)
    assert {url for url in old.types if old.types[url] is not new.types[url]} == {
        url for url in old.types if url.endswith("ClusterLoadAssignment")
    }
    assert Translator(later, previous=before).snapshot(proxy).types == new.types
    assert before.snapshot(proxy).types == old.types


def test_clients_that_see_the_same_share_it() -> None:
    mesh = parse_mesh(BASE)
    translator = Translator(mesh)
    one, other, _ = (translator.snapshot(proxy_of(each)) for each in mesh.workloads)
    shared = resources(one)
    for name, resource in resources(other).items():
        if "inbound" not in name and not name.startswith("Listener"):
            assert resource is shared[name]


PROVIDER = """
---
apiVersion: meshext.dev/v1
kind: MeshConfig
metadata: {name: mesh}
spec: {extensionProviders: [{name: p, envoyExtAuthzGrpc: {service: authz.test, port: 80}}]}
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: ask, namespace: shop}
spec: {action: CUSTOM, provider: {name: p}, rules: [{to: [{operation: {paths: ["/x"]}}]}]}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: authz, namespace: other}
spec:
  hosts: [authz.test]
  ports: [{number: 80, protocol: GRPC, name: grpc}]
  resolution: DNS
  exportTo: [EXPORTED]
"""


@pytest.mark.parametrize(("exported", "asks"), [("shop", True), (".", False)])
def test_a_provider_that_a_workload_does_not_see_is_not_asked(exported: str, asks: bool) -> None:
    mesh = parse_mesh(BASE + PROVIDER.replace("EXPORTED", exported))
    snapshot = Translator(mesh).snapshot(proxy_of(mesh.workloads[1]))
    check(snapshot)
    assert (b"custom-denied" not in resources(snapshot)["Listener inbound-80"].body) is asks


def test_a_name_that_two_services_have_belongs_to_the_first() -> None:
    spec = "{hosts: [web.shop], ports: [{number: 80, protocol: HTTP, name: http}]}"
    mesh = parse_mesh(f"{BASE}{NETWORKING}kind: ServiceEntry\nspec: {spec}")
    snapshot = Translator(mesh).snapshot(proxy_of(mesh.workloads[0]))
    check(snapshot)
    assert "Cluster outbound|80||web.shop" in resources(snapshot)
