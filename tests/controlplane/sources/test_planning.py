"""What filters ask of Envoy is found out in a process of its own, whatever their code does."""

from __future__ import annotations

import asyncio
from pathlib import Path

from meshext.loading import load_needs
from meshext.plan import build_plan
from meshext_controlplane.model.filter_source import FilterSource
from meshext_controlplane.sources.planning import Planning, find_filters, plan_filters
from tests.controlplane.translation.meshes import parse_mesh

HEAD = "from meshext import Filter\n"
GOOD = HEAD + "print('loading')\nclass Good(Filter):\n    def on_request(self, request): return None\n"
MESH = """
apiVersion: meshext.dev/v1
kind: FilterPolicy
metadata: {name: limits, namespace: shop}
spec: {filter: rate-limit, config: {rules: []}}
---
apiVersion: meshext.dev/v1
kind: MeshConfig
metadata: {name: mesh}
spec: {extensionProviders: [{name: ask, meshextFilter: {filter: a.py}}]}
"""


def plan(*filters: FilterSource, patience: float = 30.0) -> Planning:
    named = {("FilterPolicy", "shop", str(at)): each for at, each in enumerate(filters)}
    return asyncio.run(plan_filters(named, patience=patience))


def test_filters_are_those_of_policies_and_providers() -> None:
    assert list(find_filters(parse_mesh(MESH))) == [
        ("FilterPolicy", "shop", "limits"),
        ("Provider", "", "ask"),
    ]


def test_a_plan_is_the_one_of_meshext_config(tmp_path: Path) -> None:
    file = tmp_path / "good.py"
    file.write_text(GOOD)
    found = plan(FilterSource(filter=str(file)), FilterSource(filter=str(file), mode="proc"))
    needs = load_needs([str(file)])
    assert list(found.plans.values()) == [build_plan(needs), build_plan(needs, "proc")]


def test_one_that_does_not_load_leaves_the_others_alone(tmp_path: Path) -> None:
    (tmp_path / "good.py").write_text(GOOD)
    (tmp_path / "raising.py").write_text("raise OSError('no')")
    found = plan(
        FilterSource(filter=str(tmp_path / "raising.py")),
        FilterSource(filter="nowhere"),
        FilterSource(filter=str(tmp_path / "good.py"), config={"a": 1}),
        FilterSource(filter="rate-limit", config={"limit": 1}),
        FilterSource(filter=str(tmp_path / "good.py")),
    )
    assert [key[2] for key in found.plans] == ["4"]
    raising, nowhere, configured, limits = found.refused.values()
    assert "OSError: no" in raising
    assert "nowhere" in nowhere
    assert "takes no configuration" in configured
    assert limits.startswith("spec.config: ")


def test_one_that_ends_the_process_or_hangs_is_told(tmp_path: Path) -> None:
    (tmp_path / "good.py").write_text(GOOD)
    (tmp_path / "ending.py").write_text("import os\nos._exit(3)\n")
    (tmp_path / "hanging.py").write_text("import threading\nthreading.Event().wait()\n")
    found = plan(
        FilterSource(filter=str(tmp_path / "good.py")), FilterSource(filter=str(tmp_path / "ending.py"))
    )
    assert (len(found.plans), len(found.refused)) == (1, 1)
    found = plan(FilterSource(filter=str(tmp_path / "hanging.py")), patience=0.5)
    assert list(found.refused.values()) == ["it ends the process that loads it, or takes more than 0.5 s"]


def test_what_a_filter_starts_or_writes_keeps_nobody_waiting(tmp_path: Path) -> None:
    (tmp_path / "good.py").write_text(GOOD)
    leaving = "import os, subprocess, sys\nsubprocess.Popen([sys.executable, '-c', 'input()'])\n"
    (tmp_path / "writing.py").write_text(f"{leaving}os.write(1, b'hello')\n{GOOD}")
    (tmp_path / "forking.py").write_text(f"import os, time\nos.fork() or time.sleep(900)\n{GOOD}")
    (tmp_path / "ending.py").write_text("import os, time\nos.fork() or time.sleep(900)\nos._exit(3)")
    files = [FilterSource(filter=str(tmp_path / f"{name}.py")) for name in ("writing", "forking", "good")]
    assert len(plan(*files).plans) == 3
    assert len(plan(files[2], FilterSource(filter=str(tmp_path / "ending.py"))).plans) == 1
