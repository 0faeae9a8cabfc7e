"""The run-time library, compiled once: what programs are checked against, and its objects."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from meshext_wasm.build.cache import Cache, key_of
from meshext_wasm.build.collecting import no_collections
from meshext_wasm.build.emitting import compile_texts
from meshext_wasm.build.packed import pack
from meshext_wasm.build.sharing import Sharing
from meshext_wasm.build.stages import Compiled, compile_unit
from meshext_wasm.diagnostics.diagnostic import Collector
from meshext_wasm.link.kept import keep
from meshext_wasm.link.objects import ObjectFile
from meshext_wasm.llvm.support import support_text
from meshext_wasm.llvm.text import Text
from meshext_wasm.source.loading import ALWAYS, Folder, Loaded, Loader, Texts
from meshext_wasm.typecheck.meanings.symbols import Program
from meshext_wasm.typecheck.unit import check_library, strip

COMPILER = Path(__file__).parents[1]
ROOT = COMPILER / "library"
NOT_COMPILED = ("raw", "emulation")
"""What only CPython runs."""
ASIDE = ("cli", "glue", "host")
"""Parts of the compiler's folder that the library does not depend on."""
SUPPORT = "support"


@dataclass(frozen=True, slots=True)
class Library:
    """`program` is what the checker knows of it."""

    program: Program
    compiled: Compiled


def module_names() -> Iterator[str]:
    """Every module of the library that is compiled."""
    for path in sorted(ROOT.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        if name and parts[0] not in NOT_COMPILED:
            yield name


def compiler_files() -> Iterator[Path]:
    """Every file that what is compiled depends on."""
    for path in COMPILER.rglob("*.py"):
        if path.relative_to(COMPILER).parts[0] not in ASIDE:
            yield path


def load_library(names: tuple[str, ...], collector: Collector) -> Loaded:
    """The sources of modules of the library and of all that they import."""
    loader = Loader(Texts({}), Folder(ROOT), collector)
    for name in (*ALWAYS, *names):
        loader.load(name)
    while loader.later:
        loader.load(loader.later.pop())
    return loader.loaded


def load_or_compile(cache: Cache) -> Library:
    """The whole library: from the cache where the same sources were compiled by the same compiler."""
    name = f"{key_of(compiler_files())}.library"
    found = cache.get(name)
    if found is None:
        with cache.alone():
            found = cache.get(name) or compile_into(cache, name)
    with no_collections():
        library: Library = pickle.loads(found)
    return library


def compile_into(cache: Cache, name: str) -> bytes:
    """Compile the whole library and keep it under that name."""
    library = pickle.dumps(compile_library(tuple(module_names()), cache), protocol=5)
    cache.put(name, library)
    return library


def compile_library(names: tuple[str, ...], cache: Cache) -> Library:
    """Check and compile modules of the library with all that they import."""
    collector = Collector()
    loaded = load_library(names, collector)
    collector.raise_any(loaded.sources)
    unit, program = check_library(loaded, collector)
    collector.raise_any(loaded.sources)
    compiled = compile_unit(unit, cache)
    strip(program)
    Sharing().share(program)
    support = compile_texts([Text(SUPPORT, support_text(), thorough=True)], cache)
    return Library(program, to_be_kept(replace(compiled, objects=(*compiled.objects, *support))))


def to_be_kept(compiled: Compiled) -> Compiled:
    """The same with all that most programs need little of in pieces, which are read when they are needed."""
    copies = compiled.copies
    packed = replace(copies, functions=pack(copies.functions), inits=pack(copies.inits))
    objects = tuple(keep(each) if isinstance(each, ObjectFile) else each for each in compiled.objects)
    return replace(compiled, objects=objects, copies=packed)
