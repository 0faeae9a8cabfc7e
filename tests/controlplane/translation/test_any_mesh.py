"""Whatever valid documents say together, every proxy gets something that holds together."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from e2e.certificates import Authority
from meshext.envoy.process import validate
from meshext_controlplane.model.mesh import Mesh
from meshext_controlplane.model.proxy import Proxy, Transparent
from meshext_controlplane.snapshot import Snapshot
from meshext_controlplane.translate.translator import Translator
from meshext_controlplane.translate.upstream_tls import SYSTEM_ROOTS
from tests.controlplane.translation.bootstraps import to_bootstrap
from tests.controlplane.translation.consistency import check
from tests.controlplane.translation.generated import meshes, workloads
from tests.controlplane.translation.meshes import proxy_of


@pytest.fixture(scope="module")
def roots(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(Authority(tmp_path_factory.mktemp("roots"), "ca").file)


def without(mesh: Mesh, kind: str) -> Mesh:
    """The mesh without its documents of one kind."""
    kept = {name: each for name, each in mesh.documents.items() if name != kind}
    return replace(mesh, documents=MappingProxyType(kept))


def sidecars(mesh: Mesh) -> Iterator[Proxy]:
    """The sidecars of its workloads: of each an explicit one and a transparent one."""
    for workload in mesh.workloads:
        yield proxy_of(workload)
        yield replace(proxy_of(workload, transparent=Transparent()), node_id=f"t-{workload.name}")


def bodies(snapshot: Snapshot) -> dict[tuple[str, str], bytes]:
    return {(url, each.name): each.body for url, named in snapshot.types.items() for each in named.values()}


@given(meshes())
def test_snapshots_hold_together(mesh: Mesh) -> None:
    translator = Translator(mesh)
    for proxy in sidecars(mesh):
        check(translator.snapshot(proxy))


@given(meshes(), meshes(), workloads())
def test_what_is_taken_over_is_what_is_made_anew(one: Mesh, other: Mesh, later: Any) -> None:
    """Whatever came before, a translation gives what it would have given alone."""
    history = [one, replace(one, workloads=later), other, replace(other, workloads=one.workloads), one]
    history += [without(one, kind) for kind in one.documents]
    translator: Translator | None = None
    for number, mesh in enumerate(history):
        translator = Translator(mesh, previous=translator)
        if number == 1:
            continue  # a mesh that nobody has asked about
        for proxy in sidecars(mesh):
            assert bodies(translator.snapshot(proxy)) == bodies(Translator(mesh).snapshot(proxy))


@pytest.mark.envoy
@pytest.mark.slow
@settings(max_examples=40)
@given(mesh=meshes(), data=st.data())
def test_envoy_takes_any_of_them(mesh: Mesh, data: st.DataObject, roots: str) -> None:
    proxy = data.draw(st.sampled_from(list(sidecars(mesh))))
    bootstrap = json.dumps(to_bootstrap(Translator(mesh).snapshot(proxy)))
    asyncio.run(validate(bootstrap.replace(SYSTEM_ROOTS, roots)))
