"""What becomes of a checked unit: IR, passes, LLVM, objects. Everything between can be looked at."""

from __future__ import annotations

from dataclasses import dataclass

from meshext_wasm.build.cache import Cache, text_key
from meshext_wasm.ir.build.unit import build_unit
from meshext_wasm.ir.program import Unit
from meshext_wasm.link.starting import Body
from meshext_wasm.llvm.lint import check_text
from meshext_wasm.llvm.machine import emit_object
from meshext_wasm.llvm.unit import lower_unit
from meshext_wasm.passes.pipeline import run_passes
from meshext_wasm.tree import program as tree


@dataclass(frozen=True, slots=True)
class Compiled:
    """An object with what the linker must know of it: bodies of modules in their order, exports by name."""

    source: str
    code: bytes
    bodies: tuple[Body, ...]
    exports: dict[str, str]


def build_ir(unit: tree.Unit) -> Unit:
    """The IR after all passes."""
    built = build_unit(unit)
    run_passes(built)
    return built


def compile_unit(unit: tree.Unit, cache: Cache, *, always: bool) -> Compiled:
    """An object of a unit. `always`: the bodies of its modules run even where nothing reads their globals."""
    built = build_ir(unit)
    code = compile_text(lower_unit(built), cache)
    return Compiled(unit.name, code, bodies_of(unit, always=always), exports_of(built))


def compile_text(text: str, cache: Cache) -> bytes:
    """The object of LLVM's text."""
    name = f"{text_key(text)}.o"
    found = cache.get(name)
    if found is None:
        check_text(text)
        found = emit_object(text)
        cache.put(name, found)
    return found


def bodies_of(unit: tree.Unit, *, always: bool) -> tuple[Body, ...]:
    """The functions that run the modules."""
    return tuple(
        Body(
            f"fn:{module.body.symbol}",
            None if always else frozenset(each.symbol for each in module.globals),
        )
        for module in unit.modules
        if module.body is not None
    )


def exports_of(unit: Unit) -> dict[str, str]:
    """Functions that the proxy may call, by the name that it knows."""
    return {each.export: f"fn:{each.symbol}" for each in unit.functions if each.export}
