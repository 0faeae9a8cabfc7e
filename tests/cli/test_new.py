"""`meshext new`: what it makes works as it is."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from meshext.cli.new import parse_name
from meshext.cli.project import build_files

Run = Callable[..., Any]
Golden = Callable[[str, str], None]


def test_its_tests_pass(meshext: Run, tmp_path: Path) -> None:
    assert meshext("new", "my-filter", "--directory", str(tmp_path)).code == 0
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_my_filter.py"]
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    done = subprocess.run(
        command, cwd=tmp_path / "my-filter", env=env, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout
    assert re.search(r"^8 passed", done.stdout, re.MULTILINE)


@pytest.mark.envoy
@pytest.mark.slow
def test_its_calls_pass_in_the_real_envoy(meshext: Run, tmp_path: Path) -> None:
    meshext("new", "my-filter", "--directory", str(tmp_path))
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_in_envoy.py"]
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    done = subprocess.run(
        command, cwd=tmp_path / "my-filter", env=env, capture_output=True, text=True, timeout=300, check=False
    )
    assert re.search(r"^2 passed", done.stdout, re.MULTILINE), done.stdout


def test_it_is_typed_and_tidy(meshext: Run, tmp_path: Path) -> None:
    meshext("new", "my-filter", "--directory", str(tmp_path))
    folder = tmp_path / "my-filter"
    rules = "B,D100,D101,E,F,I,N,PT,RUF,SIM,UP,W"
    for command in (
        ["ruff", "format", "--isolated", "--no-cache", "--check", "."],
        ["ruff", "check", "--isolated", "--no-cache", "--select", rules, "."],
        ["mypy", "--strict", "--no-incremental", "--config-file", os.devnull, "."],
    ):
        done = subprocess.run(
            [sys.executable, "-m", *command],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stdout


def test_the_filter_passes_its_own_check(meshext: Run, tmp_path: Path) -> None:
    meshext("new", "my-filter", "--directory", str(tmp_path))
    folder = tmp_path / "my-filter"
    spec = f"{folder / 'my_filter.py'}:MyFilter"
    ended = meshext("check", spec, "--config", str(folder / "config.yaml"), "--mode", "authz")
    assert (ended.code, ended.err) == (0, "")


@pytest.mark.parametrize(
    ("name", "module", "class_name"),
    [("my-filter", "my_filter", "MyFilter"), ("ABTest_2", "abtest_2", "ABTest2"), ("x", "x", "X")],
)
def test_names_follow_from_one(name: str, module: str, class_name: str) -> None:
    project = parse_name(name)
    files = build_files(project)
    assert list(files)[:2] == [f"{module}.py", f"test_{module}.py"]
    assert f"class {class_name}(Filter):" in files[f"{module}.py"]
    compile(files[f"{module}.py"], module, "exec")
    made = tomllib.loads(files["pyproject.toml"])["project"]
    assert made["entry-points"]["meshext.filters"] == {name: f"{module}:{class_name}"}


@pytest.mark.parametrize(
    "name", ["", "my filter", "1st", "a--b", "-x", "../x", "a/b", "ä", "class", "json", "filter", "x" * 51]
)
def test_other_names_are_refused(name: str, meshext: Run, tmp_path: Path) -> None:
    ended = meshext("new", "--directory", str(tmp_path), "--", name)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.endswith("meshext: try 'meshext new --help'\n")
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_overwritten(meshext: Run, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("keep")
    ended = meshext("new", "mine", "--directory", str(tmp_path))
    assert ended.code == 2
    assert ended.err == (
        f"meshext: {str(tmp_path / 'mine')!r} is there already and not empty; choose another name\n"
    )
    assert [file.name for file in (tmp_path / "mine").iterdir()] == ["notes.txt"]


def test_a_place_that_can_not_be_written(meshext: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    ended = meshext("new", "mine", "--directory", str(tmp_path / "file"))
    assert ended.code == 2
    assert ended.err.startswith("meshext: can not write ")


def test_what_it_says(meshext: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, golden: Golden) -> None:
    monkeypatch.chdir(tmp_path)
    golden(meshext("new", "my-filter").out, "said.txt")
