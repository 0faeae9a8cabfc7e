"""SHA-256 and SHA-224 (FIPS 180-4, section 6.2)."""

from __future__ import annotations

from meshext_wasm.library.digests.tables import SHA256_ROUNDS
from meshext_wasm.library.digests.words import load_big, rotated, table
from meshext_wasm.library.raw import load32, nothrow, store32, word


@nothrow
def fill_schedule(schedule: word, block: word) -> None:
    """The 64 words that the rounds take."""
    at = word(0)
    while at < 64:
        store32(schedule + at, load_big(block + at))
        at = at + 4
    while at < 256:
        early = load32(schedule + at - 60)
        late = load32(schedule + at - 8)
        first = rotated(early, word(7)) ^ rotated(early, word(18)) ^ (early >> 3)
        second = rotated(late, word(17)) ^ rotated(late, word(19)) ^ (late >> 10)
        store32(schedule + at, load32(schedule + at - 64) + first + load32(schedule + at - 28) + second)
        at = at + 4


@nothrow
def compress(state: word, block: word, schedule: word) -> None:
    """Take a block of 64 bytes into the state of eight words."""
    fill_schedule(schedule, block)
    rounds = table(SHA256_ROUNDS)
    a = load32(state)
    b = load32(state + 4)
    c = load32(state + 8)
    d = load32(state + 12)
    e = load32(state + 16)
    f = load32(state + 20)
    g = load32(state + 24)
    h = load32(state + 28)
    at = word(0)
    while at < 256:
        mixed = rotated(e, word(6)) ^ rotated(e, word(11)) ^ rotated(e, word(25))
        first = h + mixed + ((e & f) ^ (~e & g)) + load32(rounds + at) + load32(schedule + at)
        mixed = rotated(a, word(2)) ^ rotated(a, word(13)) ^ rotated(a, word(22))
        second = mixed + ((a & b) ^ (a & c) ^ (b & c))
        h = g
        g = f
        f = e
        e = d + first
        d = c
        c = b
        b = a
        a = first + second
        at = at + 4
    store32(state, load32(state) + a)
    store32(state + 4, load32(state + 4) + b)
    store32(state + 8, load32(state + 8) + c)
    store32(state + 12, load32(state + 12) + d)
    store32(state + 16, load32(state + 16) + e)
    store32(state + 20, load32(state + 20) + f)
    store32(state + 24, load32(state + 24) + g)
    store32(state + 28, load32(state + 28) + h)
