"""`meshext analyze`: findings for people and machines, levels, exit codes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Ended
from tests.controlplane.analysis.cases import CASES, document, peer

Run = Callable[..., Ended]

WRONG = peer("wrong", "{mtls: {mode: strict}}")


@pytest.fixture
def mesh(tmp_path: Path) -> Path:
    folder = tmp_path / "mesh"
    folder.mkdir()
    (folder / "warned.yaml").write_text("---\n".join(CASES["MX109"]), encoding="utf-8")
    (folder / "noted.yaml").write_text("---\n".join(CASES["MX105"]), encoding="utf-8")
    return folder


def test_findings_are_by_place_with_code_and_hint(meshext: Run, mesh: Path) -> None:
    ended = meshext("analyze", str(mesh))
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.replace(f"{mesh}/", "").splitlines() == [
        "Info [MX105] noted.yaml:4: AuthorizationPolicy shop/long: spec.rules[0].to[0].operation.paths: "
        "'/foo*' takes '/foox' too; write '/foo' and '/foo/*'",
        "Warning [MX109] warned.yaml:9: PeerAuthentication shop/two: spec: one is for the same workloads and "
        "counts alone; leave one of them out",
    ]


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ([], 0),
        (["--failure-threshold", "warning"], 1),
        (["--failure-threshold", "warning", "-S", "MX109"], 0),
        (["--failure-threshold", "info", "-S", "MX109"], 1),
        (["--failure-threshold", "info", "-S", "MX109", "-S", "MX105"], 0),
        (["--failure-threshold", "all"], 2),
        (["-S", "MX999"], 2),
    ],
)
def test_exit_codes(meshext: Run, mesh: Path, options: list[str], code: int) -> None:
    assert meshext("analyze", str(mesh), *options).code == code


def test_what_is_refused_is_an_error_and_the_rest_is_looked_at(meshext: Run, mesh: Path) -> None:
    (mesh / "wrong.yaml").write_text(WRONG, encoding="utf-8")
    ended = meshext("analyze", str(mesh / "wrong.yaml"), str(mesh), "--json")
    assert ended.code == 1
    found = json.loads(ended.out)
    assert [each["code"] for each in found] == ["MX105", "MX109", "MX001"]
    assert found[2] == {
        "code": "MX001",
        "level": "error",
        "source": str(mesh / "wrong.yaml"),
        "line": 4,
        "object": "PeerAuthentication shop/wrong",
        "path": "spec.mtls.mode",
        "message": "expected one of UNSET, DISABLE, PERMISSIVE, STRICT, got 'strict'",
        "hint": "write STRICT",
    }


def test_nothing_found_and_nothing_there(meshext: Run, mesh: Path) -> None:
    (mesh / "good.yaml").write_text(peer("good", "{mtls: {mode: STRICT}}"), encoding="utf-8")
    assert meshext("analyze", str(mesh / "good.yaml")).out == "nothing found\n"
    ended = meshext("analyze", "nowhere.yaml")
    assert (ended.code, ended.err) == (2, "meshext: nowhere.yaml: no such file or folder\n")
    assert meshext("analyze").code == 2


def test_workloads_of_meshext_up_are_looked_at_too(meshext: Run, tmp_path: Path) -> None:
    workload = document("Workload", "meshext.dev/v1", "web", "{command: [a]}")
    labelled = workload.replace("namespace: shop", "namespace: shop, labels: {app: web}")
    (tmp_path / "workloads.yaml").write_text(labelled, encoding="utf-8")
    (tmp_path / "mesh").mkdir()
    selecting = "{selector: {matchLabels: {app: NAME}}, mtls: {mode: STRICT}}"
    for name in ("web", "api"):
        place = tmp_path / "mesh" / f"{name}.yaml"
        place.write_text(peer(name, selecting.replace("NAME", name)), encoding="utf-8")
    found = json.loads(meshext("analyze", str(tmp_path), "--json").out)
    assert [(each["code"], each["object"]) for each in found] == [("MX111", "PeerAuthentication shop/api")]


def test_codes_are_listed(meshext: Run, golden: Callable[[str, str], None]) -> None:
    golden(meshext("analyze", "--codes").out, "codes.txt")
