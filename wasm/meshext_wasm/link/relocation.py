"""Numbers and addresses, put into code and data."""

from __future__ import annotations

from meshext_wasm.link.calls import INDIRECT, far_call, in_place
from meshext_wasm.link.encoding import signed, unsigned
from meshext_wasm.link.layout import Layout
from meshext_wasm.link.liveness import Live
from meshext_wasm.link.objects import (
    FOUR_BYTES,
    WIDTHS,
    Code,
    Fix,
    ObjectFile,
    Relocation,
    Segment,
    places_of,
    relocation_of,
)
from meshext_wasm.link.tables import is_class, place_number

OF_FUNCTIONS = frozenset({Fix.FUNCTION_INDEX_LEB, Fix.TABLE_INDEX_SLEB, Fix.TABLE_INDEX_I32})
SIGNED = frozenset({Fix.TABLE_INDEX_SLEB, Fix.MEMORY_ADDR_SLEB})


def relocated(live: Live, layout: Layout, holder: ObjectFile, found: Code | Segment) -> bytes:
    """The bytes of a function or segment with everything put in.

    Code gets shorter: objects keep five bytes for a number, and most need one or two. Nothing in a function
    counts bytes, so nothing else changes.
    """
    raw = found.body if isinstance(found, Code) else found.data
    if not found.packed:
        return raw
    parts: list[bytes] = []
    done = 0
    known = layout.written.setdefault(id(holder), {})
    table = is_class(found)  # what stands in a place of a table depends on the place too
    for offset, what, name in places_of(raw, found.packed):
        put = None if table else known.get(name)
        if put is None:
            put = placed(live, layout, holder, found, relocation_of(offset, what))
            if not table:
                known[name] = put
        opcodes, new = put
        parts += raw[done : offset - opcodes], new
        done = offset + WIDTHS[what[0]]
    return b"".join([*parts, raw[done:]])


def placed(
    live: Live, layout: Layout, holder: ObjectFile, found: Code | Segment, relocation: Relocation
) -> tuple[int, bytes]:
    """The bytes for one place, and how many before it they stand for too: with a call through the table,
    the opcode of the direct one."""
    target = live.meanings.get((id(holder), relocation.index), (None, 0))[0]
    callee = in_place(holder, found, relocation, target)
    if callee is not None and relocation.fix not in INDIRECT:
        return 1, far_call(layout.table[id(callee)], layout.types[callee.signature])
    filled = is_filled(live, found, relocation)
    return 0, encoded(relocation.fix, number_of(live, layout, holder, relocation) if filled else 0)


def is_filled(live: Live, found: Code | Segment, relocation: Relocation) -> bool:
    """Whether anything is put in: not in a place of a table that nothing calls."""
    number = place_number(found, relocation)
    return number is None or (isinstance(found, Segment) and live.tables.fills(found, number))


def encoded(fix: Fix, number: int) -> bytes:
    """A number as it stands in code or data."""
    if fix in FOUR_BYTES:
        return number.to_bytes(4, "little")
    return signed(number) if fix in SIGNED else unsigned(number)


def number_of(live: Live, layout: Layout, holder: ObjectFile, relocation: Relocation) -> int:
    """What a relocation puts in."""
    fix = relocation.fix
    if fix is Fix.TYPE_INDEX_LEB:
        signature = holder.types[relocation.index]
        return layout.types.setdefault(signature, len(layout.types))
    if fix in (Fix.TABLE_NUMBER_LEB, Fix.GLOBAL_INDEX_LEB):
        return 0
    target, offset = live.meanings[id(holder), relocation.index]
    if fix in OF_FUNCTIONS:
        callee = target[1] if isinstance(target, tuple) else target
        numbers = layout.functions if fix is Fix.FUNCTION_INDEX_LEB else layout.table
        return numbers[id(callee)]
    return layout.address(target, offset) + relocation.addend
