"""Run compiled Python from tests: a source text in, calls with Python values, values or exceptions back.

    program = compiled("def double(x: int) -> int:\\n    return 2 * x\\n")
    assert program.call("double", 21) == 42

A call whose function raises gives a `Raised`: the exception's type by name, and its message. `outcome_of`
says the same of CPython, so a differential test is `program.outcome("f", *a) == outcome_of(f, *a)`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import wasmtime

from meshext_wasm.build.cache import Cache, user_cache
from meshext_wasm.build.emitting import compile_texts
from meshext_wasm.build.library import Library, load_or_compile
from meshext_wasm.build.pipeline import RUN_TIME, START_EXPORT, check_own, compile_program
from meshext_wasm.build.stages import (
    Compiled,
    bodies_of,
    build_ir,
    exports_of,
    split_unit,
)
from meshext_wasm.ir.build.unit import build_unit
from meshext_wasm.ir.program import Unit
from meshext_wasm.ir.verify import verify_unit
from meshext_wasm.link.kept import at_hand
from meshext_wasm.link.linker import link
from meshext_wasm.link.objects import parse_object
from meshext_wasm.link.starting import START
from meshext_wasm.llvm.machine import emit_object
from meshext_wasm.llvm.text import Text
from meshext_wasm.llvm.unit import lower_unit
from meshext_wasm.passes.pipeline import PASSES
from meshext_wasm.source.loading import Texts
from meshext_wasm.tree import known
from meshext_wasm.tree import program as tree
from tests.wasm.values import Values

MODULE = "program"
BUDGET = 1 << 40
WIRE = """
def wire_text(value: object) -> str:
    return str(value)

def wire_list(value: list[object]) -> tuple[object, ...]:
    return tuple(value)

def wire_set(value: set[object]) -> tuple[object, ...]:
    return tuple(value)

def wire_frozenset(value: frozenset[object]) -> tuple[object, ...]:
    return tuple(value)

def wire_dict(value: dict[object, object]) -> tuple[object, ...]:
    return tuple(value.items())

def wire_make_list(items: tuple[object, ...]) -> list[object]:
    return list(items)

def wire_make_set(items: tuple[object, ...]) -> set[object]:
    return set(items)

def wire_make_frozenset(items: tuple[object, ...]) -> frozenset[object]:
    return frozenset(items)

def wire_make_dict(keys: tuple[object, ...], values: tuple[object, ...]) -> dict[object, object]:
    made: dict[object, object] = {}
    for number in range(len(keys)):
        made[keys[number]] = values[number]
    return made
"""
"""What turns containers into tuples and back; compiled with every program."""
ACCESS = """
target triple = "wasm32-unknown-unknown"
@"state:pending" = external global i32
@"state:budget" = external global i64
@"state:taken" = external global i64
@"state:exhausted" = external global i32
define i32 @"test:take"() {
  %pending = load i32, ptr @"state:pending"
  store i32 0, ptr @"state:pending"
  ret i32 %pending
}
define i64 @"test:taken"() {
  %taken = load i64, ptr @"state:taken"
  ret i64 %taken
}
define void @"test:budget"(i64 %steps) {
  store i64 %steps, ptr @"state:budget"
  ret void
}
define i32 @"test:exhausted"() {
  ret i32 ptrtoint (ptr @"state:exhausted" to i32)
}
"""
CLASSES = (known.INT, known.FLOAT, known.STR, known.BYTES, known.TUPLE)


@dataclass(frozen=True, slots=True)
class Raised:
    """An exception: the name of its class and its text."""

    name: str
    message: str


EXHAUSTED = Raised("Exhausted", "")
Outcome = tuple[str, object]
"""("value", text) as Python shows it, so that 1, 1.0 and True differ; or ("raised", ...)."""


class Program:
    """A compiled program in a fresh instance; module bodies have run."""

    def __init__(self, module: bytes | wasmtime.Module) -> None:
        self.module = wasmtime.Module(engine(), module) if isinstance(module, bytes) else module
        self.store = wasmtime.Store(engine())
        instance = wasmtime.Instance(self.store, self.module, [])
        self.exports = instance.exports(self.store)
        memory = self.exports["memory"]
        assert isinstance(memory, wasmtime.Memory)
        self.values = Values(self.store, memory, self.function)
        self.function(START_EXPORT)
        failed = self.function("test:taken")
        if failed:
            raise AssertionError(f"the program's start raised {self.raised(failed)}")

    def again(self) -> Program:
        """Another instance, with a heap of its own."""
        return Program(self.module)

    def function(self, name: str, *arguments: int) -> int:
        """Call an export with raw numbers."""
        function = self.exports[name]
        assert isinstance(function, wasmtime.Func), name
        result = function(self.store, *arguments)
        return result if isinstance(result, int) else 0

    def call(self, name: str, *arguments: object, budget: int = BUDGET) -> object:
        """Call a function of the program's module with Python values: its value, or a Raised."""
        values = [self.values.to_value(each) for each in arguments]
        self.function("test:budget", budget)
        result = self.function(f"{MODULE}.{name}", *values)
        self.function("test:budget", BUDGET)
        pending = self.function("test:take")
        return self.raised(pending) if pending else self.values.from_value(result)

    def raised(self, exception: int) -> Raised:
        """What an exception says of itself."""
        if exception == self.function("test:exhausted"):
            return EXHAUSTED
        text = self.values.from_value(self.function(f"{MODULE}.wire_text", exception))
        assert isinstance(text, str)
        return Raised(self.values.class_name(exception), text)

    def outcome(self, name: str, *arguments: object) -> Outcome:
        """A call's result as one that can be compared with CPython's."""
        result = self.call(name, *arguments)
        return ("raised", result) if isinstance(result, Raised) else ("value", shown(result))


def outcome_of(function: Callable[..., object], *arguments: object) -> Outcome:
    """The same of CPython."""
    try:
        return "value", shown(function(*arguments))
    except Exception as error:
        return "raised", Raised(type(error).__name__, str(error))


def shown(value: object) -> str:
    """A value as Python writes it; sets sorted, as their order is not Python's."""
    if isinstance(value, set | frozenset):
        return f"{type(value).__name__}({sorted(map(shown, value))})"
    if isinstance(value, list | tuple):
        return f"{type(value).__name__}({[shown(each) for each in value]})"
    if isinstance(value, dict):
        return f"dict({[(shown(key), shown(each)) for key, each in value.items()]})"
    return repr(value)


@cache
def engine() -> wasmtime.Engine:
    """One that makes little of code that runs once."""
    config = wasmtime.Config()
    config.cranelift_opt_level = "none"
    return wasmtime.Engine(config)


@cache
def library() -> Library:
    """The run-time library; compiled at most once for one state of the sources."""
    return load_or_compile(user_cache())


@cache
def access() -> bytes:
    """What lets tests look into a module."""
    addresses = [
        f'@"class:{each}" = external global i8\n'
        f'define i32 @"test:{each}"() {{\n  ret i32 ptrtoint (ptr @"class:{each}" to i32)\n}}\n'
        for each in CLASSES
    ]
    return emit_object("".join([ACCESS, *addresses]))


@cache
def compiled(source: str, **modules: str) -> Program:
    """A program of one module, with others beside it by name. CompileError as for any program."""
    own = Texts({MODULE: source + WIRE, **modules})
    program = compile_program(MODULE, own, library(), user_cache())
    return Program(link_all(program, library()))


def compile_anew(source: str, *, thorough: bool = False) -> Program:
    """A program that nobody compiles twice: nothing of it is kept, and LLVM and the verifier do little for it
    unless `thorough`."""
    unit = check_own(MODULE, Texts({MODULE: source + WIRE}), library(), RUN_TIME)
    built = build_ir(unit) if thorough else build_sooner(unit)
    kept = Unkept(user_cache().folder)
    texts = [Text(part.name, lower_unit(part), thorough) for part in split_unit(built)]
    made = Compiled(tuple(compile_texts(texts, kept)), bodies_of(unit, always=True), exports_of(built))
    return Program(link_all(made, library()))


def build_sooner(unit: tree.Unit) -> Unit:
    """The IR after all passes, verified once and not after each."""
    built = build_unit(unit)
    for run in PASSES:
        run(built)
    verify_unit(built, after="all passes")
    return built


@dataclass(frozen=True, slots=True)
class Unkept(Cache):
    """A cache that keeps nothing, so that generated programs do not push out what is used again."""

    def get(self, name: str) -> bytes | None:
        """Never there."""
        return None

    def put(self, name: str, content: bytes) -> None:
        """Let go."""


def link_all(program: Compiled, library: Library) -> bytes:
    """A module that exports every function of the program's module, and what `Values` needs."""
    own = program.objects
    prefix = f"fn:{MODULE}."
    functions = [name for part in own for name in at_hand(part).strong if name.startswith(prefix)]
    plain = [each for each in functions if "<" not in each and each.count(".") == 1]
    helpers = ["take", "taken", "budget", "exhausted", *CLASSES]
    exports = {
        START_EXPORT: START,
        **{each.removeprefix("fn:"): each for each in plain},
        **{f"test:{each}": f"test:{each}" for each in helpers},
        **{each: each for each in ("rt:blob_new", "rt:array_new")},
    }
    objects = [*own, parse_object(access(), source="access"), *library.compiled.objects]
    return link(objects, exports=exports, bodies=[*library.compiled.bodies, *program.bodies])
