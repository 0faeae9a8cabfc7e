"""The format specification mini-language: what stands behind the colon of `{x:>10,.2f}`."""

from __future__ import annotations

from typing import NoReturn

from meshext_wasm.library.builtins.decimals import decimal_value
from meshext_wasm.library.builtins.text import point_at
from meshext_wasm.library.raw import word

WIDTH_MOST = 1 << 30


class FormatSpec:
    """A specification, taken apart. `align`, `sign`, `grouping` and `kind` are one character or empty."""

    fill: str
    align: str
    sign: str
    positive_zero: bool
    alternate: bool
    width: int
    grouping: str
    precision: int
    kind: str
    filled: bool

    def __init__(self, align: str) -> None:
        self.fill = " "
        self.align = align
        self.sign = ""
        self.positive_zero = False
        self.alternate = False
        self.width = -1
        self.grouping = ""
        self.precision = -1
        self.kind = ""
        self.filled = False

    def is_zero_filled(self) -> bool:
        """Whether zeros stand between sign and digits, where they are grouped too."""
        return self.fill == "0" and self.align == "="


def parse_spec(text: str, align: str, kind: str, type_name: str) -> FormatSpec:
    """Take a specification apart.

    Args:
        text: what to parse.
        align: `<` or `>`, for where nothing is said.
        kind: the type where none is given.
        type_name: of the value, for the ValueError.
    """
    spec = FormatSpec(align)
    at = parse_flags(spec, text, parse_align(spec, text), align == ">")
    at = parse_grouping(spec, text, parse_width(spec, text, at))
    at = parse_precision(spec, text, at)
    if len(text) - at > 1:
        raise ValueError(f"Invalid format specifier '{text}' for object of type '{type_name}'")
    spec.kind = text[at] if at < len(text) else kind
    if spec.grouping != "":
        check_grouping(spec)
    return spec


def parse_align(spec: FormatSpec, text: str) -> int:
    """Fill and alignment; where the rest begins."""
    if len(text) >= 2 and text[1] in "<>=^":
        spec.fill = text[0]
        spec.align = text[1]
        spec.filled = True
        return 2
    if len(text) >= 1 and text[0] in "<>=^":
        spec.align = text[0]
        return 1
    return 0


def parse_flags(spec: FormatSpec, text: str, at: int, is_number: bool) -> int:
    """Sign, `z`, `#` and `0`; where the rest begins."""
    aligned = at > 0
    if at < len(text) and text[at] in "+- ":
        spec.sign = text[at]
        at += 1
    if at < len(text) and text[at] == "z":
        spec.positive_zero = True
        at += 1
    if at < len(text) and text[at] == "#":
        spec.alternate = True
        at += 1
    if at < len(text) and text[at] == "0" and not spec.filled:
        spec.fill = "0"
        if not aligned and is_number:
            spec.align = "="
        at += 1
    return at


def end_of_number(text: str, at: int) -> int:
    """Where digits of any script end."""
    while at < len(text) and decimal_value(word(point_at(text, at))) < 10:
        at += 1
    return at


def number_in(text: str, at: int, end: int) -> int:
    """The number of digits of any script."""
    result = 0
    while at < end:
        result = result * 10 + int(decimal_value(word(point_at(text, at))))
        if result > 0x7FFFFFFFFFFFFFFF:
            raise ValueError("Too many decimal digits in format string")
        at += 1
    if result > WIDTH_MOST:
        raise MemoryError
    return result


def parse_width(spec: FormatSpec, text: str, at: int) -> int:
    """The width; where the rest begins."""
    end = end_of_number(text, at)
    if end > at:
        spec.width = number_in(text, at, end)
    return end


def parse_grouping(spec: FormatSpec, text: str, at: int) -> int:
    """`,` or `_`; where the rest begins."""
    if at < len(text) and text[at] == ",":
        spec.grouping = ","
        at += 1
    if at < len(text) and text[at] == "_":
        if spec.grouping != "":
            refuse_both()
        spec.grouping = "_"
        at += 1
    if at < len(text) and text[at] == "," and spec.grouping == "_":
        refuse_both()
    return at


def refuse_both() -> NoReturn:
    """Two ways of grouping."""
    raise ValueError("Cannot specify both ',' and '_'.")


def parse_precision(spec: FormatSpec, text: str, at: int) -> int:
    """The precision; where the rest begins."""
    if at >= len(text) or text[at] != ".":
        return at
    end = end_of_number(text, at + 1)
    if end == at + 1:
        raise ValueError("Format specifier missing precision")
    spec.precision = number_in(text, at + 1, end)
    return end


def check_grouping(spec: FormatSpec) -> None:
    """Refuse to group what is no decimal number, or with `_` one of base 2, 8 or 16."""
    if spec.kind == "" or spec.kind in "defgEG%F":
        return
    if spec.grouping == "_" and spec.kind in "boxX":
        return
    raise ValueError(f"Cannot specify '{spec.grouping}' with {shown_kind(spec.kind)}.")


def shown_kind(kind: str) -> str:
    """A type as messages show it."""
    point = point_at(kind, 0)
    return f"'{kind}'" if 32 < point < 128 else f"'\\x{point:x}'"


def unknown_kind(kind: str, type_name: str) -> NoReturn:
    """A type that the class of the value does not know."""
    raise ValueError(f"Unknown format code {shown_kind(kind)} for object of type '{type_name}'")
