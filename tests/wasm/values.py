"""Python values into a module's memory and back, by the layout that ARCHITECTURE.md gives."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Protocol

import wasmtime

from meshext_wasm.ir.instructions import Mark
from meshext_wasm.llvm.constants import UCS4, big_payload, str_payload
from meshext_wasm.llvm.names import FALSE, FEWEST, MOST, NONE, TRUE, UNSET, tagged
from meshext_wasm.tree import known

HEADER = 8
IMMEDIATE: dict[int, object] = {NONE: None, FALSE: False, TRUE: True, UNSET: Mark.UNSET}


class Call(Protocol):
    """Calls an export of the module."""

    def __call__(self, name: str, *arguments: int) -> int:
        """Its result."""


class Other:
    """A value of a class that has no twin here."""

    def __init__(self, name: str, address: int) -> None:
        self.name = name
        self.address = address

    def __repr__(self) -> str:
        return f"<{self.name}>"


class Values:
    """Converts for one instance."""

    def __init__(self, store: wasmtime.Store, memory: wasmtime.Memory, call: Call) -> None:
        self._store = store
        self._memory = memory
        self._call = call
        self._readers: dict[str, Callable[[int], object]] = {
            "int": self._int,
            "float": lambda at: struct.unpack("<d", self.read(at + HEADER, 8))[0],
            "str": self._str,
            "bytes": lambda at: self.read(at + 16, self.word(at + HEADER)),
            "tuple": lambda at: tuple(self._slots(at)),
            "array": self._slots,
            "list": lambda at: list(self._items("wire_list", at)),
            "set": lambda at: set(self._items("wire_set", at)),
            "frozenset": lambda at: frozenset(self._items("wire_frozenset", at)),
            "dict": lambda at: dict(self._items("wire_dict", at)),
        }

    def read(self, address: int, count: int) -> bytes:
        """Bytes of the memory."""
        return bytes(self._memory.read(self._store, address, address + count))

    def word(self, address: int) -> int:
        """Four bytes as a number."""
        return int.from_bytes(self.read(address, 4), "little")

    def class_name(self, address: int) -> str:
        """The name of an object's class."""
        return self._str(self.word(self.word(address) + 8))

    def to_value(self, value: object) -> int:
        """The 64 bits of a value; objects are made on the module's heap. A mutable one is a copy."""
        match value:
            case None:
                return NONE
            case bool():
                return TRUE if value else FALSE
            case int() if FEWEST <= value <= MOST:
                return tagged(value)
            case int():
                return self._blob(known.INT, big_payload(value))
            case float():
                return self._blob(known.FLOAT, struct.pack("<d", value))
            case str():
                return self._blob(known.STR, str_payload(value))
            case bytes():
                return self._blob(known.BYTES, struct.pack("<II", len(value), 0) + value)
            case tuple():
                return self._tuple(value)
            case list() | set() | frozenset():
                made = self._tuple(tuple(value))
                return self._call(f"program.wire_make_{type(value).__name__}", made)
            case dict():
                return self._call(
                    "program.wire_make_dict", *map(self._tuple, (tuple(value), tuple(value.values())))
                )
            case Other():
                return value.address
        raise AssertionError(f"no way to give a module {value!r}")

    def _blob(self, cls: str, payload: bytes) -> int:
        address = self._call("rt:blob_new", self._call(f"test:{cls}"), len(payload))
        self._memory.write(self._store, payload, address + HEADER)
        return address

    def _tuple(self, items: tuple[object, ...]) -> int:
        values = [self.to_value(each) for each in items]
        address = self._call("rt:array_new", self._call(f"test:{known.TUPLE}"), len(values))
        for number, each in enumerate(values):
            raw = (each & (1 << 64) - 1).to_bytes(8, "little")
            self._memory.write(self._store, raw, address + HEADER + 8 * number)
        return address

    def from_value(self, value: int) -> object:
        """The Python value of 64 bits."""
        if value & 1:
            return value >> 1
        if value in IMMEDIATE:
            return IMMEDIATE[value]
        name = self.class_name(value)
        reader = self._readers.get(name)
        return Other(name, value) if reader is None else reader(value)

    def _int(self, address: int) -> int:
        negative, count = struct.unpack("<II", self.read(address + HEADER, 8))
        number = int.from_bytes(self.read(address + 16, 4 * count), "little")
        return -number if negative else number

    def _str(self, address: int) -> str:
        length, kind = struct.unpack("<II", self.read(address + HEADER, 8))
        if kind != UCS4:
            return self.read(address + 24, length).decode("latin-1")
        return self.read(address + 24, 4 * length).decode("utf-32-le", "surrogatepass")

    def _slots(self, address: int) -> list[object]:
        count = self.word(address + 4)
        raw = struct.unpack(f"<{count}q", self.read(address + HEADER, 8 * count))
        return [self.from_value(each) for each in raw]

    def _items(self, wire: str, address: int) -> tuple[tuple[object, object], ...]:
        items = self.from_value(self._call(f"program.{wire}", address))
        assert isinstance(items, tuple)
        return items
