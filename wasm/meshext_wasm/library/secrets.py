"""secrets: randomness from the host, for tokens and choices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from meshext_wasm.library.base64 import urlsafe_b64encode
from meshext_wasm.library.binascii import hex_text, new_bytes
from meshext_wasm.library.hmac import compare_digest
from meshext_wasm.library.raw import budget_charge, host, value_at, word

__all__ = ["compare_digest"]

T = TypeVar("T")
DEFAULT_ENTROPY = 32


@host("random_get")
def random_get(out: word, size: word) -> word:
    """WASI's random bytes."""
    raise NotImplementedError


def token_bytes(nbytes: int | None = None) -> bytes:
    """Random bytes."""
    count = DEFAULT_ENTROPY if nbytes is None else nbytes
    if count < 0:
        raise ValueError("negative argument not allowed")
    if count > 1 << 24:
        raise MemoryError
    data = new_bytes(word(count))
    budget_charge(word(1000) + word(count))
    if random_get(data + 16, word(count)) != 0:
        raise OSError("the host has no randomness")
    return value_at(data)


def token_hex(nbytes: int | None = None) -> str:
    """Random bytes in hexadecimal."""
    return hex_text(token_bytes(nbytes))


def token_urlsafe(nbytes: int | None = None) -> str:
    """Random bytes in the URL alphabet of Base64, without padding."""
    return urlsafe_b64encode(token_bytes(nbytes)).rstrip(b"=").decode("ascii")


def randbits(k: int) -> int:
    """A random int of so many bits."""
    if k < 0:
        raise ValueError("number of bits must be non-negative")
    return int.from_bytes(token_bytes((k + 7) // 8), "big") >> ((k + 7) // 8 * 8 - k)


def randbelow(exclusive_upper_bound: int) -> int:
    """A random int from 0 up to a bound, every one as likely."""
    if exclusive_upper_bound <= 0:
        raise ValueError("Upper bound must be positive.")
    bits = exclusive_upper_bound.bit_length()
    result = randbits(bits)
    while result >= exclusive_upper_bound:
        result = randbits(bits)
    return result


def choice(seq: Sequence[T]) -> T:
    """One of the items, every one as likely."""
    if len(seq) == 0:
        raise IndexError("Cannot choose from an empty sequence")
    return seq[randbelow(len(seq))]
