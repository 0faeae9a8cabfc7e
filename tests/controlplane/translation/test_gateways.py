"""What changes with an edit at a gateway, and who gets its certificates."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

import pytest

from meshext_controlplane.model.authorization_policy import AuthorizationPolicy
from meshext_controlplane.model.base import MeshDocument
from meshext_controlplane.model.gateway import Gateway
from meshext_controlplane.model.mesh import Mesh
from meshext_controlplane.model.secret import Secret
from meshext_controlplane.snapshot import ENDPOINT, LISTENER, ROUTE, SECRET, Snapshot
from meshext_controlplane.translate.decoding import decode_resource, to_data
from meshext_controlplane.translate.server_hosts import common_host, narrowest
from meshext_controlplane.translate.translator import Translator
from tests.controlplane.translation.consistency import check
from tests.controlplane.translation.meshes import parse_mesh, proxy_of, read_mesh

MESH = read_mesh("gateways")


def serve(mesh: Mesh, name: str, previous: Translator | None = None) -> Snapshot:
    """What the proxy of that name gets."""
    workload = next(each for each in mesh.workloads if each.name == name)
    return Translator(mesh, previous=previous).snapshot(proxy_of(workload))


def without(mesh: Mesh, kind: type[MeshDocument], *names: str) -> Mesh:
    """The mesh without these documents of a kind; without names, without all of them."""
    kept = tuple(each for each in mesh.documents[kind.KIND] if names and each.metadata.name not in names)
    return replace(mesh, documents=MappingProxyType({**mesh.documents, kind.KIND: kept}))


def changed(one: Snapshot, other: Snapshot) -> set[str]:
    """The types that differ."""
    return {url for url in one.types.keys() | other.types.keys() if one.named(url) != other.named(url)}


@pytest.mark.parametrize("name", ["out", "web", "near"])
def test_nobody_else_has_the_certificates(name: str) -> None:
    """Another gateway, a sidecar, and a sidecar of the gateway's namespace with its labels."""
    assert serve(MESH, name).named(SECRET) == {}


def test_a_gateway_of_another_namespace_has_none_of_them() -> None:
    front = next(each for each in MESH.workloads if each.name == "front")
    abroad = replace(front, identity=replace(front.identity, namespace="shop"))
    snapshot = serve(replace(MESH, workloads=(abroad,)), "front")
    assert set(snapshot.named(SECRET)) == {"secret|shop|elsewhere"}


def test_a_certificate_that_is_replaced_changes_nothing_else() -> None:
    (pay,) = (each for each in MESH.of(Secret) if each.metadata.name == "pay-cert")
    again = pay.model_copy(
        update={"string_data": {**pay.string_data, "cert": f"{pay.string_data['cert']}\n"}}
    )
    secrets = tuple(again if each is pay else each for each in MESH.of(Secret))
    edited = replace(MESH, documents=MappingProxyType({**MESH.documents, Secret.KIND: secrets}))
    assert changed(serve(MESH, "front"), serve(edited, "front")) == {SECRET}


def test_a_certificate_that_goes_takes_its_hosts_along() -> None:
    """And no other server has them then."""
    snapshot = serve(without(MESH, Secret, "pay-cert"), "front")
    listener = to_data(decode_resource(snapshot.named(LISTENER)["gateway-443"]))
    names = [chain["filter_chain_match"]["server_names"] for chain in listener["filter_chains"]]
    assert ["*.shop.test", "shop.test"] in names
    assert "pay.shop.test" not in [name for each in names for name in each]
    wide = to_data(decode_resource(snapshot.named(ROUTE)["https.443.https.front.edge"]))
    (host,) = (each for each in wide["virtual_hosts"] if each["domains"] == ["pay.shop.test"])
    assert host["routes"][0]["direct_response"]["status"] == 421


def test_a_policy_at_a_gateway_edits_routes_alone() -> None:
    edited = without(MESH, AuthorizationPolicy)
    raw = {"gateway-443", "gateway-9443", "gateway-7000"}  # what is not HTTP has them in its chains
    one, other = serve(MESH, "front"), serve(edited, "front")
    assert {name for name in one.named(ROUTE) if one.named(ROUTE)[name] != other.named(ROUTE)[name]}
    listeners = one.named(LISTENER)
    assert {name for name in listeners if listeners[name] != other.named(LISTENER)[name]} == raw


def test_who_calls_himself_a_gateway_is_behind_no_service() -> None:
    """Only where a Gateway listens; a token's ports hold for everybody else."""

    def endpoints(mesh: Mesh) -> str:
        return str(
            decode_resource(serve(mesh, "web").named(ENDPOINT)["outbound|8443||out.edge.svc.cluster.local"])
        )

    assert "127.1.9.2" in endpoints(MESH)
    assert "127.1.9.2" not in endpoints(without(MESH, Gateway))


OPEN = """
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: wild, namespace: edge}
spec:
  hosts: ["*.wild.test"]
  ports: [{number: 80, name: http, protocol: HTTP}]
  resolution: DYNAMIC_DNS
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: out, namespace: edge}
spec: {servers: [{port: {number: 8080, name: http, protocol: HTTP}, hosts: ["*"]}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: wild, namespace: edge}
spec:
  hosts: ["*", "*.wild.test", a.wild.test]
  gateways: [out]
  http: [{route: [{destination: {host: "*.wild.test"}}]}]
---
kind: Workload
name: out
namespace: edge
address: 127.1.9.9
gateway: true
"""


def test_a_gateway_goes_only_to_hosts_and_ports_of_a_service() -> None:
    """A service whose hosts are looked up as requests name them is no open proxy."""
    served = serve(parse_mesh(OPEN), "out").named(ROUTE)["http.8080"]
    led = {}
    for host in to_data(decode_resource(served))["virtual_hosts"]:
        (route,) = host["routes"]
        headers = route["match"].get("headers", [])
        led[host["domains"][0]] = (
            route["route"]["cluster"],
            [each["string_match"]["safe_regex"]["regex"] for each in headers],
        )
    wild = ("outbound|80||*.wild.test", ["[^:]+(:(80))?"])
    assert led == {"*": ("BlackHoleCluster", []), "*.wild.test": wild, "a.wild.test": wild}


TWICE = """
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: out, namespace: edge}
spec:
  servers:
    - {port: {number: 8443, name: one, protocol: HTTPS}, hosts: ["*"], tls: {mode: ISTIO_MUTUAL}}
    - {port: {number: 8443, name: two, protocol: HTTPS}, hosts: ["*"], tls: {mode: ISTIO_MUTUAL}}
---
kind: Workload
name: out
namespace: edge
address: 127.1.9.9
gateway: true
"""


def test_of_servers_that_are_alike_the_first_has_listener_and_routes() -> None:
    snapshot = serve(parse_mesh(TWICE), "out")
    check(snapshot)
    assert set(snapshot.named(ROUTE)) == {"https.8443.one.out.edge"}


@pytest.mark.parametrize(
    ("one", "other", "both"),
    [
        ("*", "a.test", "a.test"),
        ("*.test", "a.test", "a.test"),
        ("*.a.test", "*.test", "*.a.test"),
        ("*.a.test", "a.test", ""),
        ("a.test", "b.test", ""),
        ("*", "*", "*"),
    ],
)
def test_what_two_hosts_have_in_common(one: str, other: str, both: str) -> None:
    assert common_host(one, other) == common_host(other, one) == both


def test_the_narrowest_pattern() -> None:
    patterns = ["*", "*.test", "*.a.test", "b.a.test"]
    ranks = [narrowest(patterns, host) for host in ("x.org", "x.test", "x.a.test", "b.a.test")]
    assert ranks == sorted(set(ranks))
    assert narrowest([], "x.test") < narrowest(["*"], "x.test")
