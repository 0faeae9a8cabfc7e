"""Transparent sidecars of every mesh: what they get holds together, and the real Envoy takes it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from e2e.certificates import Authority
from meshext.envoy.emit import emit_yaml
from meshext.envoy.process import validate
from meshext_controlplane.model.proxy import Proxy, Transparent
from meshext_controlplane.model.workload import Workload
from meshext_controlplane.snapshot import CLUSTER, LISTENER, Resource, build_snapshot
from meshext_controlplane.translate.decoding import snapshot_to_data
from meshext_controlplane.translate.translator import Translator
from meshext_controlplane.translate.upstream_tls import SYSTEM_ROOTS
from tests.controlplane.translation.bootstraps import to_bootstrap
from tests.controlplane.translation.consistency import check
from tests.controlplane.translation.meshes import proxy_of, read_mesh
from tests.controlplane.translation.test_golden import MESHES, fold


def transparent(workload: Workload) -> Proxy:
    return proxy_of(workload, transparent=Transparent())


@pytest.mark.parametrize("name", MESHES)
def test_it_holds_together(name: str) -> None:
    mesh = read_mesh(name)
    translator = Translator(mesh)
    for workload in mesh.workloads:
        check(translator.snapshot(transparent(workload)))


def test_what_proxies_get(golden: Callable[[str, str], None]) -> None:
    mesh = read_mesh("transparent")
    translator = Translator(mesh)
    shown: dict[str, object] = {}
    seen: set[Resource] = set()
    for proxy in map(transparent, mesh.workloads):
        types = translator.snapshot(proxy).types
        resources = [each for named in types.values() for each in named.values()]
        new = build_snapshot(each for each in resources if each not in seen)
        shown[proxy.node_id] = snapshot_to_data(new)
        seen.update(resources)
    golden(emit_yaml(fold(shown, "", {})), "transparent.yaml")


def test_explicit_proxies_stay_as_they_are() -> None:
    mesh = read_mesh("transparent")
    workload = mesh.workloads[0]
    alone = Translator(mesh).snapshot(proxy_of(workload))
    beside = Translator(mesh)
    beside.snapshot(transparent(workload))
    assert beside.snapshot(proxy_of(workload)) == alone
    assert (
        alone.named(CLUSTER)["PassthroughCluster"]
        != (beside.snapshot(transparent(workload)).named(CLUSTER)["PassthroughCluster"])
    )


def test_without_dns_nobody_answers_names() -> None:
    mesh = read_mesh("transparent")
    proxy = proxy_of(mesh.workloads[0], transparent=Transparent(dns=None))
    assert "dns" not in Translator(mesh).snapshot(proxy).named(LISTENER)


@pytest.mark.envoy
@pytest.mark.parametrize("name", MESHES)
def test_envoy_takes_it(name: str, tmp_path: Path) -> None:
    mesh = read_mesh(name)
    translator = Translator(mesh)
    authority = Authority(tmp_path, "ca")
    authority.issue("leaf", [])

    async def judge() -> None:
        for workload in mesh.workloads:
            bootstrap = json.dumps(to_bootstrap(translator.snapshot(transparent(workload))))
            bootstrap = bootstrap.replace(SYSTEM_ROOTS, str(authority.file))
            await validate(bootstrap.replace("CERTS", str(tmp_path)))

    asyncio.run(judge())
