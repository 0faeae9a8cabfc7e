"""How symbols, registers and types of the IR are spelled in LLVM's text."""

from __future__ import annotations

import re
from functools import lru_cache

from meshext_wasm.tree.types import Rep

TYPES = {
    Rep.VALUE: "i64",
    Rep.BOOL: "i1",
    Rep.FLOAT: "double",
    Rep.WORD: "i32",
    Rep.WIDE: "i64",
    Rep.NOTHING: "void",
}
ZEROS = {Rep.VALUE: "0", Rep.BOOL: "false", Rep.FLOAT: "0.0", Rep.WORD: "0", Rep.WIDE: "0"}

NONE, FALSE, TRUE, UNSET = 0, 2, 6, 10
"""The immediate values."""
FEWEST, MOST = -(1 << 62), (1 << 62) - 1
"""The ints that stand in a value itself."""

PLAIN = re.compile(r"[ !#-\[\]-~]*")
"""What stands between quotes as it is: what ASCII prints, without quotes and backslashes."""


@lru_cache(maxsize=1 << 14)
def escaped(name: str) -> str:
    """Any text as LLVM reads it between quotes."""
    if PLAIN.fullmatch(name):
        return name
    return "".join(chr(byte) if PLAIN.fullmatch(chr(byte)) else f"\\{byte:02X}" for byte in name.encode())


def at(symbol: str) -> str:
    """A function or datum."""
    return f'@"{escaped(symbol)}"'


def local(name: str) -> str:
    """A register or the name of a block."""
    return f'%"{escaped(name)}"'


def returned(rep: Rep) -> str:
    """A result's type, with what says how a bool is widened."""
    return "zeroext i1" if rep is Rep.BOOL else TYPES[rep]


def passed(rep: Rep, value: str = "") -> str:
    """A parameter or argument with its type."""
    kind = "i1 zeroext" if rep is Rep.BOOL else TYPES[rep]
    return f"{kind} {value}".rstrip()


def tagged(number: int) -> int:
    """The VALUE of a small int."""
    return number << 1 | 1
