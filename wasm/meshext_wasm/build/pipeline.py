"""Source files to a module, in one readable function."""

from __future__ import annotations

from collections.abc import Mapping

from meshext_wasm.build import stages
from meshext_wasm.build.cache import Cache
from meshext_wasm.build.library import ROOT, Library
from meshext_wasm.build.stages import Compiled
from meshext_wasm.diagnostics.diagnostic import Collector
from meshext_wasm.link.linker import link
from meshext_wasm.link.starting import START
from meshext_wasm.source.loading import Files, Folder, load_program
from meshext_wasm.tree.program import Unit
from meshext_wasm.typecheck.unit import check_program

START_EXPORT = "_initialize"
RUN_TIME = Folder(ROOT)


def compile_program(
    entry: str, own: Files, library: Library, cache: Cache, *, trusted: Files = RUN_TIME
) -> Compiled:
    """The object of a module and of what it imports beside the library. CompileError with every mistake.

    `trusted` are the library's files, and what is written for a build in the library's dialect.
    """
    unit = check_own(entry, own, library, trusted)
    return stages.compile_program(unit, cache, library.compiled.copies)


def check_own(entry: str, own: Files, library: Library, trusted: Files) -> Unit:
    """The program in the core language."""
    collector = Collector()
    loaded = load_program(entry, own, trusted, collector, library.program.modules)
    unit = check_program(library.program, loaded, collector)
    if own.find(entry) is None:  # it is written for the build, and what is wrong there follows from the rest
        collector.leave_out(f"{entry}.py")
    collector.raise_any(loaded.sources)
    return unit


def link_program(program: Compiled, library: Library, exports: Mapping[str, str]) -> bytes:
    """A module that exports functions by their symbols, and START_EXPORT, which is to be called first."""
    return link(
        [*program.objects, *library.compiled.objects],
        exports={START_EXPORT: START, **exports},
        bodies=[*library.compiled.bodies, *program.bodies],
        nameless=library.compiled.objects,
    )
