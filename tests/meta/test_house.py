"""The rules of the house that a machine can count."""

from __future__ import annotations

import ast
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("meshext", "filters", "wasm", "controlplane")
LONGEST_MODULE = 400
LONGEST_FUNCTION = 40

TOP_LEVEL = frozenset(
    "pyproject.toml README.md meshext filters proto wasm controlplane e2e tests "
    "ARCHITECTURE.md CONTRIBUTING.md CHANGELOG.md LICENSE .ci .dockerignore .gitignore".split()
)
MADE_BY_TOOLS = frozenset(
    ".git .venv uv.lock dist build "
    ".mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis".split()
)


def modules() -> list[Path]:
    return sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def tracked() -> list[Path] | None:
    """What git tracks or would take in; None where this is no git checkout, or there is no git."""
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        return None
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    output = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True, timeout=60).stdout
    return [Path(name) for name in output.split("\0") if name and (ROOT / name).exists()]


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return (function.end_lineno or function.lineno) - function.lineno + 1


@pytest.mark.parametrize("path", modules(), ids=named)
def test_modules_and_functions_are_short(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= LONGEST_MODULE
    lengths = {f"{node.name}, line {node.lineno}": length(node) for node in functions(ast.parse(text))}
    assert {name: lines for name, lines in lengths.items() if lines > LONGEST_FUNCTION} == {}


def test_top_level_is_fixed() -> None:
    files = tracked()
    found = {path.name for path in ROOT.iterdir()} if files is None else {path.parts[0] for path in files}
    assert found - MADE_BY_TOOLS == TOP_LEVEL


def test_nothing_generated_is_tracked() -> None:
    files = tracked()
    if files is None:
        pytest.skip("no git checkout")
    generated = [
        path
        for path in files
        if path.name.endswith(("_pb2.py", "_pb2.pyi", "_pb2_grpc.py", ".pyc", ".whl"))
        or path.name in {"uv.lock", "__pycache__"}
        or "meshext_proto" in path.parts
    ]
    assert generated == []
