"""Which mode a port has: the narrowest scope, the first document, what UNSET takes over."""

from __future__ import annotations

import pytest

from meshext_controlplane.translate.peer_authentication import mtls_mode
from tests.controlplane.translation.meshes import parse_mesh

WORKLOAD = """
kind: Workload
name: web-1
namespace: {namespace}
address: 127.1.0.1
labels: {{app: web, version: v1}}
ports: []
"""


def peer(namespace: str, mode: str, labels: str = "", ports: str = "", name: str = "a") -> str:
    selector = f"selector: {{matchLabels: {{{labels}}}}}, " if labels else ""
    levels = f", portLevelMtls: {{{ports}}}" if ports else ""
    return (
        f"apiVersion: security.istio.io/v1\nkind: PeerAuthentication\nmetadata: {{name: {name}, "
        f"namespace: {namespace}}}\nspec: {{{selector}mtls: {{mode: {mode}}}{levels}}}\n"
    )


MESH, SHOP = "istio-system", "shop"
PORT = '"8080": {mode: DISABLE}, "8081": {mode: UNSET}'

CASES = {
    "nothing": ([], "PERMISSIVE"),
    "mesh": ([peer(MESH, "STRICT")], "STRICT"),
    "namespace-over-mesh": ([peer(MESH, "STRICT"), peer(SHOP, "DISABLE")], "DISABLE"),
    "workload-over-namespace": ([peer(SHOP, "DISABLE"), peer(SHOP, "STRICT", "app: web")], "STRICT"),
    "another-workload": ([peer(SHOP, "STRICT", "app: other")], "PERMISSIVE"),
    "every-label": ([peer(SHOP, "STRICT", "app: web, version: v2")], "PERMISSIVE"),
    "another-namespace": ([peer("other", "STRICT")], "PERMISSIVE"),
    "root-with-selector": ([peer(MESH, "STRICT", "app: web")], "PERMISSIVE"),
    "first-of-a-scope": ([peer(SHOP, "DISABLE"), peer(SHOP, "STRICT", name="b")], "DISABLE"),
    "unset-namespace": ([peer(SHOP, "UNSET"), peer(MESH, "STRICT")], "STRICT"),
    "unset-workload": ([peer(SHOP, "UNSET", "app: web"), peer(SHOP, "DISABLE")], "DISABLE"),
    "unset-everywhere": ([peer(SHOP, "UNSET", "app: web"), peer(MESH, "UNSET")], "PERMISSIVE"),
    "port": ([peer(SHOP, "STRICT", "app: web", PORT)], "DISABLE"),
    "another-port": ([peer(SHOP, "STRICT", "app: web", '"81": {mode: DISABLE}')], "STRICT"),
    "unset-port": ([peer(SHOP, "STRICT", "app: web", '"8080": {mode: UNSET}')], "STRICT"),
}


@pytest.mark.parametrize("name", CASES)
def test_mode(name: str) -> None:
    documents, expected = CASES[name]
    mesh = parse_mesh("---\n".join([*documents, WORKLOAD.format(namespace=SHOP)]))
    assert mtls_mode(mesh, mesh.workloads[0], 8080).value == expected


def test_workloads_of_the_root_namespace_have_its_selectors() -> None:
    mesh = parse_mesh("---\n".join([peer(MESH, "STRICT", "app: web"), WORKLOAD.format(namespace=MESH)]))
    assert mtls_mode(mesh, mesh.workloads[0], 1).value == "STRICT"
