"""Numbers of compiled programs against CPython's: the same source runs in both."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.wasm.compiled import Program, compiled, outcome_of
from tests.wasm.library.numbers import FLOATS, INTS

INT_OPERATORS = "+ - * // % & | ^".split()
FLOAT_OPERATORS = "+ - * / // %".split()
COMPARISONS = "< <= > >= == !=".split()
INT_CALLS = {
    "neg": "-a",
    "invert": "~a",
    "absolute": "abs(a)",
    "to_text": "str(a)",
    "hexadecimal": "hex(a)",
    "octal": "oct(a)",
    "binary": "bin(a)",
    "hashed": "hash(a)",
    "length": "a.bit_length()",
    "ones": "a.bit_count()",
    "truth": "bool(a)",
    "as_float": "float(a)",
    "formatted": 'f"{a:>+30,d}|{a:#x}|{a:e}"',
    "rounded": "round(a, -2)",
    "data": 'a.to_bytes(300, "little", signed=True)',
    "back": 'int.from_bytes(a.to_bytes(300, "big", signed=True), "big", signed=True)',
}
FLOAT_CALLS = {
    "neg": "-a",
    "absolute": "abs(a)",
    "to_text": "repr(a)",
    "to_int": "int(a)",
    "hashed": "hash(a) if a == a else 0",
    "whole": "isinstance(a, float) and a.is_integer()",
    "truth": "bool(a)",
    "formatted": 'f"{a:.3f}|{a:12.4e}|{a:g}|{a:,.2f}|{a:%}"',
    "rounded": "round(a, 2)",
    "nearest": "round(a)",
    "ratio": "a.as_integer_ratio()",
}
TEXT_CALLS = {"whole": "int(a)", "hexadecimal": "int(a, 16)", "fraction": "float(a)"}


def function(name: str, parameters: str, body: str) -> str:
    return f"def {name}({parameters}) -> object:\n    return {body}\n"


def source() -> str:
    parts = []
    for number, operator in enumerate(INT_OPERATORS):
        parts.append(function(f"int_{number}", "a: int, b: int", f"a {operator} b"))
    for number, operator in enumerate(FLOAT_OPERATORS):
        parts.append(function(f"float_{number}", "a: float, b: float", f"a {operator} b"))
    for number, operator in enumerate(COMPARISONS):
        parts.append(function(f"int_compare_{number}", "a: int, b: int", f"a {operator} b"))
        parts.append(function(f"compare_{number}", "a: float, b: float", f"a {operator} b"))
    parts.append(function("shift_left", "a: int, b: int", "a << b"))
    parts.append(function("shift_right", "a: int, b: int", "a >> b"))
    parts.append(function("divmod_ints", "a: int, b: int", "divmod(a, b)"))
    parts.append(function("divmod_floats", "a: float, b: float", "divmod(a, b)"))
    parts.append(function("modulo_power", "a: int, b: int, c: int", "pow(a, b, c)"))
    for name, body in INT_CALLS.items():
        parts.append(function(f"int_{name}", "a: int", body))
    for name, body in FLOAT_CALLS.items():
        parts.append(function(f"float_{name}", "a: float", body))
    for name, body in TEXT_CALLS.items():
        parts.append(function(f"text_{name}", "a: str", body))
    return "".join(parts)


@cache
def program() -> Program:
    return compiled(source())


@cache
def real() -> dict[str, Callable[..., object]]:
    made: dict[str, Callable[..., object]] = {}
    exec(source(), made)  # the program itself, in CPython
    return made


@pytest.fixture(scope="module", autouse=True)
def ready() -> None:
    """A mistake in the source shows here, once, and not in every example."""
    program()


def check(name: str, *arguments: object) -> None:
    assert program().outcome(name, *arguments) == outcome_of(real()[name], *arguments)


@pytest.mark.parametrize("operator", INT_OPERATORS)
@given(INTS, INTS)
def test_int_operators(operator: str, a: int, b: int) -> None:
    check(f"int_{INT_OPERATORS.index(operator)}", a, b)


@pytest.mark.parametrize("operator", FLOAT_OPERATORS)
@given(FLOATS | INTS, FLOATS | INTS)
def test_float_operators(operator: str, a: float, b: float) -> None:
    check(f"float_{FLOAT_OPERATORS.index(operator)}", a, b)


@pytest.mark.parametrize("operator", COMPARISONS)
@given(FLOATS | INTS, FLOATS | INTS, INTS)
def test_comparisons(operator: str, a: float, b: float, c: int) -> None:
    check(f"compare_{COMPARISONS.index(operator)}", a, b)
    check(f"int_compare_{COMPARISONS.index(operator)}", c, c + 1)


@given(INTS, st.integers(-3, 2500) | st.booleans())
def test_shifts(a: int, b: int) -> None:
    check("shift_left", a, b)
    check("shift_right", a, b)


@given(INTS, INTS, FLOATS)
def test_divmod(a: int, b: int, c: float) -> None:
    check("divmod_ints", a, b)
    check("divmod_floats", a, c)
    check("divmod_floats", c, c + 1)


@given(INTS, st.integers(-100, 1000), INTS)
def test_modulo_power(a: int, b: int, c: int) -> None:
    check("modulo_power", a, b, c)


@pytest.mark.parametrize("name", INT_CALLS)
@given(INTS)
def test_int_calls(name: str, a: int) -> None:
    check(f"int_{name}", a)


@pytest.mark.parametrize("name", FLOAT_CALLS)
@given(FLOATS)
def test_float_calls(name: str, a: float) -> None:
    check(f"float_{name}", a)


@settings(max_examples=300)
@given(st.text("0123456789_+-. eEinfatyx\u0663\xa0\xe9", max_size=9) | FLOATS.map(repr) | INTS.map(str))
def test_text_calls(text: str) -> None:
    for name in TEXT_CALLS:
        check(f"text_{name}", text)
