"""Every operation of the table as a function of a module of its own, to be called with raw numbers."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import wasmtime

from meshext_wasm.ir.instructions import LEAVE, Intrinsic, Register, Return
from meshext_wasm.ir.program import Block, Function, Unit
from meshext_wasm.link.linker import link
from meshext_wasm.link.objects import parse_object
from meshext_wasm.llvm.machine import emit_object
from meshext_wasm.llvm.support import support_text
from meshext_wasm.llvm.unit import compile_unit
from meshext_wasm.tree.intrinsics import OPERATIONS, Operation
from meshext_wasm.tree.program import Loc
from meshext_wasm.tree.types import Rep

Exports = Mapping[str, object]
HERE = Loc("test.py", 1, 0, 1, 0)
SLOWLY = 2
"""What every slow function gives here: no small int, and False."""
CLASSES = "int bool NoneType object float str bytes tuple array function type cell limits.Exhausted".split()


def operation_function(operation: Operation) -> Function:
    """A function that does nothing else."""
    operands = tuple(Register(f"a{number}", rep) for number, rep in enumerate(operation.takes))
    result = None if operation.gives is Rep.NOTHING else Register("r", operation.gives)
    error = LEAVE if operation.raises else None
    does = Intrinsic(loc=HERE, result=result, operands=operands, error=error, name=operation.name)
    end = Return(loc=HERE, operands=() if result is None else (result,))
    name = operation.name
    return Function(name, name, HERE, list(operands), operation.gives, {"start": Block("start", [does], end)})


def around() -> str:
    """What the library would define."""
    slow = [each for each in OPERATIONS.values() if each.slow]
    lines = ['target triple = "wasm32-unknown-unknown"', "declare i32 @llvm.wasm.memory.grow.i32(i32, i32)"]
    for each in slow:
        takes = ", ".join(["i64"] * len(each.takes))
        lines.append(f'define i64 @"fn:{each.slow}"({takes}) {{\n  ret i64 {SLOWLY}\n}}')
    for depth, name in enumerate(CLASSES):
        lines.append(f'@"class:builtins.{name}" = constant {{ i32, i32 }} {{ i32 {depth}, i32 0 }}, align 8')
    lines.append('define void @"fn:builtins.memory.more"(i32 %size) {\n  ret void\n}')
    return "\n".join(lines)


@cache
def operations() -> tuple[wasmtime.Store, Exports]:
    """The module, started."""
    unit = Unit("test", [operation_function(each) for each in OPERATIONS.values()])
    unit.signatures = {each.symbol: each.signature for each in unit.functions}
    parts = {
        "unit": compile_unit(unit),
        "support": emit_object(support_text()),
        "around": emit_object(around()),
    }
    objects = [parse_object(raw, source=source) for source, raw in parts.items()]
    module = link(objects, exports={each.symbol: f"fn:{each.symbol}" for each in unit.functions})
    store = wasmtime.Store()
    return store, wasmtime.Instance(store, wasmtime.Module(store.engine, module), []).exports(store)


def run(name: str, *operands: int | float) -> int | float:
    """What an operation gives."""
    store, exports = operations()
    function = exports[name]
    assert isinstance(function, wasmtime.Func)
    result = function(store, *operands)
    return result if isinstance(result, int | float) else 0


def memory() -> tuple[wasmtime.Store, wasmtime.Memory]:
    """The module's memory."""
    store, exports = operations()
    found = exports["memory"]
    assert isinstance(found, wasmtime.Memory)
    return store, found
