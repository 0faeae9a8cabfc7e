"""SHA-512 and SHA-384 (FIPS 180-4, section 6.4)."""

from __future__ import annotations

from meshext_wasm.library.digests.tables import SHA512_ROUNDS
from meshext_wasm.library.digests.words import load_big_wide, rotated_wide, table
from meshext_wasm.library.raw import load64, nothrow, store64, wide, word


@nothrow
def fill_schedule(schedule: word, block: word) -> None:
    """The 80 words of 64 bits that the rounds take."""
    at = word(0)
    while at < 128:
        store64(schedule + at, load_big_wide(block + at))
        at = at + 8
    while at < 640:
        early = load64(schedule + at - 120)
        late = load64(schedule + at - 16)
        first = rotated_wide(early, wide(1)) ^ rotated_wide(early, wide(8)) ^ (early >> 7)
        second = rotated_wide(late, wide(19)) ^ rotated_wide(late, wide(61)) ^ (late >> 6)
        store64(schedule + at, load64(schedule + at - 128) + first + load64(schedule + at - 56) + second)
        at = at + 8


@nothrow
def compress(state: word, block: word, schedule: word) -> None:
    """Take a block of 128 bytes into the state of eight words."""
    fill_schedule(schedule, block)
    rounds = table(SHA512_ROUNDS)
    a = load64(state)
    b = load64(state + 8)
    c = load64(state + 16)
    d = load64(state + 24)
    e = load64(state + 32)
    f = load64(state + 40)
    g = load64(state + 48)
    h = load64(state + 56)
    at = word(0)
    while at < 640:
        mixed = rotated_wide(e, wide(14)) ^ rotated_wide(e, wide(18)) ^ rotated_wide(e, wide(41))
        first = h + mixed + ((e & f) ^ (~e & g)) + load64(rounds + at) + load64(schedule + at)
        mixed = rotated_wide(a, wide(28)) ^ rotated_wide(a, wide(34)) ^ rotated_wide(a, wide(39))
        second = mixed + ((a & b) ^ (a & c) ^ (b & c))
        h = g
        g = f
        f = e
        e = d + first
        d = c
        c = b
        b = a
        a = first + second
        at = at + 8
    store64(state, load64(state) + a)
    store64(state + 8, load64(state + 8) + b)
    store64(state + 16, load64(state + 16) + c)
    store64(state + 24, load64(state + 24) + d)
    store64(state + 32, load64(state + 32) + e)
    store64(state + 40, load64(state + 40) + f)
    store64(state + 48, load64(state + 48) + g)
    store64(state + 56, load64(state + 56) + h)
