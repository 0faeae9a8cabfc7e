"""MD5 (RFC 1321, section 3.4)."""

from __future__ import annotations

from meshext_wasm.library.digests.tables import MD5_SHIFTS, MD5_SINES
from meshext_wasm.library.digests.words import rotated, table
from meshext_wasm.library.raw import load8, load32, nothrow, store32, word


@nothrow
def compress(state: word, block: word, schedule: word) -> None:
    """Take a block of 64 bytes into the state of four words."""
    sines = table(MD5_SINES)
    shifts = table(MD5_SHIFTS)
    a = load32(state)
    b = load32(state + 4)
    c = load32(state + 8)
    d = load32(state + 12)
    step = word(0)
    while step < 64:
        if step < 16:
            mixed = (b & c) | (~b & d)
            place = step
        elif step < 32:
            mixed = (d & b) | (~d & c)
            place = (step * 5 + 1) & 15
        elif step < 48:
            mixed = b ^ c ^ d
            place = (step * 3 + 5) & 15
        else:
            mixed = c ^ (b | ~d)
            place = (step * 7) & 15
        mixed = mixed + a + load32(sines + step * 4) + load32(block + place * 4)
        a = d
        d = c
        c = b
        b = b + rotated(mixed, word(32) - load8(shifts + step))
        step = step + 1
    store32(state, load32(state) + a)
    store32(state + 4, load32(state + 4) + b)
    store32(state + 8, load32(state + 8) + c)
    store32(state + 12, load32(state + 12) + d)
