"""What all hash functions share: gathering blocks, padding the last one, writing the digest."""

from __future__ import annotations

from meshext_wasm.library.digests import md5, sha1, sha256, sha512
from meshext_wasm.library.digests.words import swapped, swapped_wide, table
from meshext_wasm.library.raw import (
    blob_new,
    budget_charge,
    class_descriptor,
    heap_set_top,
    heap_top,
    load32,
    load64,
    memory_copy,
    memory_fill,
    store8,
    store32,
    store64,
    value_address,
    wide,
    word,
)

MD5 = 0
SHA1 = 1
SHA256 = 2
SHA512 = 3
STATE = 24  # offsets in the working memory: the state, a block that fills up
BLOCK = 88
SIZE = 208
SCHEDULE = 648
"""Bytes for the words of the rounds."""


def new_memory() -> object:
    """The working memory of a hash, as a bytes object that nobody else sees."""
    memory: object = blob_new(class_descriptor(bytes), word(SIZE))
    store32(value_address(memory) + 8, word(SIZE) - 8)
    store32(value_address(memory) + 12, 0)
    return memory


def compress(kind: int, memory: word, block: word) -> None:
    """Take one block into the state."""
    state = memory + word(STATE)
    top = heap_top()
    schedule = value_address(blob_new(class_descriptor(bytes), word(SCHEDULE))) + 8
    if kind == SHA256:
        sha256.compress(state, block, schedule)
    elif kind == SHA1:
        sha1.compress(state, block, schedule)
    elif kind == MD5:
        md5.compress(state, block, schedule)
    else:
        sha512.compress(state, block, schedule)
    heap_set_top(top)


def take(kind: int, memory: word, filled: word, data: bytes, block_size: word) -> None:
    """Take bytes, of which a block may hold `filled` from before."""
    source = table(data)
    left = load32(value_address(data) + 8)
    budget_charge(left * word(12))
    if filled > 0:
        room = block_size - filled
        if left < room:
            memory_copy(memory + word(BLOCK) + filled, source, left)
            return
        memory_copy(memory + word(BLOCK) + filled, source, room)
        compress(kind, memory, memory + word(BLOCK))
        source = source + room
        left = left - room
    while left >= block_size:
        compress(kind, memory, source)
        source = source + block_size
        left = left - block_size
    memory_copy(memory + word(BLOCK), source, left)


def finish(kind: int, memory: word, length: int, block_size: word) -> None:
    """Pad and take what is left: one bit, zeros, and the length in bits at the end."""
    filled = word(length) & (block_size - 1)
    block = memory + word(BLOCK)
    store8(block + filled, 128)
    filled = filled + 1
    tail = block_size // 8
    if filled + tail > block_size:
        memory_fill(block + filled, 0, block_size - filled)
        compress(kind, memory, block)
        filled = word(0)
    memory_fill(block + filled, 0, block_size - filled)
    bits = wide(length) << 3
    store64(block + block_size - 8, bits if kind == MD5 else swapped_wide(bits))
    compress(kind, memory, block)


def new_digest(size: word) -> word:
    """Where a digest of so many bytes is going to be."""
    result = value_address(blob_new(class_descriptor(bytes), size + 8))
    store32(result + 8, size)
    store32(result + 12, 0)
    return result


def write_digest(kind: int, memory: word, result: word) -> None:
    """The first bytes of the state, in the order of the function."""
    size = load32(result + 8)
    at = word(0)
    while at < size:
        if kind == SHA512:
            store64(result + 16 + at, swapped_wide(load64(memory + word(STATE) + at)))
            at = at + 8
        else:
            part = load32(memory + word(STATE) + at)
            store32(result + 16 + at, part if kind == MD5 else swapped(part))
            at = at + 4
