"""`wasm/LANGUAGE.md` says which names of the standard library compile: exactly those."""

from __future__ import annotations

import ast
import importlib
import re
from pathlib import Path

import pytest

from meshext_wasm.typecheck.declarations.importing import SPECIAL

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "wasm" / "LANGUAGE.md").read_text()
LIBRARY = ROOT / "wasm" / "meshext_wasm" / "library"
LISTED = {
    module: set(re.findall("`([^`]+)`", names))
    for module, names in re.findall(r"^\| `([\w.]+)` \| (.*) \|$", PAGE, flags=re.MULTILINE)
}
OWN = {"meshext", "builtins", "emulation", "proxy", "raw", "digests"}


def find_names(module: str) -> set[str]:
    """What a module of the library has at its top level."""
    path = LIBRARY.joinpath(*module.split("."))
    file = path.with_suffix(".py")
    tree = ast.parse((file if file.exists() else path / "__init__.py").read_text())
    names: set[str] = set()
    for node in tree.body:
        match node:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                names.add(name)
            case ast.ImportFrom(names=aliases):
                names |= {alias.asname or alias.name for alias in aliases}
            case ast.Assign(targets=targets):
                names |= {target.id for target in targets if isinstance(target, ast.Name)}
            case ast.AnnAssign(target=ast.Name(id=name)):
                names.add(name)
            case _:
                pass
    return names | set(SPECIAL.get(module, "").split())


@pytest.mark.parametrize("module", sorted(LISTED))
def test_what_is_listed_is_there_and_nothing_else(module: str) -> None:
    real = importlib.import_module(module)
    public = getattr(real, "__all__", None) or [name for name in dir(real) if not name.startswith("_")]
    assert LISTED[module] == find_names(module) & set(public) - {"digest_size"}


def test_every_module_is_listed() -> None:
    modules = {
        path.stem for path in LIBRARY.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()
    }
    assert modules - OWN - {"__init__"} == {each.partition(".")[0] for each in LISTED}
