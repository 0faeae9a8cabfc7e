"""What only the run-time library may use: raw numbers, memory, objects as bits.

The compiler knows this module itself: a function here is the operation of the same name in
`tree/intrinsics.py` (`array_get` is `array.get`; loads and stores go without `memory.`), the operators on
`word`, `wide` and `double` are `word.add` and so on (`//`, `%`, `>>` and comparisons unsigned). Under CPython
the same code runs on an emulated memory, which is how the library is tested without the compiler.

A literal takes the raw type that is expected; a parameter here that says `int` is a `word` or `wide`.
What says T is the type that is expected where the call stands. The value of `blob_new`, and of `array_new`
for a tuple, may only go into `value_address` and `array_set`; `value_at` gives the finished one.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar, cast

from meshext_wasm.library.emulation import memory as emulated
from meshext_wasm.library.emulation.doubles import (
    float_abs,
    float_bits,
    float_ceil,
    float_copysign,
    float_floor,
    float_from_bits,
    float_from_wide,
    float_nearest,
    float_sqrt,
    float_to_wide,
    float_trunc,
)
from meshext_wasm.library.emulation.memory import EMULATION, array, cell, function
from meshext_wasm.library.emulation.numbers import (
    double,
    wide,
    wide_clz,
    wide_ctz,
    wide_from_word_signed,
    wide_popcount,
    wide_sar,
    wide_sdiv,
    wide_sge,
    wide_sgt,
    wide_sle,
    wide_slt,
    wide_srem,
    word,
    word_clz,
    word_ctz,
    word_from_bool,
    word_popcount,
    word_sar,
    word_sdiv,
    word_sge,
    word_sgt,
    word_sle,
    word_slt,
    word_srem,
)
from meshext_wasm.library.emulation.values import (
    array_get,
    array_length,
    array_new,
    array_set,
    blob_new,
    budget_charge,
    budget_left,
    budget_set,
    class_descriptor,
    class_is_below,
    class_of,
    guard_call,
    guard_taken,
    instance_new,
    int_is_small,
    int_small,
    int_tag,
    stack_reset,
    trace_count,
    trace_site,
    value_address,
    value_at,
    value_bits,
    value_from_bits,
    value_is,
    value_is_keyed,
    value_is_open,
    value_is_pointer,
    value_key,
    value_open,
)

__all__ = [
    "EMULATION",
    "array",
    "array_get",
    "array_length",
    "array_new",
    "array_set",
    "blob_new",
    "budget_charge",
    "budget_left",
    "budget_set",
    "cell",
    "class_descriptor",
    "class_is_below",
    "class_of",
    "double",
    "float_abs",
    "float_bits",
    "float_ceil",
    "float_copysign",
    "float_floor",
    "float_from_bits",
    "float_from_wide",
    "float_nearest",
    "float_sqrt",
    "float_to_wide",
    "float_trunc",
    "function",
    "guard_call",
    "guard_taken",
    "instance_new",
    "int_is_small",
    "int_small",
    "int_tag",
    "stack_reset",
    "trace_count",
    "trace_site",
    "value_address",
    "value_at",
    "value_bits",
    "value_from_bits",
    "value_is",
    "value_is_keyed",
    "value_is_open",
    "value_is_pointer",
    "value_key",
    "value_open",
    "wide",
    "wide_clz",
    "wide_ctz",
    "wide_from_word_signed",
    "wide_popcount",
    "wide_sar",
    "wide_sdiv",
    "wide_sge",
    "wide_sgt",
    "wide_sle",
    "wide_slt",
    "wide_srem",
    "word",
    "word_clz",
    "word_ctz",
    "word_from_bool",
    "word_popcount",
    "word_sar",
    "word_sdiv",
    "word_sge",
    "word_sgt",
    "word_sle",
    "word_slt",
    "word_srem",
]

T = TypeVar("T")
P = ParamSpec("P")


# ---- decorators: they change nothing under CPython, but for `host`


def method(owner: type, name: str = "") -> Callable[[Callable[P, T]], Callable[P, T]]:
    """A function that is a method of a builtin class."""
    return lambda body: body


def static_method(owner: type, name: str = "") -> Callable[[Callable[P, T]], Callable[P, T]]:
    """A function that a builtin class has as a static or class method, such as `int.from_bytes`."""
    return lambda body: body


def constructor(owner: type) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """A function that calling a builtin class may mean, by the types of the arguments."""
    return lambda body: body


def alternative(name: str) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """One of the functions that a built-in name may mean; the first that takes the arguments is called."""
    return lambda body: body


def builtin(name: str) -> Callable[[type[T]], type[T]]:
    """A class of the library that is the builtin class of this name, in messages too."""

    def named(cls: type[T]) -> type[T]:
        cls.__name__ = name
        return cls

    return named


def virtual(body: Callable[P, T]) -> Callable[P, T]:
    """A method that subclasses may override."""
    return body


def nothrow(body: Callable[P, T]) -> Callable[P, T]:
    """A function that never raises, nor calls what may."""
    return body


def inline(body: Callable[P, T]) -> Callable[P, T]:
    """A function whose body may be copied into other units."""
    return body


def export(name: str) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """A function that the proxy calls."""
    return lambda body: body


def host(name: str) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """A function of the proxy; under CPython what a test has put into `EMULATION.hosts`."""

    def declare(body: Callable[P, T]) -> Callable[P, T]:
        @wraps(body)
        def call(*args: P.args, **kwargs: P.kwargs) -> T:
            return cast(T, EMULATION.hosts[name](*args, **kwargs))

        return call

    return declare


# ---- linear memory


def load8(address: int) -> word:
    """One byte."""
    return word(EMULATION.memory[address])


def load16(address: int) -> word:
    """Two bytes, little endian."""
    return word(struct.unpack_from("<H", EMULATION.memory, address)[0])


def load32(address: int) -> word:
    """Four bytes."""
    return word(struct.unpack_from("<I", EMULATION.memory, address)[0])


def load64(address: int) -> wide:
    """Eight bytes."""
    return wide(struct.unpack_from("<Q", EMULATION.memory, address)[0])


def load_float(address: int) -> double:
    """Eight bytes as a double."""
    return double(struct.unpack_from("<d", EMULATION.memory, address)[0])


def store8(address: int, value: int) -> None:
    """The low byte."""
    EMULATION.memory[address] = value & 0xFF


def store16(address: int, value: int) -> None:
    """The low two bytes."""
    struct.pack_into("<H", EMULATION.memory, address, value & 0xFFFF)


def store32(address: int, value: int) -> None:
    """Four bytes."""
    struct.pack_into("<I", EMULATION.memory, address, word(value))


def store64(address: int, value: int) -> None:
    """Eight bytes."""
    struct.pack_into("<Q", EMULATION.memory, address, wide(value))


def store_float(address: int, value: float) -> None:
    """A double."""
    struct.pack_into("<d", EMULATION.memory, address, value)


def memory_copy(to: int, start: int, size: int) -> None:
    """Copy bytes; the two may overlap."""
    EMULATION.memory[to : to + size] = EMULATION.memory[start : start + size]


def memory_fill(to: int, byte: int, size: int) -> None:
    """Set bytes."""
    EMULATION.memory[to : to + size] = bytes([byte]) * int(size)


def memory_equal(left: int, right: int, size: int) -> bool:
    """Whether two stretches hold the same bytes."""
    return EMULATION.memory[left : left + size] == EMULATION.memory[right : right + size]


def memory_pages() -> word:
    """Size of the memory, in pages of 64 KiB."""
    return word(len(EMULATION.memory) // emulated.PAGE)


def memory_grow(pages: int) -> word:
    """More pages; the old number."""
    before = memory_pages()
    EMULATION.memory.extend(bytes(emulated.PAGE * pages))
    return before


def heap_base() -> word:
    """Where objects that may move begin."""
    return word(EMULATION.base)


def heap_top() -> word:
    """The next free byte."""
    return word(EMULATION.top)


def heap_set_top(address: int) -> None:
    """Allocation goes on there."""
    EMULATION.give_back(int(address))


def heap_limit() -> word:
    """Where allocation asks for more."""
    return word(EMULATION.limit)


def heap_set_limit(address: int) -> None:
    """Allocation beyond it calls `builtins.memory.more` in compiled code; nothing here."""
    EMULATION.limit = int(address)


def heap_mark() -> word:
    """Where the heap ended when the callback began."""
    return word(EMULATION.mark)


def heap_set_mark(address: int) -> None:
    """Objects below it are the older ones."""
    EMULATION.mark = int(address)


def heap_goal() -> word:
    """Where the heap is collected when it has grown so far."""
    return word(EMULATION.goal)


def heap_set_goal(address: int) -> None:
    """Collect there."""
    EMULATION.goal = int(address)


def heap_full() -> word:
    """Where the heap's memory ends."""
    return word(EMULATION.full)


def heap_set_full(address: int) -> None:
    """There is memory up to there."""
    EMULATION.full = int(address)


def heap_dirty() -> word:
    """1 when an older object was written."""
    return word(EMULATION.dirty)


def heap_set_dirty(value: int) -> None:
    """Forget or set it."""
    EMULATION.dirty = int(value)


def roots_start() -> word:
    """The first global's slot."""
    return word(EMULATION.roots[0])


def roots_end() -> word:
    """Behind the last global's slot."""
    return word(EMULATION.roots[1])
