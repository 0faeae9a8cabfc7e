"""Modules beside a filter's file, importable by that filter alone.

Each folder becomes a package of its own under a private name, and code loaded from it has an `import` that
looks there first. So two filters in different folders may both have a `table.py`, imported at the top or
inside a hook, and a sibling called like some other module harms nobody else in the process.
"""

from __future__ import annotations

import builtins
import importlib.util
import sys
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Any

from meshext.sources import FreshLoader

PREFIX = "meshext_loaded_"


def import_beside(path: Path) -> ModuleType:
    """The module of a file, run anew as a member of its folder; whatever it raises is the caller's."""
    package = folder_package(path.parent)
    name = f"{package}.{path.stem}"
    if not path.stem.isidentifier():
        name = f"{package}.file_{sha256(path.name.encode()).hexdigest()[:8]}"
    spec = importlib.util.spec_from_file_location(name, path, loader=ScopedLoader(name, str(path)))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def folder_package(folder: Path) -> str:
    """The private package that stands for a folder; made where it is not there yet."""
    name = PREFIX + sha256(str(folder).encode()).hexdigest()[:12]
    if name not in sys.modules:
        package = ModuleType(name, f"The modules beside a filter, in {folder}.")
        package.__path__ = [str(folder)]
        sys.modules[name] = package
        if str(folder) not in sys.path:
            sys.path.append(str(folder))  # for `importlib.import_module`, which asks nobody's `__import__`
    if not any(isinstance(finder, SiblingFinder) for finder in sys.meta_path):
        sys.meta_path.insert(0, SiblingFinder())
    return name


class SiblingFinder:
    """Finds members of our private packages, and gives their code the scoped import."""

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The spec of a member; None for every other module."""
        if not name.startswith(PREFIX) or path is None:
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is not None and isinstance(spec.loader, SourceFileLoader):
            spec.loader = ScopedLoader(name, spec.loader.path)
        return spec


class ScopedLoader(FreshLoader):
    """Loads source whose `import` looks among the siblings first."""

    def exec_module(self, module: ModuleType) -> None:
        """Run the module's code."""
        package = module.__name__.partition(".")[0]
        module.__dict__["__builtins__"] = {**vars(builtins), "__import__": build_import(package)}
        super().exec_module(module)


def build_import(package: str) -> Callable[..., Any]:
    """The `__import__` of code in that package (the contract of `builtins.__import__`)."""
    folder = Path(sys.modules[package].__path__[0])

    def scoped(
        name: str,
        globals: Mapping[str, object] | None = None,  # noqa: A002  # the contract's name
        locals: Mapping[str, object] | None = None,  # noqa: A002  # the contract's name
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> ModuleType:
        top = name.partition(".")[0]
        if level or not is_sibling(folder, top):
            return builtins.__import__(name, globals, locals, fromlist or (), level)
        found = builtins.__import__(f"{package}.{name}", globals, locals, fromlist or (), 0)
        return found if fromlist else sys.modules[f"{package}.{top}"]

    return scoped


def is_sibling(folder: Path, name: str) -> bool:
    """Whether a top-level name is a module or package in that folder; the standard library's never is."""
    if name in sys.stdlib_module_names or name == "meshext":
        return False
    if (folder / f"{name}.py").is_file() or (folder / name / "__init__.py").is_file():
        return True
    # As in any import, a folder without __init__.py is the last resort (PEP 420).
    return any((folder / name).glob("*.py")) and not is_found(name)


def is_found(name: str) -> bool:
    """Whether a top-level module of that name is installed."""
    try:
        return name in sys.modules or PathFinder.find_spec(name, [*installed_path()]) is not None
    except (ImportError, ValueError):
        return False


def installed_path() -> list[str]:
    """Where modules are looked for, less the folders of filters."""
    folders = {
        str(module.__path__[0])
        for name, module in list(sys.modules.items())
        if name.startswith(PREFIX) and "." not in name
    }
    return [place for place in sys.path if place not in folders]
