"""Descriptors of classes: what every object points to, laid out as ARCHITECTURE.md says."""

from __future__ import annotations

from meshext_wasm.llvm.constants import static_object, upper
from meshext_wasm.llvm.names import at
from meshext_wasm.llvm.outer import Outer
from meshext_wasm.tree import known
from meshext_wasm.tree.program import Class, Function
from meshext_wasm.tree.types import Rep

KINDS = {"instance": 0, "array": 1, "blob": 2}
DEPTH, DISPLAY, NAME, SLOTS, KIND, QUALIFIED, FLAGS, TABLE = 0, 4, 8, 12, 16, 20, 24, 32
"""Offsets of the words in a descriptor."""


def lineage(cls: Class) -> list[Class]:
    """The class and what is above it, `object` first."""
    found = [cls]
    while found[-1].base is not None:
        found.append(found[-1].base)
    return found[::-1]


def slots(cls: Class) -> int:
    """Slots of an instance, inherited ones included."""
    return max((each.index + 1 for above in lineage(cls) for each in above.fields), default=0)


def emit_class(outer: Outer, cls: Class) -> None:
    """The descriptor, its display and the class as a value."""
    above = lineage(cls)
    shown = ", ".join(f"ptr {outer.datum(f'class:{each.symbol}')}" for each in above if each is not cls)
    display = ", ".join(filter(None, [shown, f"ptr {at(f'class:{cls.symbol}')}"]))
    name = outer.define(f"display:{cls.symbol}", f"internal constant [{len(above)} x ptr] [{display}]")
    value = upper("", at(f"class:{cls.symbol}"), known.TYPE, outer, f"type:{cls.symbol}")
    words = [
        f"i32 {len(above) - 1}",
        f"ptr {name}",
        f"ptr {static_object(outer, cls.name)}",
        f"i32 {slots(cls)}",
        f"i32 {KINDS[cls.kind]}",
        f"ptr {static_object(outer, cls.symbol)}",
        "i32 0",
        f"ptr {value}",
        *(f"ptr {table_entry(outer, each)}" for each in cls.table),
    ]
    types = ", ".join(each.split(" ", 1)[0] for each in words)
    outer.define(f"class:{cls.symbol}", f"constant {{ {types} }} {{ {', '.join(words)} }}, align 8")


def table_entry(outer: Outer, function: Function) -> str:
    """A function in the table of a class."""
    takes = [each.rep for each in function.parameters]
    outer.declare_function(f"fn:{function.symbol}", Rep(function.result), takes)
    return at(f"fn:{function.symbol}")
