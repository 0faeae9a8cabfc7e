"""hmac: keyed hashes (RFC 2104) and comparison in constant time."""

from __future__ import annotations

from collections.abc import Callable

from meshext_wasm.library import hashlib
from meshext_wasm.library.binascii import characters, count_characters, hex_text
from meshext_wasm.library.hashlib import Hash
from meshext_wasm.library.raw import load8, word


class HMAC:
    """A keyed hash that takes bytes bit by bit. Sizes are in bytes."""

    digest_size: int
    block_size: int
    inner: Hash
    outer: Hash

    def __init__(self, key: bytes, msg: bytes | None, digestmod: str) -> None:
        self.inner = hashlib.new(digestmod)
        self.outer = hashlib.new(digestmod)
        self.digest_size = self.inner.digest_size
        self.block_size = self.inner.block_size
        if len(key) > self.block_size:
            key = hashlib.new(digestmod, key).digest()
        self.inner.update(padded(key, self.block_size, 0x36))
        self.outer.update(padded(key, self.block_size, 0x5C))
        if msg is not None:
            self.update(msg)

    @property
    def name(self) -> str:
        """`hmac-sha256` and the like."""
        return "hmac-" + self.inner.name

    def update(self, msg: bytes) -> None:
        """Take more bytes."""
        self.inner.update(msg)

    def digest(self) -> bytes:
        """The digest of the bytes so far."""
        result = self.outer.copy()
        result.update(self.inner.digest())
        return result.digest()

    def hexdigest(self) -> str:
        """The digest in hexadecimal."""
        return hex_text(self.digest())


def padded(key: bytes, size: int, byte: int) -> bytes:
    """A key filled with zeros to a block, every byte changed by the same bits."""
    return bytes([each ^ byte for each in key]) + bytes([byte]) * (size - len(key))


def new(key: bytes, msg: bytes | None = None, digestmod: str | Callable[[bytes], Hash] = "") -> HMAC:
    """A keyed hash by the name of its hash function, or the function itself, as `hashlib.sha256`."""
    if not isinstance(digestmod, str):
        return HMAC(key, msg, digestmod(b"").name)
    if digestmod == "":
        raise TypeError("Missing required parameter 'digestmod'.")
    return HMAC(key, msg, digestmod)


def digest(key: bytes, msg: bytes, digest: str | Callable[[bytes], Hash]) -> bytes:
    """The keyed hash of one message."""
    return new(key, msg, digest).digest()


def compare_digest(a: str | bytes, b: str | bytes, /) -> bool:
    """Whether two digests are the same, in a time that only their lengths change."""
    if isinstance(a, str) != isinstance(b, str):
        raise TypeError(f"unsupported operand types(s) or combination of types: '{kind(a)}' and '{kind(b)}'")
    if isinstance(a, str) and isinstance(b, str) and not (a.isascii() and b.isascii()):
        raise TypeError("comparing strings with non-ASCII characters is not supported")
    size = count_characters(b)
    right = characters(b)
    same = count_characters(a) == size
    left = characters(a) if same else right
    found = word(0) if same else word(1)
    index = word(0)
    while index < size:
        found = found | (load8(left + index) ^ load8(right + index))
        index = index + 1
    return found == 0


def kind(value: str | bytes) -> str:
    """The name of a class."""
    return "str" if isinstance(value, str) else "bytes"
