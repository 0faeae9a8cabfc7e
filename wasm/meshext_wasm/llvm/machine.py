"""LLVM itself, behind three functions: text of its IR in; optimised text, assembly or an object out."""

from __future__ import annotations

from functools import cache
from typing import Protocol

import llvmlite.binding as llvm  # type: ignore[import-untyped]

from meshext_wasm.llvm.recipe import FEATURES, INLINED, QUICK, TRIPLE


class Module(Protocol):
    """What we use of llvmlite's module."""

    def verify(self) -> None:
        """Raise where it is no IR."""


class Machine(Protocol):
    """What we use of llvmlite's target machine."""

    def emit_object(self, module: Module) -> bytes:
        """An object file."""

    def emit_assembly(self, module: Module) -> str:
        """Its text."""


@cache
def machine() -> Machine:
    """The target."""
    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    target: Machine = llvm.Target.from_triple(TRIPLE).create_target_machine(
        opt=2, features=FEATURES, reloc="static", codemodel="default"
    )
    return target


def parse_text(text: str) -> Module:
    """LLVM's module of a text. RuntimeError where LLVM does not take it: a mistake of ours."""
    machine()
    module: Module = llvm.parse_assembly(text)
    module.verify()
    return module


def optimise(module: Module, *, thorough: bool) -> None:
    """LLVM's usual passes without vectors, or the few that matter most in an eighth of the time; in place."""
    options = llvm.create_pipeline_tuning_options(speed_level=2)
    options.loop_vectorization = False
    options.slp_vectorization = False
    options.loop_unrolling = False
    options.inlining_threshold = INLINED
    builder = llvm.create_pass_builder(machine(), options)
    passes = builder.getModulePassManager() if thorough else llvm.create_new_module_pass_manager()
    if not thorough:
        for each in QUICK:
            getattr(passes, f"add_{each}_pass")()
    passes.run(module, builder)


def emit_object(text: str, *, thorough: bool = True) -> bytes:
    """An optimised object of a text."""
    module = parse_text(text)
    optimise(module, thorough=thorough)
    return machine().emit_object(module)


def emit_optimised(text: str) -> str:
    """The text after the optimiser."""
    module = parse_text(text)
    optimise(module, thorough=True)
    return str(module)


def emit_assembly(text: str) -> str:
    """The optimised text as assembly."""
    module = parse_text(text)
    optimise(module, thorough=True)
    return machine().emit_assembly(module)
