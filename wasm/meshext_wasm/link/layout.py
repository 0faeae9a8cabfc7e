"""Where everything stands: addresses of data, numbers of functions, types and places in the table.

Memory is stack, data, roots, heap. The stack comes first, so that one that overflows traps instead of
writing over data. No object begins below FIRST: small numbers are immediate values.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from meshext_wasm.link.encoding import Signature
from meshext_wasm.link.liveness import Live
from meshext_wasm.link.objects import Code, ObjectFile, Segment
from meshext_wasm.link.symbols import HostFunction, Target

STACK = 64 * 1024
"""Bytes for what LLVM keeps in memory; the call stack proper is the engine's."""
FIRST = 1024
"""Where data begins in a module that needs no stack."""
ROOTS = "roots."
"""How the segment of a slot is named that the collector looks at."""
STATE = ".state:"
"""What is in the name of a segment that code asks for all the time: low addresses are short numbers."""
ALIGNMENT = 16
PAGE = 64 * 1024


@dataclass(slots=True)
class Layout:
    """Addresses and numbers by identity; `made` are the addresses that the linker names.

    `written` is what was put into an object and how many bytes before the place it stands for too, by the
    object's identity and the name that `places_of` gives.
    """

    addresses: dict[int, int] = field(default_factory=dict)
    functions: dict[int, int] = field(default_factory=dict)
    table: dict[int, int] = field(default_factory=dict)
    types: dict[Signature, int] = field(default_factory=dict)
    made: dict[str, int] = field(default_factory=dict)
    written: dict[int, dict[bytes, tuple[int, bytes]]] = field(default_factory=dict)
    placed: list[tuple[int, ObjectFile, Segment]] = field(default_factory=list)
    stack_top: int = 0

    @property
    def pages(self) -> int:
        """Pages of memory at the start: what is laid out, and one for the heap."""
        return -(-self.made["__heap_base"] // PAGE) + 1

    def address(self, target: Target, offset: int) -> int:
        """The address that a symbol of data means."""
        if isinstance(target, str):
            return self.made[target]
        assert isinstance(target, tuple), f"{target} is no data"
        return self.addresses[id(target[1])] + offset


def aligned(address: int, alignment: int) -> int:
    """The next address that the alignment allows."""
    return -(-address // alignment) * alignment


def place_all(live: Live) -> Layout:
    """Lay out everything that lives."""
    layout = Layout()
    layout.stack_top = STACK if live.stack_pointer else 0
    roots = [each for each in live.segments if each[1].name.startswith(ROOTS)]
    others = [each for each in live.segments if not each[1].name.startswith(ROOTS)]
    others.sort(key=lambda each: STATE not in each[1].name)
    at = place(layout, others, max(layout.stack_top, FIRST))
    layout.made["__roots_start"] = aligned(at, ALIGNMENT)
    at = place(layout, roots, layout.made["__roots_start"])
    layout.made["__roots_end"] = aligned(at, 8)
    layout.made["__heap_base"] = aligned(at, ALIGNMENT)
    layout.made |= dict(live.tables.symbols())
    callees: list[Code | HostFunction] = [*live.hosts, *(code for _, code in live.functions)]
    for number, callee in enumerate(callees):
        layout.functions[id(callee)] = number
        layout.types.setdefault(callee.signature, len(layout.types))
    for place_, indirect in enumerate(in_table(live), start=1):
        layout.table[id(indirect)] = place_
    return layout


def in_table(live: Live) -> list[Code | HostFunction]:
    """The functions in the table, those first that are named most often: a low place is a short number."""
    return sorted(live.indirect, key=lambda each: -live.indirect[each])


def place(layout: Layout, segments: Sequence[tuple[ObjectFile, Segment]], at: int) -> int:
    """Give addresses, one after the other; the address behind the last."""
    for holder, segment in segments:
        at = aligned(at, segment.alignment)
        layout.addresses[id(segment)] = at
        layout.placed.append((at, holder, segment))
        at += len(segment.data)
    return at
