"""What `format` makes of ints, floats and strs."""

from __future__ import annotations

from meshext_wasm.library.builtins.classes import type_name
from meshext_wasm.library.builtins.doubles import as_double, is_finite, is_minus
from meshext_wasm.library.builtins.float_text import (
    exponent_text,
    fixed_text,
    general_text,
    limit_text,
    repr_text,
)
from meshext_wasm.library.builtins.format_spec import FormatSpec, parse_spec, unknown_kind
from meshext_wasm.library.builtins.int_text import repr_int, to_base, to_decimal
from meshext_wasm.library.builtins.text import one_character
from meshext_wasm.library.raw import double, float_abs, method, word


@method(str, "__format__")
def format_text(text: str, spec: str) -> str:
    """`format(text, spec)`."""
    if spec == "":
        return text
    parsed = parse_spec(spec, "<", "s", "str")
    if parsed.kind != "s":
        unknown_kind(parsed.kind, "str")
    if parsed.sign == " ":
        raise ValueError("Space not allowed in string format specifier")
    if parsed.sign != "":
        raise ValueError("Sign not allowed in string format specifier")
    if parsed.positive_zero:
        raise ValueError("Negative zero coercion (z) not allowed in string format specifier")
    if parsed.alternate:
        raise ValueError("Alternate form (#) not allowed in string format specifier")
    if parsed.align == "=":
        raise ValueError("'=' alignment not allowed in string format specifier")
    if 0 <= parsed.precision < len(text):
        text = text[: parsed.precision]
    return pad(parsed, "", text)


def pad(spec: FormatSpec, lead: str, text: str) -> str:
    """Fill to the width; `lead` is sign and prefix."""
    missing = spec.width - len(lead) - len(text)
    if missing <= 0:
        return lead + text
    if spec.align == "=":
        return lead + spec.fill * missing + text
    left = missing if spec.align == ">" else 0 if spec.align == "<" else missing // 2
    return spec.fill * left + lead + text + spec.fill * (missing - left)


@method(int, "__format__")
def format_int(number: int, spec: str) -> str:
    """`format(number, spec)`, bools too."""
    if spec == "":
        return repr_int(number)
    name = type_name(number)
    parsed = parse_spec(spec, ">", "d", name)
    if parsed.kind in "eEfFgG%":
        return render_float(parsed, as_double(number))
    if parsed.kind not in "bcdoxXn":
        unknown_kind(parsed.kind, name)
    if parsed.precision >= 0:
        raise ValueError("Precision not allowed in integer format specifier")
    if parsed.positive_zero:
        raise ValueError("Negative zero coercion (z) not allowed in integer format specifier")
    if parsed.kind == "c":
        return format_character(parsed, number)
    return render_int(parsed, number)


def format_character(spec: FormatSpec, number: int) -> str:
    """`c`: the character of a code point."""
    if spec.sign != "":
        raise ValueError("Sign not allowed with integer format specifier 'c'")
    if spec.alternate:
        raise ValueError("Alternate form (#) not allowed with integer format specifier 'c'")
    if number < -(1 << 63) or number >= 1 << 63:
        raise OverflowError("Python int too large to convert to C long")
    if number < 0 or number > 0x10FFFF:
        raise OverflowError("%c arg not in range(0x110000)")
    return pad(spec, "", one_character(number))


def render_int(spec: FormatSpec, number: int) -> str:
    """The digits of an int, with what stands around them."""
    kind = spec.kind
    magnitude = -number if number < 0 else number + 0
    base = 2 if kind == "b" else 8 if kind == "o" else 10 if kind in "dn" else 16
    digits = to_decimal(magnitude) if base == 10 else to_base(magnitude, word(base))
    lead = sign_of(spec, number < 0)
    if spec.alternate and base != 10:
        lead += "0" + kind
    if kind == "X":
        digits = digits.upper()
    if spec.grouping == "":
        return pad(spec, lead, digits)
    least = spec.width - len(lead) if spec.is_zero_filled() else 0
    return pad(spec, lead, grouped(digits, spec.grouping, 3 if base == 10 else 4, least))


def sign_of(spec: FormatSpec, negative: bool) -> str:
    """The sign that is shown."""
    if negative:
        return "-"
    return spec.sign if spec.sign == "+" or spec.sign == " " else ""


def grouped(digits: str, separator: str, size: int, least: int) -> str:
    """Digits in groups from the right, with zeros before them to a least width, separators counted."""
    result = ""
    end = len(digits)
    while True:
        count = end if end > least else least
        if count > size:
            count = size
        if count < 1:
            count = 1
        taken = count if count < end else end
        result = "0" * (count - taken) + digits[end - taken : end] + result
        end -= taken
        least -= count
        if end <= 0 and least <= 0:
            return result
        result = separator + result
        least -= 1


@method(float, "__format__")
def format_float(number: float, spec: str) -> str:
    """`format(number, spec)`."""
    value = as_double(number)
    if spec == "":
        return float_default(value)
    parsed = parse_spec(spec, ">", "", "float")
    if parsed.kind != "" and parsed.kind not in "eEfFgG%n":
        unknown_kind(parsed.kind, "float")
    return render_float(parsed, value)


def float_default(number: double) -> str:
    """Without a specification: as `repr`."""
    sign = "-" if is_minus(number) and number == number else ""
    return sign + repr_text(float_abs(number), False)


def render_float(spec: FormatSpec, number: double) -> str:
    """The digits of a float, with what stands around them."""
    if spec.kind == "%":
        number = number * 100.0
    text = magnitude_text(spec, float_abs(number))
    negative = is_minus(number) and number == number
    if spec.positive_zero and is_all_zero(text):
        negative = False
    if spec.kind == "%":
        text += "%"
    lead = sign_of(spec, negative)
    count = 0
    while count < len(text) and text[count] in "0123456789":
        count += 1
    if spec.grouping == "" or count == 0:
        return pad(spec, lead, text)
    rest = text[count:]
    least = spec.width - len(lead) - len(rest) if spec.is_zero_filled() else 0
    return pad(spec, lead, grouped(text[:count], spec.grouping, 3, least) + rest)


def is_all_zero(text: str) -> bool:
    """Whether a number has no digit but 0 before its exponent."""
    for character in text:
        if character in "eE":
            return True
        if character not in "0.":
            return False
    return True


def magnitude_text(spec: FormatSpec, magnitude: double) -> str:
    """A float not below 0 by type and precision."""
    kind = spec.kind
    upper = kind == "E" or kind == "F" or kind == "G"
    if not is_finite(magnitude):
        text = limit_text(magnitude)
        return text.upper() if upper else text
    letter = "E" if upper else "e"
    places = spec.precision
    if kind == "" and places < 0:
        return repr_text(magnitude, spec.alternate)
    if places < 0:
        places = 6
    if kind == "e" or kind == "E":
        return exponent_text(magnitude, places, letter, spec.alternate)
    if kind == "f" or kind == "F" or kind == "%":
        return fixed_text(magnitude, places, spec.alternate)
    return general_text(magnitude, places, letter, spec.alternate, kind == "")
