"""Literals as static objects, laid out like those on the heap; equal ones of several objects become one."""

from __future__ import annotations

import hashlib
import re
import struct

from meshext_wasm.ir.instructions import Mark
from meshext_wasm.llvm.names import FALSE, FEWEST, MOST, NONE, TRUE, UNSET, at, tagged
from meshext_wasm.llvm.outer import Outer
from meshext_wasm.tree import known
from meshext_wasm.tree.expressions import Literal
from meshext_wasm.tree.types import Rep

LATIN, ASCII, UCS4 = 0, 1, 2
"""Kinds of str."""
HEADER_NAME = re.compile(r"(?!(?:host|content-length|transfer-encoding)\Z)[!#$%&'*+.^_`|~0-9a-z-]+\Z")
"""Names of header lines in lower case that a filter may write: literals that are such need no test later."""


def number_text(value: Literal | Mark, rep: Rep) -> str:
    """A constant of a raw rep."""
    if rep is Rep.FLOAT:
        assert isinstance(value, int | float)
        return double_text(float(value))
    assert isinstance(value, int), f"{value!r} is no {rep}"
    return ("false", "true")[value] if rep is Rep.BOOL else str(int(value))


def double_text(value: float) -> str:
    """A double as its bits, as LLVM writes it."""
    return f"0x{struct.unpack('<Q', struct.pack('<d', value))[0]:016X}"


def value_text(outer: Outer, value: Literal | Mark) -> str:
    """A VALUE: an immediate, or the address of a static object."""
    if value is None:
        return str(NONE)
    if value is Mark.UNSET:
        return str(UNSET)
    if isinstance(value, bool):
        return str(TRUE if value else FALSE)
    if isinstance(value, int) and FEWEST <= value <= MOST:
        return str(tagged(value))
    return f"ptrtoint (ptr {static_object(outer, value)} to i64)"


def static_object(outer: Outer, value: int | float | str | bytes | Mark) -> str:
    """The static object of a literal that is no immediate."""
    if isinstance(value, float):
        cls, payload = known.FLOAT, struct.pack("<d", value)
    elif isinstance(value, int):
        cls, payload = known.INT, big_payload(value)
    elif isinstance(value, bytes):
        cls, payload = known.BYTES, struct.pack("<II", len(value), 0) + value
    else:
        assert isinstance(value, str)
        cls, payload = known.STR, str_payload(value)
    name = f"const:{cls}:{hashlib.sha256(payload).hexdigest()[:24]}"
    return blob(outer, name, cls, payload)


def blob(outer: Outer, name: str, cls: str, payload: bytes) -> str:
    """A blob object. It is no LLVM constant: the library keeps a str's hash in it."""
    descriptor = outer.datum(f"class:{cls}")
    size = len(payload)
    raw = "\\" + payload.hex("\\").upper() if payload else ""
    return outer.define(
        name,
        f"linkonce_odr global <{{ ptr, i32, [{size} x i8] }}> "
        f'<{{ ptr {descriptor}, i32 {size}, [{size} x i8] c"{raw}" }}>, align 8',
    )


def str_payload(value: str) -> bytes:
    """Length, kind, hash, whether it is a HEADER_NAME; then the characters in the narrowest kind."""
    widest = max(map(ord, value), default=0)
    kind = ASCII if widest < 0x80 else LATIN if widest < 0x100 else UCS4
    if kind == UCS4:
        characters = b"".join(struct.pack("<I", ord(each)) for each in value)
    else:
        characters = value.encode("latin-1")
    named = HEADER_NAME.match(value) is not None
    return struct.pack("<IIII", len(value), kind, 0, named) + characters


def big_payload(value: int) -> bytes:
    """Sign, count, limbs of 32 bits, little endian."""
    size = abs(value)
    limbs = -(-size.bit_length() // 32)
    return struct.pack("<II", value < 0, limbs) + size.to_bytes(limbs * 4, "little")


def record(outer: Outer, function: str, file: str, line: int) -> str:
    """What a line of a traceback shows: function, file, line; nothing that the collector sees."""
    name = f"site:{file}:{line}:{function}"
    parts = f"ptr {static_object(outer, function)}, ptr {static_object(outer, file)}, i32 {line}"
    return outer.define(name, f"linkonce_odr constant {{ ptr, ptr, i32 }} {{ {parts} }}, align 4")


def upper(kind: str, text: str, cls: str, outer: Outer, name: str) -> str:
    """An object of one slot, a tagged int whose upper half is an address or a place in the table."""
    descriptor = outer.datum(f"class:{cls}")
    return outer.define(
        name,
        f"{kind} global {{ ptr, i32, i32, ptr }} {{ ptr {descriptor}, i32 1, i32 1, ptr {text} }}, align 8",
    )


def function_object(outer: Outer, symbol: str) -> str:
    """The static value of a function without captured variables."""
    return upper("linkonce_odr", at(f"fn:{symbol}"), known.FUNCTION, outer, f"value:{symbol}")
