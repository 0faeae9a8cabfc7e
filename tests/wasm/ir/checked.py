"""Source text to the core language by the real frontend, against the compiled library's declarations."""

from __future__ import annotations

from functools import cache

from meshext_wasm.build.cache import user_cache
from meshext_wasm.build.library import ROOT, Library, load_or_compile
from meshext_wasm.diagnostics.diagnostic import Collector
from meshext_wasm.source.loading import Folder, Texts, load_program
from meshext_wasm.tree.program import Unit
from meshext_wasm.typecheck.unit import check_program


@cache
def library() -> Library:
    """The library, compiled once and kept."""
    return load_or_compile(user_cache())


def checked(source: str) -> Unit:
    """The unit of a module `m`."""
    collector = Collector()
    loaded = load_program("m", Texts({"m": source}), Folder(ROOT), collector)
    unit = check_program(library().program, loaded, collector)
    collector.raise_any(loaded.sources)
    return unit
