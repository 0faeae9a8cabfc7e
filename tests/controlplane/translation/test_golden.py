"""Meshes in YAML, and everything that each of their proxies gets; the real Envoy takes all of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable

import pytest

from meshext.envoy.emit import emit_yaml
from meshext.envoy.process import validate
from meshext_controlplane.snapshot import Resource, build_snapshot
from meshext_controlplane.translate.decoding import snapshot_to_data
from meshext_controlplane.translate.translator import Translator
from tests.controlplane.translation.bootstraps import to_bootstrap
from tests.controlplane.translation.meshes import FOLDER, proxy_of, read_mesh

MESHES = sorted(path.stem for path in FOLDER.glob("*.yaml"))


@pytest.mark.parametrize("name", MESHES)
def test_what_proxies_get(name: str, golden: Callable[[str, str], None]) -> None:
    """Each proxy is shown with what none before it has."""
    mesh = read_mesh(name)
    translator = Translator(mesh)
    shown: dict[str, object] = {}
    seen: set[Resource] = set()
    for proxy in map(proxy_of, mesh.workloads):
        resources = [each for named in translator.snapshot(proxy).types.values() for each in named.values()]
        new = build_snapshot(each for each in resources if each not in seen)
        shown[proxy.node_id] = snapshot_to_data(new)
        seen.update(resources)
    golden(emit_yaml(shown), f"{name}.yaml")


@pytest.mark.envoy
@pytest.mark.parametrize("name", MESHES)
def test_envoy_takes_it(name: str) -> None:
    mesh = read_mesh(name)
    translator = Translator(mesh)

    async def judge() -> None:
        for workload in mesh.workloads:
            await validate(json.dumps(to_bootstrap(translator.snapshot(proxy_of(workload)))))

    asyncio.run(judge())
