"""Linear memory and objects under CPython, so that library code runs without the compiler.

Memory is a bytearray; a str, bytes, float or int is written into it in the layout of
ARCHITECTURE.md when its address is asked for, other objects get an address that stands for them.
"""

from __future__ import annotations

import struct
import types
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")

PAGE = 65536
BASE = 1024
SMALL = 1 << 62
IMMEDIATE: dict[object, int] = {None: 0, False: 2, True: 6}
HEADER = struct.Struct("<II")


class array(Generic[T]):  # noqa: N801 - the name of the library's class
    """A fixed number of values. Made by `array_new`."""

    __slots__ = ("descriptor", "items")

    def __init__(self, descriptor: int, items: list[T]) -> None:
        self.descriptor = descriptor
        self.items = items


class function:  # noqa: N801
    """The class of function values."""


class cell:  # noqa: N801
    """The class of the shared variables of closures."""


class Unset:
    """What a slot holds before its first value."""


class Blob:
    """A blob whose bytes are still being written: only good for `value_address`."""

    __slots__ = ("address",)

    def __init__(self, address: int) -> None:
        self.address = address


class Exhausted(BaseException):
    """The step budget of the emulation is used up."""


UNSET = Unset()


def text_bytes(text: str) -> tuple[int, bytes]:
    """The kind of a str (1 ASCII, 0 Latin-1, 2 UCS-4) and its characters."""
    if text.isascii():
        return 1, text.encode("ascii")
    if all(ord(each) < 256 for each in text):
        return 0, text.encode("latin-1")
    return 2, text.encode("utf-32-le", "surrogatepass")


def limbs_of(number: int) -> bytes:
    """The payload of a bignum: sign, count, limbs."""
    size = (abs(number).bit_length() + 31) // 32
    return struct.pack("<II", number < 0, size) + abs(number).to_bytes(size * 4, "little")


class Emulation:
    """One linear memory with what was put into it."""

    def __init__(self) -> None:
        self.memory = bytearray(PAGE)
        self.base = BASE
        self.top = BASE
        self.kept = BASE
        self.limit = 0
        self.mark = 0
        self.goal = 0
        self.full = 0
        self.dirty = 0
        self.roots = (0, 0)
        self.budget = 1 << 60
        self.taken: object = None
        self.objects: dict[int, object] = {}
        self.addresses: dict[int, int] = {}
        self.descriptors: dict[type, int] = {}
        self.classes: dict[int, type] = {}
        self.hosts: dict[str, Callable[..., object]] = {}

    def allocate(self, size: int) -> int:
        """Address of so many bytes, a multiple of 8."""
        address = self.top
        self.top += (size + 7) & ~7
        if self.top > len(self.memory):
            self.memory.extend(bytes(max(self.top - len(self.memory), len(self.memory))))
        return address

    def give_back(self, address: int) -> None:
        """Let allocation go on there, or behind what stands for an object of CPython's."""
        self.top = max(address, self.kept)

    def blob(self, descriptor: int, payload: bytes) -> int:
        """Address of a new blob object."""
        address = self.allocate(8 + len(payload))
        HEADER.pack_into(self.memory, address, descriptor, len(payload))
        self.memory[address + 8 : address + 8 + len(payload)] = payload
        return address

    def descriptor(self, cls: type) -> int:
        """Address of a class's descriptor."""
        if cls not in self.descriptors:
            address = self.allocate(96)
            self.descriptors[cls] = address
            self.kept = self.top
            self.classes[address] = cls
            name = self.write(cls.__name__)
            struct.pack_into("<II", self.memory, address + 8, name, 0)
            struct.pack_into("<I", self.memory, address + 20, self.write(f"{cls.__module__}.{cls.__name__}"))
        return self.descriptors[cls]

    def class_of(self, value: object) -> int:
        """Address of the descriptor of a value's class."""
        if isinstance(value, array):
            return value.descriptor
        if isinstance(value, Blob):
            return int(HEADER.unpack_from(self.memory, value.address)[0])
        return self.descriptor(function if isinstance(value, types.FunctionType) else type(value))

    def write(self, value: object) -> int:
        """Address of a value that is no immediate one; the same object always has the same address."""
        if isinstance(value, Blob):
            return value.address
        if id(value) in self.addresses:
            return self.addresses[id(value)]
        address = self.written(value)
        self.kept = self.top
        self.addresses[id(value)] = address
        self.objects[address] = value
        return address

    def written(self, value: object) -> int:
        """Address of a value that was not in memory before."""
        if type(value) is str:
            kind, data = text_bytes(value)
            return self.blob(self.descriptor(str), struct.pack("<IIII", len(value), kind, 0, 0) + data)
        if type(value) is bytes:
            return self.blob(self.descriptor(bytes), struct.pack("<II", len(value), 0) + value)
        if type(value) is float:
            return self.blob(self.descriptor(float), struct.pack("<d", value))
        if type(value) is int:
            return self.blob(self.descriptor(int), limbs_of(value))
        size = len(value.items) if isinstance(value, array) else len(value) if type(value) is tuple else 0
        address = self.allocate(8)
        HEADER.pack_into(self.memory, address, self.class_of(value), size)
        return address

    def read(self, address: int) -> object:
        """The value at an address, as its bytes are now."""
        descriptor, size = HEADER.unpack_from(self.memory, address)
        kind = self.classes[descriptor]
        payload = bytes(self.memory[address + 8 : address + 8 + size])
        if kind is str:
            return decoded(payload)
        if kind is bytes:
            return payload[8 : 8 + int.from_bytes(payload[:4], "little")]
        if kind is float:
            return float(struct.unpack("<d", payload)[0])
        if kind is int:
            sign, count = struct.unpack_from("<II", payload)
            number = int.from_bytes(payload[8 : 8 + 4 * count], "little")
            return -number if sign else number
        value = self.objects[address]
        return tuple(value.items) if isinstance(value, array) and kind is tuple else value

    def bits(self, value: object) -> int:
        """The 64 bits of any value."""
        if value is None or isinstance(value, bool):
            return IMMEDIATE[value]
        if value is UNSET:
            return 10
        if isinstance(value, int) and -SMALL <= value < SMALL:
            return ((int(value) << 1) | 1) & ((1 << 64) - 1)
        return self.write(value)

    def from_bits(self, bits: int) -> object:
        """The value that 64 bits stand for."""
        if bits & 1:
            return (bits >> 1) - (1 << 63 if bits >> 63 else 0)
        if bits == 10:
            return UNSET
        for value, immediate in IMMEDIATE.items():
            if bits == immediate:
                return value
        return self.read(bits)


def decoded(payload: bytes) -> str:
    """The str of a payload."""
    length, kind = struct.unpack_from("<II", payload)
    if kind == 2:
        return payload[16 : 16 + 4 * length].decode("utf-32-le", "surrogatepass")
    return payload[16 : 16 + length].decode("latin-1")


EMULATION = Emulation()
