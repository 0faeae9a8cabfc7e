"""What gRPC clients without an Envoy get, and that the real client takes all of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from meshext.envoy.emit import emit_yaml
from meshext_controlplane.inspection.grpc_limits import tell_limits
from meshext_controlplane.model.mesh import Mesh
from meshext_controlplane.model.proxy import Proxy, ProxyKind
from meshext_controlplane.model.workload import Workload
from meshext_controlplane.snapshot import Resource, build_snapshot
from meshext_controlplane.translate.decoding import snapshot_to_data
from meshext_controlplane.translate.translator import Translator
from tests.controlplane.translation.consistency import check
from tests.controlplane.translation.dialing import Taker, taking
from tests.controlplane.translation.generated import meshes, workloads
from tests.controlplane.translation.meshes import parse_mesh, proxy_of, read_mesh
from tests.controlplane.translation.test_golden import fold

CALLS = Path(__file__).with_name("grpc") / "calls.yaml"


def read(name: str) -> Mesh:
    return parse_mesh(CALLS.read_text(encoding="utf-8")) if name == "calls" else read_mesh(name)


def client_of(workload: Workload) -> Proxy:
    return replace(proxy_of(workload), kind=ProxyKind.GRPC)


def test_what_clients_get(golden: Callable[[str, str], None]) -> None:
    """Each client is shown with what none before it has."""
    mesh, shown, seen = read("calls"), {}, set[Resource]()
    translator = Translator(mesh)
    for workload in (*mesh.workloads[-2:], *mesh.workloads[-4:-2]):
        snapshot = translator.snapshot(client_of(workload))
        check(snapshot)
        resources = [each for named in snapshot.types.values() for each in named.values()]
        new = build_snapshot(each for each in resources if each not in seen)
        shown[f"{workload.name}.{workload.namespace}"] = snapshot_to_data(new)
        seen.update(resources)
    golden(emit_yaml(fold(shown, "", {})), "calls.yaml")


@pytest.mark.parametrize("name", ["calls", "virtual-services", "destination-rules", "filters"])
def test_what_they_do_not_do_is_told(name: str, golden: Callable[[str, str], None]) -> None:
    mesh = read(name)
    told = dict.fromkeys(line for each in mesh.workloads[-4:] for line in tell_limits(mesh, each))
    golden("\n".join(told) + "\n", f"{name}.txt")


def test_what_has_not_changed_is_the_same_object() -> None:
    mesh = read("calls")
    before = Translator(mesh)
    client = client_of(mesh.workloads[-2])
    snapshot = before.snapshot(client)
    again = Translator(replace(mesh, workloads=mesh.workloads[:]), previous=before)
    assert again.snapshot(client) is snapshot
    gone = Translator(replace(mesh, workloads=mesh.workloads[1:]), previous=again).snapshot(client)
    changed = [url.rpartition(".")[2] for url in snapshot.types if gone.named(url) is not snapshot.named(url)]
    assert changed == ["ClusterLoadAssignment"]


def test_envoys_offer_h2_where_grpc_itself_answers() -> None:
    mesh = read("calls")
    snapshot = Translator(mesh).snapshot(proxy_of(mesh.workloads[-2]))
    clusters = snapshot_to_data(snapshot)["Cluster"]
    offered = {
        each["name"]: [one["name"] for one in each.get("transport_socket_matches", ())] for each in clusters
    }
    assert offered["outbound|50051||served.shop.svc.cluster.local"] == ["grpc", "meshext", "plaintext"]
    assert offered["outbound|50051||echo.shop.svc.cluster.local"] == ["meshext", "plaintext"]


@given(meshes(), workloads())
def test_snapshots_hold_together(mesh: Mesh, later: Any) -> None:
    """Whatever documents say together, and whatever came before."""
    translator = Translator(mesh)
    for now in (mesh, replace(mesh, workloads=later)):
        translator = Translator(now, previous=translator)
        for client in map(client_of, now.workloads):
            snapshot = translator.snapshot(client)
            check(snapshot)
            assert snapshot.types == Translator(now).snapshot(client).types


@pytest.fixture(scope="module")
def taker() -> Any:
    with taking() as made:
        yield made


@pytest.mark.parametrize("name", ["calls", "virtual-services", "destination-rules", "localities", "sidecars"])
def test_grpc_takes_it(name: str, taker: Taker) -> None:
    mesh = read(name)
    for workload in mesh.workloads[-2:]:
        assert asyncio.run(taker.refusals(Translator(mesh).snapshot(client_of(workload)))) == []


@pytest.mark.slow
@settings(max_examples=20)
@given(mesh=meshes())
def test_grpc_takes_any_of_them(mesh: Mesh, taker: Taker) -> None:
    for client in map(client_of, mesh.workloads[:1]):
        assert asyncio.run(taker.refusals(Translator(mesh).snapshot(client))) == []
