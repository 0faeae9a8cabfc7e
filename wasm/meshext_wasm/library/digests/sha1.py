"""SHA-1 (FIPS 180-4, section 6.1)."""

from __future__ import annotations

from meshext_wasm.library.digests.words import load_big, rotated
from meshext_wasm.library.raw import load32, nothrow, store32, word


@nothrow
def fill_schedule(schedule: word, block: word) -> None:
    """The 80 words that the rounds take."""
    at = word(0)
    while at < 64:
        store32(schedule + at, load_big(block + at))
        at = at + 4
    while at < 320:
        mixed = load32(schedule + at - 12) ^ load32(schedule + at - 32)
        mixed = mixed ^ load32(schedule + at - 56) ^ load32(schedule + at - 64)
        store32(schedule + at, rotated(mixed, word(31)))
        at = at + 4


@nothrow
def compress(state: word, block: word, schedule: word) -> None:
    """Take a block of 64 bytes into the state of five words."""
    fill_schedule(schedule, block)
    a = load32(state)
    b = load32(state + 4)
    c = load32(state + 8)
    d = load32(state + 12)
    e = load32(state + 16)
    at = word(0)
    while at < 320:
        if at < 80:
            mixed = ((b & c) | (~b & d)) + 0x5A827999
        elif at < 160:
            mixed = (b ^ c ^ d) + 0x6ED9EBA1
        elif at < 240:
            mixed = ((b & c) | (b & d) | (c & d)) + 0x8F1BBCDC
        else:
            mixed = (b ^ c ^ d) + 0xCA62C1D6
        mixed = rotated(a, word(27)) + mixed + e + load32(schedule + at)
        e = d
        d = c
        c = rotated(b, word(2))
        b = a
        a = mixed
        at = at + 4
    store32(state, load32(state) + a)
    store32(state + 4, load32(state + 4) + b)
    store32(state + 8, load32(state + 8) + c)
    store32(state + 12, load32(state + 12) + d)
    store32(state + 16, load32(state + 16) + e)
