"""math: everything of CPython's but complex numbers, `gamma` and `erf`."""

# ruff: noqa: A004 - names of math

from __future__ import annotations

from meshext_wasm.library.math.circular import acos, asin, atan, atan2, cos, sin, tan
from meshext_wasm.library.math.exponential import (
    acosh,
    asinh,
    atanh,
    cbrt,
    cosh,
    exp,
    exp2,
    expm1,
    log,
    log1p,
    log2,
    log10,
    pow,
    sinh,
    tanh,
)
from meshext_wasm.library.math.parts import (
    ceil,
    copysign,
    fabs,
    floor,
    fmod,
    frexp,
    isclose,
    isfinite,
    isinf,
    isnan,
    ldexp,
    modf,
    nextafter,
    sqrt,
    trunc,
    ulp,
)
from meshext_wasm.library.math.sums import dist, fsum, hypot, prod
from meshext_wasm.library.math.whole import comb, factorial, gcd, isqrt, lcm, perm

__all__ = [
    "acos",
    "acosh",
    "asin",
    "asinh",
    "atan",
    "atan2",
    "atanh",
    "cbrt",
    "ceil",
    "comb",
    "copysign",
    "cos",
    "cosh",
    "degrees",
    "dist",
    "e",
    "exp",
    "exp2",
    "expm1",
    "fabs",
    "factorial",
    "floor",
    "fmod",
    "frexp",
    "fsum",
    "gcd",
    "hypot",
    "inf",
    "isclose",
    "isfinite",
    "isinf",
    "isnan",
    "isqrt",
    "lcm",
    "ldexp",
    "log",
    "log1p",
    "log2",
    "log10",
    "modf",
    "nan",
    "nextafter",
    "perm",
    "pi",
    "pow",
    "prod",
    "radians",
    "sin",
    "sinh",
    "sqrt",
    "tan",
    "tanh",
    "tau",
    "trunc",
    "ulp",
]

pi = 3.141592653589793
e = 2.718281828459045
tau = 6.283185307179586
inf = float("inf")
nan = float("nan")


def degrees(x: float, /) -> float:
    """Radians to degrees."""
    return x * (180.0 / pi)


def radians(x: float, /) -> float:
    """Degrees to radians."""
    return x * (pi / 180.0)
