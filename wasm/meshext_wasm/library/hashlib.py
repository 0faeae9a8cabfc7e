"""hashlib: md5, sha1, sha224, sha256, sha384 and sha512."""

from __future__ import annotations

from meshext_wasm.library.binascii import hex_text
from meshext_wasm.library.digests import engine
from meshext_wasm.library.digests.tables import (
    MD5_START,
    SHA1_START,
    SHA224_START,
    SHA256_START,
    SHA384_START,
    SHA512_START,
)
from meshext_wasm.library.digests.words import table
from meshext_wasm.library.raw import heap_set_top, heap_top, memory_copy, value_address, value_at, word

algorithms_guaranteed = frozenset(["md5", "sha1", "sha224", "sha256", "sha384", "sha512"])
algorithms_available = algorithms_guaranteed


class Hash:
    """A hash that takes bytes bit by bit. Sizes are in bytes.

    Most take less than a block, once, and give their digest: these `waiting` bytes need no working memory, so
    a thousand hashes leave little behind.
    """

    name: str
    kind: int
    start: bytes
    digest_size: int
    block_size: int
    length: int
    waiting: bytes
    memory: object

    def __init__(
        self, name: str, kind: int, start: bytes, digest_size: int, block_size: int, waiting: bytes
    ) -> None:
        self.name = name
        self.kind = kind
        self.start = start
        self.digest_size = digest_size
        self.block_size = block_size
        self.length = len(waiting)
        self.waiting = waiting
        self.memory = None

    def address(self) -> word:
        """Where the working memory stands now; it is made when it is first needed."""
        if self.memory is None:
            self.memory = self.new_memory()
            self.waiting = b""
        return value_address(self.memory)

    def new_memory(self) -> object:
        """Working memory that has taken what is waiting."""
        memory = engine.new_memory()
        at = value_address(memory)
        memory_copy(at + word(engine.STATE), table(self.start), word(len(self.start)))
        engine.take(self.kind, at, word(0), self.waiting, word(self.block_size))
        return memory

    def copied_memory(self) -> object:
        """Another working memory, that has taken the same bytes."""
        if self.memory is None:
            return self.new_memory()
        memory = engine.new_memory()
        memory_copy(value_address(memory) + 8, self.address() + 8, word(engine.SIZE))
        return memory

    def update(self, data: bytes, /) -> None:
        """Take more bytes."""
        if len(data) > 0:
            filled = word(self.length % self.block_size)
            engine.take(self.kind, self.address(), filled, data, word(self.block_size))
            self.length += len(data)

    def digest(self) -> bytes:
        """The digest of the bytes so far."""
        result = engine.new_digest(word(self.digest_size))
        top = heap_top()
        copied = value_address(self.copied_memory())
        engine.finish(self.kind, copied, self.length, word(self.block_size))
        engine.write_digest(self.kind, copied, result)
        heap_set_top(top)  # nothing else has the copy
        return value_at(result)

    def hexdigest(self) -> str:
        """The digest in hexadecimal."""
        return hex_text(self.digest())

    def copy(self) -> Hash:
        """Another hash that has taken the same bytes."""
        result = Hash(self.name, self.kind, self.start, self.digest_size, self.block_size, self.waiting)
        if self.memory is not None:
            result.length = self.length
            result.memory = self.copied_memory()
        return result


def md5(string: bytes = b"", *, usedforsecurity: bool = True) -> Hash:
    """MD5."""
    return started("md5", engine.MD5, MD5_START, 16, 64, string)


def sha1(string: bytes = b"", *, usedforsecurity: bool = True) -> Hash:
    """SHA-1."""
    return started("sha1", engine.SHA1, SHA1_START, 20, 64, string)


def sha224(string: bytes = b"", *, usedforsecurity: bool = True) -> Hash:
    """SHA-224."""
    return started("sha224", engine.SHA256, SHA224_START, 28, 64, string)


def sha256(string: bytes = b"", *, usedforsecurity: bool = True) -> Hash:
    """SHA-256."""
    return started("sha256", engine.SHA256, SHA256_START, 32, 64, string)


def sha384(string: bytes = b"", *, usedforsecurity: bool = True) -> Hash:
    """SHA-384."""
    return started("sha384", engine.SHA512, SHA384_START, 48, 128, string)


def sha512(string: bytes = b"", *, usedforsecurity: bool = True) -> Hash:
    """SHA-512."""
    return started("sha512", engine.SHA512, SHA512_START, 64, 128, string)


def started(name: str, kind: int, start: bytes, digest_size: int, block_size: int, data: bytes) -> Hash:
    """A hash that has taken bytes."""
    if len(data) < block_size:
        return Hash(name, kind, start, digest_size, block_size, data)
    result = Hash(name, kind, start, digest_size, block_size, b"")
    result.update(data)
    return result


def new(name: str, data: bytes = b"", *, usedforsecurity: bool = True) -> Hash:
    """The hash function of a name."""
    match name.lower():
        case "md5":
            return md5(data)
        case "sha1":
            return sha1(data)
        case "sha224":
            return sha224(data)
        case "sha256":
            return sha256(data)
        case "sha384":
            return sha384(data)
        case "sha512":
            return sha512(data)
        case _:
            raise ValueError(f"unsupported hash type {name}")
