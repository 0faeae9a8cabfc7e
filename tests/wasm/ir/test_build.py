"""From the core language to IR: what it does equals CPython, and it verifies."""

from __future__ import annotations

import textwrap

import pytest
from hypothesis import given, settings

from meshext_wasm.ir.printing import print_unit
from tests.wasm.ir.programs import programs
from tests.wasm.ir.running import built, in_ir, in_python

CASES = {
    "loop": """
        def f(n):
            total = 0
            i = 0
            while i < n:
                if i % 3 == 1:
                    i += 1
                    continue
                if i > 50:
                    break
                total += i * 2
                i += 1
            else:
                log(total)
            return total
    """,
    "calls": """
        def fib(n):
            return n if n < 2 else fib(n - 1) + fib(n - 2)
        def f(n):
            log(fib(n % 12))
            return fib
    """,
    "and_or_not": """
        def f(n):
            if n > 3 and (n < 10 or not n % 2) and not n == 5:
                return 1
            return 2 if n and n < 7 else 3
    """,
    "walrus": """
        def f(n):
            x = n
            return x * 100 + (x := 7) * 10 + x
    """,
    "unbound": """
        def f(n):
            if n > 5:
                x = 1
            return x
    """,
    "finally": """
        def f(n):
            while True:
                try:
                    try:
                        if n < 3:
                            return n
                        if n < 6:
                            break
                        if n < 9:
                            n -= 4
                            continue
                        log(n // (n - 12))
                        if n == 11:
                            raise KeyError()
                    finally:
                        log(n)
                        if n == 10:
                            return 77
                except ZeroDivisionError:
                    n = n - 5
                    log(99)
                else:
                    n -= 1
                finally:
                    log(1000 + n)
                    if n == 15:
                        break
            return -n
    """,
    "closures": """
        def f(n):
            x = n
            add = lambda y: x + y + n
            x = 10
            log(add(1))
            n = 5
            return add(2)
    """,
    "function_values": """
        def double(n):
            return n * 2
        def f(n):
            g = double
            return g(n) + (lambda a: a - 1)(n)
    """,
}


@pytest.mark.parametrize("name", CASES)
def test_does_what_python_does(name: str) -> None:
    source = textwrap.dedent(CASES[name])
    unit = built(source)
    for n in range(-2, 20):
        expected, log = in_python(source, "f", n)
        result, told = in_ir(unit, "f", n)
        assert told == log
        assert result == expected or callable(expected)


@given(programs())
@settings(max_examples=100)
def test_any_program_verifies_and_does_what_python_does(source: str) -> None:
    unit = built(source)
    for n in (0, 1, 3, 8):
        assert in_ir(unit, "f", n) == in_python(source, "f", n), print_unit(unit)
