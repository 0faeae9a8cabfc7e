"""Loading a program: the file, what it imports beside it, and the library modules that it needs.

The only part of the frontend that reads files; `Files` is all that it asks for, so tests give a dict.
"""

from __future__ import annotations

import sys
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from meshext_wasm.diagnostics.diagnostic import Collector, Diagnostic
from meshext_wasm.source.file import SourceFile, parse_source
from meshext_wasm.source.imports import KNOWN, Import, find_imports, unit_name
from meshext_wasm.tree.program import Loc

ALWAYS = ("builtins",)
INSTEAD = {
    "asyncio": "await self.store...; nothing else is waited for",
    "copy": "dataclasses.replace(...), list(...) or dict(...)",
    "decimal": "whole numbers of the smallest unit, such as cents",
    "os": "a field of Config for what the environment says",
    "pathlib": "a field of Config for what the file holds",
    "socket": "self.store, or a cluster of Envoy that the filter routes to",
    "sys": "logging, and a field of Config",
    "threading": "plain code: one hook runs at a time",
    "zoneinfo": "datetime.timezone(timedelta(hours=1)), with the hours as a field of Config",
}
"""What to write instead of modules of the standard library."""
UNCOMPILED = ("raw", "emulation")


class Files(Protocol):
    """Where the sources of modules come from."""

    def find(self, module: str) -> tuple[str, str, bool] | None:
        """Name to show, text, and whether it is a package; None where there is no such module."""


@dataclass(frozen=True, slots=True)
class Folder:
    """The modules below a folder; `shown` stands before file names."""

    root: Path
    shown: str = ""

    def find(self, module: str) -> tuple[str, str, bool] | None:
        """As in `Files`."""
        place = self.root.joinpath(*module.split("."))
        for path, package in ((place.with_name(place.name + ".py"), False), (place / "__init__.py", True)):
            if path.is_file():
                return f"{self.shown}{path.relative_to(self.root)}", path.read_text("utf-8"), package
        return None

    def names(self) -> list[str]:
        """All modules below the folder, but what runs under CPython only."""
        found = []
        for path in sorted(self.root.rglob("*.py")):
            parts = list(path.relative_to(self.root).with_suffix("").parts)
            if parts[0] not in UNCOMPILED and parts != ["__init__"]:
                found.append(".".join(parts[:-1] if parts[-1] == "__init__" else parts))
        return found


@dataclass(frozen=True, slots=True)
class Texts:
    """Modules by name, from memory."""

    texts: dict[str, str]

    def find(self, module: str) -> tuple[str, str, bool] | None:
        """As in `Files`."""
        if module not in self.texts:
            return None
        package = any(each.startswith(module + ".") for each in self.texts)
        name = module.replace(".", "/") + ("/__init__.py" if package else ".py")
        return name, self.texts[module], package


@dataclass(slots=True)
class Loaded:
    """All modules that were read, library ones included, in the order in which they run."""

    modules: list[SourceFile] = field(default_factory=list)
    imports: dict[str, list[Import]] = field(default_factory=dict)

    @property
    def sources(self) -> dict[str, str]:
        """The texts by file name, for drawing."""
        return {each.file: each.text for each in self.modules}


@dataclass(slots=True)
class Loader:
    """Reads modules once each, depth first; not those of the library that are `known` already."""

    own: Files
    library: Files
    collector: Collector
    known: Collection[str] = ()
    loaded: Loaded = field(default_factory=Loaded)
    seen: dict[str, SourceFile | None] = field(default_factory=dict)
    running: list[str] = field(default_factory=list)
    later: list[str] = field(default_factory=list)

    def load(self, name: str) -> bool:
        """Read a module and what it imports; False where there is none of the name."""
        if name in self.seen:
            return self.seen[name] is not None
        if name in self.known and self.own.find(name) is None:
            return True
        source = self.read(name)
        if not isinstance(source, SourceFile):
            return isinstance(source, Diagnostic)
        self.seen[name] = source
        self.running.append(name)
        imports = find_imports(source)
        self.loaded.imports[name] = imports
        for each in imports:
            self.follow(source, each)
        self.running.pop()
        self.loaded.modules.append(source)
        return True

    def read(self, name: str) -> SourceFile | Diagnostic | None:
        """A module's source; a library module unless the program has one of that name."""
        found, library = self.own.find(name), False
        if found is None:
            found, library = self.library.find(name), True
        if found is None:
            self.seen[name] = None
            return None
        file, text, package = found
        source = parse_source(name, file, text, package=package, library=library)
        if isinstance(source, Diagnostic):
            self.seen[name] = None
            self.collector.add(source)
        return source

    def follow(self, source: SourceFile, each: Import) -> None:
        """Load what one import names: the module, or modules of a package."""
        module = unit_name(each.module)
        if module in KNOWN or module == "raw":
            return
        if not each.runs:
            self.later += [module, *(joined(module, name) for name, _ in each.names)]
            return
        if source.name.startswith(module + ".") and self.all_modules(module, each):
            for name, _ in each.names:
                self.load(f"{module}.{name}")
            return
        if module in self.running and module != source.name:
            self.refuse_cycle(source, each, module)
            return
        found = bool(module) and self.load(module)
        parts = [self.load(joined(module, name)) for name, _ in each.names if not self.defines(module)]
        if not found and not any(parts):
            self.collector.add(unknown_module(source, each))

    def all_modules(self, package: str, each: Import) -> bool:
        """Whether an import takes only modules from a package: that needs nothing of the package itself."""
        names = [f"{package}.{name}" for name, _ in each.names]
        return bool(names) and all(self.own.find(name) or self.library.find(name) for name in names)

    def defines(self, module: str) -> bool:
        """Whether a module that was read is no package, so that its names are no modules."""
        source = self.seen.get(module)
        return source is not None and not source.package

    def refuse_cycle(self, source: SourceFile, each: Import, module: str) -> None:
        """Modules that need each other to have run first."""
        chain = [*self.running[self.running.index(module) :], module]
        reason = f"modules import each other: {' -> '.join(chain)}"
        hint = "what both need in a third module, or the import under `if TYPE_CHECKING:` if only for types"
        self.collector.add(Diagnostic(source.loc(each.node), reason, hint))


def joined(module: str, name: str) -> str:
    """The module that a name of a package would be."""
    return f"{module}.{name}" if module else name


def unknown_module(source: SourceFile, each: Import) -> Diagnostic:
    """An import of something that is neither beside the program nor in the library."""
    dots = "." * (each.node.level if hasattr(each.node, "level") else 0)
    return Diagnostic(source.loc(each.node), *describe_missing(each.module or dots))


def describe_missing(module: str) -> tuple[str, str]:
    """Why there is no such module, and what to write instead."""
    if module.partition(".")[0] == "opentelemetry":
        hint = "request.set_metadata(...) for the access log; Envoy makes the spans itself"
        return f"{module} is not compiled: a filter has no spans inside of Envoy", hint
    if module.partition(".")[0] in sys.stdlib_module_names:
        hint = INSTEAD.get(module, "what wasm/LANGUAGE.md lists, or a module of the program itself")
        return f"{module} of the standard library is not compiled", hint
    reason = f"there is no module {module!r} beside the program, and the compiler has none of that name"
    return reason, "a module of the program itself, or one of the library"


def load_program(
    entry: str, own: Files, library: Files, collector: Collector, known: Collection[str] = ()
) -> Loaded:
    """Everything that a module needs; mistakes go to the collector.

    The library's `builtins` come first, as every module uses them. `known` are the library's modules that
    are declared already: nobody reads them again.
    """
    loader = Loader(own, library, collector, known)
    for name in ALWAYS:
        loader.load(name)
    if not loader.load(entry):
        place = Loc(f"{entry}.py", 1, 0, 1, 0)
        collector.add(Diagnostic(place, f"there is no module {entry!r}", "the path of a Python file"))
    while loader.later:
        loader.load(loader.later.pop())
    return loader.loaded


def load_library(library: Folder, collector: Collector) -> Loaded:
    """Every module of the run-time library; its cycles are those of declarations only, so none is refused."""
    loader = Loader(Texts({}), library, collector)
    for name in (*ALWAYS, *library.names()):
        loader.load(name)
    while loader.later:
        loader.load(loader.later.pop())
    return loader.loaded


def program_root(path: Path) -> tuple[Path, str]:
    """The folder that a file's absolute imports start from, and the file's module name there."""
    parts = [] if path.name == "__init__.py" else [path.stem]
    folder = path.resolve().parent
    while (folder / "__init__.py").is_file():
        parts.insert(0, folder.name)
        folder = folder.parent
    return folder, ".".join(parts)
