"""Running the command line: in this process for its output, as a process of its own for how it ends."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from meshext.cli.main import main

FILTERS = Path(__file__).parent / "filters"


@dataclass(frozen=True, slots=True)
class Ended:
    code: int
    out: str
    err: str


@pytest.fixture
def meshext(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Ended]]:
    """`meshext("check", "policies.py:Hello")` in this process, in the folder of the filters."""
    monkeypatch.chdir(FILTERS)
    monkeypatch.setenv("COLUMNS", "100")
    before = list(sys.path)

    def run(*arguments: str) -> Ended:
        code = main(arguments)
        out, err = capfd.readouterr()
        return Ended(code, out, err)

    yield run
    sys.path[:] = before


def environment(**more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MESHEXT_")}
    return {**kept, "COLUMNS": "100", **more}


@pytest.fixture
def process() -> Callable[..., Ended]:
    """`process("check", ..., PYTHONPATH=...)`: the same as a process of its own, with more environment."""

    def run(*arguments: str, cwd: Path = FILTERS, **env: str) -> Ended:
        done = subprocess.run(
            [sys.executable, "-m", "meshext", *arguments],
            cwd=cwd,
            env=environment(**env),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return Ended(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture
def offer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Install a distribution of one module that offers something by entry point; gives its folder."""

    def install(group: str, name: str, target: str, source: str) -> Path:
        module = target.partition(":")[0]
        info = tmp_path / "stranger-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: stranger\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[{group}]\n{name} = {target}\n")
        (tmp_path / f"{module}.py").write_text(source)
        monkeypatch.syspath_prepend(tmp_path)
        monkeypatch.delitem(sys.modules, module, raising=False)
        return tmp_path

    return install
