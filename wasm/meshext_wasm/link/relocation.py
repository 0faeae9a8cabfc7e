"""Numbers and addresses, put into code and data."""

from __future__ import annotations

from meshext_wasm.link.calls import far_call, is_far
from meshext_wasm.link.encoding import signed, unsigned
from meshext_wasm.link.layout import Layout
from meshext_wasm.link.liveness import Live
from meshext_wasm.link.objects import (
    FOUR_BYTES,
    PLACES,
    Code,
    Fix,
    ObjectFile,
    Relocation,
    Segment,
    named_at,
    relocation_of,
    width_of,
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
    for offset, what in PLACES.iter_unpack(found.packed):
        key = named_at(raw, offset, what)
        put = None if table else known.get(key)
        if put is None:
            put = placed(live, layout, holder, found, relocation_of(offset, what))
            if not table:
                known[key] = put
        opcodes, new = put
        parts += raw[done : offset - opcodes], new
        done = offset + width_of(what)
    return b"".join([*parts, raw[done:]])


def placed(
    live: Live, layout: Layout, holder: ObjectFile, found: Code | Segment, relocation: Relocation
) -> tuple[int, bytes]:
    """The bytes for one place, and how many before it they stand for too: with a call through the table,
    the opcode of the direct one."""
    far = called_far(live, layout, holder, found, relocation)
    if far:
        return 1, far
    filled = is_filled(live, found, relocation)
    return 0, encoded(relocation.fix, number_of(live, layout, holder, relocation) if filled else 0)


def called_far(
    live: Live, layout: Layout, holder: ObjectFile, found: Code | Segment, relocation: Relocation
) -> bytes:
    """The call through the table that stands instead of a direct one, if any."""
    target = live.meanings.get((id(holder), relocation.index), ("", 0))[0]
    callee = target[1] if isinstance(target, tuple) else None
    if not isinstance(callee, Code) or not is_far(holder, found, relocation, callee):
        return b""
    return far_call(layout.table[id(callee)], layout.types[callee.signature])


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
