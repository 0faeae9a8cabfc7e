"""`template % values` while the program runs; what the compiler can take apart it formats itself."""

from __future__ import annotations

from typing import cast

from meshext_wasm.library.builtins.classes import type_name
from meshext_wasm.library.builtins.doubles import as_double, to_int
from meshext_wasm.library.builtins.enums import plain_value
from meshext_wasm.library.builtins.format_spec import FormatSpec
from meshext_wasm.library.builtins.formatting import pad, render_float
from meshext_wasm.library.builtins.int_text import to_base, to_decimal
from meshext_wasm.library.builtins.text import one_character, piece, point_at
from meshext_wasm.library.raw import method, word


class Template:
    """A template, how far it is read, and the values that are left for it."""

    text: str
    at: int
    values: tuple[object, ...]
    names: dict[object, object] | None
    used: int

    def __init__(self, text: str, values: object) -> None:
        self.text = text
        self.at = 0
        self.values = (values,)
        if isinstance(values, tuple):
            self.values = cast("tuple[object, ...]", values)
        self.names = None
        if isinstance(values, dict):
            self.names = cast("dict[object, object]", values)
        self.used = 0

    def take(self) -> object:
        """The next value."""
        if self.used >= len(self.values):
            raise TypeError("not enough arguments for format string")
        self.used += 1
        return self.values[self.used - 1]

    def here(self) -> str:
        """The character at hand."""
        if self.at >= len(self.text):
            raise ValueError("incomplete format")
        return one_character(point_at(self.text, self.at))


class Place:
    """One place of a template: `%`, flags, width, precision, type."""

    left: bool
    zero: bool
    sign: str
    alternate: bool
    width: int
    precision: int
    kind: str

    def __init__(self) -> None:
        self.left = False
        self.zero = False
        self.sign = ""
        self.alternate = False
        self.width = -1
        self.precision = -1
        self.kind = ""


@method(str, "__mod__")
def format_percent(text: str, values: object) -> str:
    """The template with the values in its places."""
    template = Template(text, values)
    parts: list[str] = []
    while True:
        start = template.at
        end = text.find("%", start)
        parts.append(piece(text, start, len(text) if end < 0 else end))
        if end < 0:
            break
        template.at = end + 1
        parts.append(fill_place(template))
    if template.used < len(template.values) and template.names is None:
        raise TypeError("not all arguments converted during string formatting")
    return "".join(parts)


def fill_place(template: Template) -> str:
    """Read a place, and put its value there."""
    if template.here() == "%":
        template.at += 1
        return "%"
    if template.here() == "(":
        take_named(template)
    place = Place()
    read_flags(template, place)
    place.width = read_count(template)
    if place.width < 0 and place.width != -1:
        place.left = True
        place.width = -place.width
    if template.here() == ".":
        template.at += 1
        place.precision = read_count(template)
        if place.precision < 0:
            place.precision = 0
    if template.here() in "hlL":
        template.at += 1
    place.kind = template.here()
    template.at += 1
    return shown(template, place, template.take())


def take_named(template: Template) -> None:
    """`%(name)`: its value is the next one, and the last; a `*` takes it too."""
    if template.names is None:
        raise TypeError("format requires a mapping")
    start = template.at + 1
    depth = 0
    while True:
        if template.at >= len(template.text):
            raise ValueError("incomplete format key")
        found = template.here()
        depth += 1 if found == "(" else -1 if found == ")" else 0
        template.at += 1
        if depth == 0:
            template.values = (template.names[piece(template.text, start, template.at - 1)],)
            template.used = 0
            return


def read_flags(template: Template, place: Place) -> None:
    """`-`, `+`, space, `#` and `0` in any order."""
    while template.here() in "-+ #0":
        found = template.here()
        if found == "-":
            place.left = True
        elif found == "0":
            place.zero = True
        elif found == "#":
            place.alternate = True
        elif found == "+" or place.sign == "":
            place.sign = found
        template.at += 1


def read_count(template: Template) -> int:
    """Digits, or `*` for the next value; -1 where there is neither."""
    if template.here() == "*":
        template.at += 1
        value = template.take()
        if not isinstance(value, int):
            raise TypeError("* wants int")
        return -2 if value == -1 else value + 0
    result = -1
    while "0" <= template.here() <= "9":
        result = (0 if result < 0 else result * 10) + point_at(template.text, template.at) - 48
        if result > 0x7FFFFFFF:
            raise ValueError("width too big")
        template.at += 1
    return result


def shown(template: Template, place: Place, value: object) -> str:
    """A value in its place."""
    kind = place.kind
    if kind == "s" or kind == "r" or kind == "a":
        text = str(value) if kind == "s" else repr(value) if kind == "r" else ascii(value)
        if 0 <= place.precision < len(text):
            text = piece(text, 0, place.precision)
        return pad(spec_of(place, "<" if place.left else ">"), "", text)
    value = plain_value(value)
    if kind == "c":
        return pad(spec_of(place, "<" if place.left else ">"), "", character_of(value))
    if kind in "diuoxX":
        return whole_number(place, value)
    if kind in "eEfFgG":
        if not isinstance(value, int | float):
            raise TypeError(f"must be real number, not {type_name(value)}")
        return render_float(spec_of(place, align_of(place)), as_double(value))
    name = kind if 32 <= ord(kind) < 127 else "?"
    index = template.at - 1
    raise ValueError(f"unsupported format character '{name}' (0x{ord(kind):x}) at index {index}")


def align_of(place: Place) -> str:
    """Where a number stands."""
    return "<" if place.left else "=" if place.zero else ">"


def spec_of(place: Place, align: str) -> FormatSpec:
    """The same for `format`."""
    spec = FormatSpec(align)
    if align == "=":
        spec.fill = "0"
    spec.sign = place.sign
    spec.alternate = place.alternate
    spec.width = place.width
    spec.precision = place.precision
    spec.kind = place.kind
    return spec


def character_of(value: object) -> str:
    """What `%c` shows."""
    if isinstance(value, int):
        if value < 0 or value > 0x10FFFF:
            raise OverflowError("%c arg not in range(0x110000)")
        return one_character(value + 0)
    if isinstance(value, str) and len(value) == 1:
        return value
    raise TypeError("%c requires int or char")


def whole_number(place: Place, value: object) -> str:
    """What `%d`, `%x` and the like show."""
    kind = place.kind
    number = whole_of(kind, value)
    magnitude = -number if number < 0 else number
    base = 8 if kind == "o" else 16 if kind == "x" or kind == "X" else 10
    digits = to_decimal(magnitude) if base == 10 else to_base(magnitude, word(base))
    if kind == "X":
        digits = digits.upper()
    if len(digits) < place.precision:
        digits = "0" * (place.precision - len(digits)) + digits
    lead = "-" if number < 0 else place.sign
    if place.alternate and base != 10:
        lead += "0" + kind
    return pad(spec_of(place, align_of(place)), lead, digits)


def whole_of(kind: str, value: object) -> int:
    """The int of a value for a whole number; `%d` cuts the fraction of a float."""
    if isinstance(value, int):
        return value + 0
    if kind in "oxX":
        raise TypeError(f"%{kind} format: an integer is required, not {type_name(value)}")
    if isinstance(value, float):
        return to_int(value)
    raise TypeError(f"%{kind} format: a real number is required, not {type_name(value)}")
