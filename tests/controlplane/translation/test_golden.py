"""Meshes in YAML, and everything that each of their proxies gets; the real Envoy takes all of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from e2e.certificates import Authority
from meshext.envoy.emit import emit_yaml
from meshext.envoy.process import validate
from meshext_controlplane.snapshot import Resource, build_snapshot
from meshext_controlplane.translate.decoding import snapshot_to_data
from meshext_controlplane.translate.translator import Translator
from meshext_controlplane.translate.upstream_tls import SYSTEM_ROOTS
from tests.controlplane.translation.bootstraps import to_bootstrap
from tests.controlplane.translation.consistency import check
from tests.controlplane.translation.meshes import FOLDER, proxy_of, read_mesh

LONG = 160  # characters of a part that is not written twice
MESHES = sorted(path.stem for path in FOLDER.glob("*.yaml"))


def fold(data: Any, place: str, seen: dict[str, str]) -> Any:
    """The data, with a word about where it stands in place of each larger part that was there before."""
    if not isinstance(data, dict | list):
        return data
    text = json.dumps(data)
    if len(text) >= LONG and seen.setdefault(text, place) != place:
        return f"<as {seen[text]}>"
    pairs = data.items() if isinstance(data, dict) else enumerate(data)
    folded = {key: fold(value, f"{place}/{key}", seen) for key, value in pairs}
    return folded if isinstance(data, dict) else list(folded.values())


@pytest.mark.parametrize("name", MESHES)
def test_what_proxies_get(name: str, golden: Callable[[str, str], None]) -> None:
    """Each proxy is shown with what none before it has."""
    mesh = read_mesh(name)
    translator = Translator(mesh)
    shown: dict[str, object] = {}
    seen: set[Resource] = set()
    for proxy in map(proxy_of, mesh.workloads):
        snapshot = translator.snapshot(proxy)
        check(snapshot)
        resources = [each for named in snapshot.types.values() for each in named.values()]
        new = build_snapshot(each for each in resources if each not in seen)
        shown[proxy.node_id] = snapshot_to_data(new)
        seen.update(resources)
    golden(emit_yaml(fold(shown, "", {})), f"{name}.yaml")


@pytest.mark.envoy
@pytest.mark.parametrize("name", MESHES)
def test_envoy_takes_it(name: str, tmp_path: Path) -> None:
    mesh = read_mesh(name)
    translator = Translator(mesh)
    authority = Authority(tmp_path, "ca")
    authority.issue("leaf", [])

    async def judge() -> None:
        for workload in mesh.workloads:
            bootstrap = json.dumps(to_bootstrap(translator.snapshot(proxy_of(workload))))
            bootstrap = bootstrap.replace(SYSTEM_ROOTS, str(authority.file))
            await validate(bootstrap.replace("CERTS", str(tmp_path)))

    asyncio.run(judge())
