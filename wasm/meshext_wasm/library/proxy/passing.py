"""Handing bytes to the host and taking what it hands over.

Memory for what the host hands over is that of a `bytes` object, whose data the host fills in: so it is taken
without a copy.
"""

from meshext_wasm.library.raw import (
    blob_new,
    class_descriptor,
    export,
    load32,
    store32,
    value_address,
    value_at,
    word,
)

DATA = 16
TEXT_DATA = 24
"""Where the data of a `bytes` object begins, and of a `str`."""


@export("proxy_on_memory_allocate")
def allocate(size: word) -> word:
    """Memory for something that the host hands over."""
    address = value_address(blob_new(class_descriptor(bytes), size + word(8)))
    store32(address + word(8), size)
    store32(address + word(12), word(0))
    return address + word(DATA)


def bytes_at(data: bytes) -> word:
    """Where the data of a bytes object is; it stays there until the callback ends."""
    return value_address(data) + word(DATA)


def name_at(name: str) -> word:
    """Where the characters of an ASCII text are; the names of headers are such."""
    return value_address(name) + word(TEXT_DATA)


def name_size(name: str) -> word:
    """How many characters it has."""
    return load32(value_address(name) + word(8))


def new_result() -> word:
    """Room for the two words by which the host says what it handed over: address and length, now none."""
    out = value_address(blob_new(class_descriptor(bytes), word(16)))
    store32(out + word(8), word(0))
    store32(out + word(12), word(0))
    store32(out + word(16), word(0))
    store32(out + word(20), word(0))
    return out + word(8)


def take_bytes(out: word) -> bytes:
    """What the host handed over; b"" where that is nothing."""
    size = load32(out + word(4))
    if size == word(0):
        return b""
    return value_at(load32(out) - word(DATA))


def take_word(out: word) -> int:
    """A number that the host wrote."""
    return int(load32(out))
