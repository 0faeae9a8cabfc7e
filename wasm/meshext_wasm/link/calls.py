"""Which calls go through the table, and how they are written.

Envoy runs V8 with its optimising compiler alone, and that puts functions in place of direct calls, whatever
they are, until a function is up to five times as large: more than half of what it takes to make a module
ready. Calls through the table stay calls. They cost two nanoseconds, so what is called all the time and is
small stays direct.
"""

from __future__ import annotations

from typing import Final

from meshext_wasm.link.encoding import signed, unsigned
from meshext_wasm.link.objects import Code, Fix, ObjectFile, Relocation
from meshext_wasm.link.symbols import FAR, HostFunction, Target

CALL, CALL_INDIRECT, I32_CONST = 0x10, 0x11, 0x41
LARGE: Final = 110
"""Bytes of code from which on a function is never put in place of its calls."""
INDIRECT: Final = frozenset({Fix.TABLE_INDEX_SLEB, Fix.TABLE_INDEX_I32})
"""What asks for a place in the table."""
Callee = Code | HostFunction


def in_place(
    holder: ObjectFile, caller: object, relocation: Relocation, target: Target | None
) -> Callee | None:
    """The function that needs a place in the table for a relocation of code or a segment; None where that is
    none. A direct call becomes one through the table wherever this tells a function."""
    callee = target[1] if isinstance(target, tuple) else target
    if not isinstance(callee, Code | HostFunction):
        return None
    needed = relocation.fix in INDIRECT or is_far(holder, caller, relocation, callee)
    return callee if needed else None


def is_far(holder: ObjectFile, caller: object, relocation: Relocation, callee: object) -> bool:
    """Whether a relocation is a call that goes through the table: one that seldom runs, or of a large
    function."""
    if relocation.fix is not Fix.FUNCTION_INDEX_LEB or not isinstance(callee, Code):
        return False
    if not isinstance(caller, Code) or caller.body[relocation.offset - 1] != CALL:
        return False
    return holder.symbols[relocation.index].name.startswith(FAR) or len(callee.body) >= LARGE


def far_call(place: int, kind: int) -> bytes:
    """The call of what stands at a place in the table, by the number of its type."""
    return bytes([I32_CONST]) + signed(place) + bytes([CALL_INDIRECT]) + unsigned(kind) + b"\0"
