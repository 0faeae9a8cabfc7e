"""hashlib: md5, sha1, sha224, sha256, sha384 and sha512."""

from __future__ import annotations

from meshext_wasm.library.binascii import hex_text
from meshext_wasm.library.digests import engine
from meshext_wasm.library.digests.words import table
from meshext_wasm.library.raw import heap_set_top, heap_top, memory_copy, value_address, value_at, word

algorithms_guaranteed = frozenset(["md5", "sha1", "sha224", "sha256", "sha384", "sha512"])
algorithms_available = algorithms_guaranteed


class Hash:
    """A hash that takes bytes bit by bit. Sizes are in bytes."""

    name: str
    digest_size: int
    block_size: int
    length: int
    memory: object

    def __init__(self, name: str, digest_size: int, block_size: int) -> None:
        self.name = name
        self.digest_size = digest_size
        self.block_size = block_size
        self.length = 0
        self.memory = engine.new_memory()
        start = engine.start_of(name)
        memory_copy(self.address() + word(engine.STATE), table(start), word(len(start)))

    def address(self) -> word:
        """Where the working memory stands now."""
        return value_address(self.memory)

    def update(self, data: bytes, /) -> None:
        """Take more bytes."""
        if len(data) > 0:
            filled = word(self.length % self.block_size)
            kind = engine.kind_of(self.name)
            engine.take(kind, self.address(), filled, data, word(self.block_size))
            self.length += len(data)

    def digest(self) -> bytes:
        """The digest of the bytes so far."""
        kind = engine.kind_of(self.name)
        result = engine.new_digest(word(self.digest_size))
        top = heap_top()
        copied = self.copy().address()
        engine.finish(kind, copied, self.length, word(self.block_size))
        engine.write_digest(kind, copied, result)
        heap_set_top(top)  # nothing else has the copy
        return value_at(result)

    def hexdigest(self) -> str:
        """The digest in hexadecimal."""
        return hex_text(self.digest())

    def copy(self) -> Hash:
        """Another hash that has taken the same bytes."""
        result = Hash(self.name, self.digest_size, self.block_size)
        result.length = self.length
        memory_copy(result.address() + 8, self.address() + 8, word(engine.SIZE))
        return result


def md5(string: bytes = b"", *, usedforsecurity: bool = True) -> Hash:
    """MD5."""
    return started("md5", 16, 64, string)


def sha1(string: bytes = b"", *, usedforsecurity: bool = True) -> Hash:
    """SHA-1."""
    return started("sha1", 20, 64, string)


def sha224(string: bytes = b"", *, usedforsecurity: bool = True) -> Hash:
    """SHA-224."""
    return started("sha224", 28, 64, string)


def sha256(string: bytes = b"", *, usedforsecurity: bool = True) -> Hash:
    """SHA-256."""
    return started("sha256", 32, 64, string)


def sha384(string: bytes = b"", *, usedforsecurity: bool = True) -> Hash:
    """SHA-384."""
    return started("sha384", 48, 128, string)


def sha512(string: bytes = b"", *, usedforsecurity: bool = True) -> Hash:
    """SHA-512."""
    return started("sha512", 64, 128, string)


def started(name: str, digest_size: int, block_size: int, data: bytes) -> Hash:
    """A hash that has taken bytes."""
    result = Hash(name, digest_size, block_size)
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
