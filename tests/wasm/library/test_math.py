"""math against CPython's; transcendental functions to one unit in the last place."""

import math as real
from collections.abc import Callable
from fractions import Fraction

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from meshext_wasm.library import math
from tests.wasm.library.comparing import outcome
from tests.wasm.library.numbers import FLOATS, INTS

ARGUMENTS = FLOATS | st.floats(-2, 2) | st.floats(-800, 800) | st.integers(-20, 20)
EXACT = "floor ceil trunc fabs sqrt modf frexp isfinite isnan isinf ulp degrees radians".split()
CLOSE = "exp exp2 expm1 log log2 log10 log1p sinh cosh tanh asinh acosh atanh sin cos tan asin acos atan"


def close(ours: tuple[type, object], theirs: tuple[type, object]) -> None:
    """The same exception, or floats at most two units in the last place apart: ours are within one of the
    true value, and so are the C library's, but for tanh (0.124 is 1.5 off)."""
    if isinstance(ours[1], float) and isinstance(theirs[1], float) and real.isfinite(theirs[1]):
        assert abs(ours[1] - theirs[1]) <= 2 * real.ulp(theirs[1])
    else:
        assert repr(ours) == repr(theirs)


def pair(name: str) -> tuple[Callable[..., object], Callable[..., object]]:
    return getattr(math, name), getattr(real, name)


@pytest.mark.parametrize("name", EXACT)
@given(ARGUMENTS)
def test_exact(name: str, x: float) -> None:
    ours, theirs = pair(name)
    assert repr(outcome(ours, x)) == repr(outcome(theirs, x))


@pytest.mark.parametrize("name", CLOSE.split())
@settings(max_examples=60)
@given(ARGUMENTS)
@example(0.0)
@example(-0.0)
@example(1e300)
@example(1e-300)
@example(2.0**-101)
@example(0.9999999999999999)
@example(-1.0)
@example(710.4)
@example(3.141592653589793)
def test_close(name: str, x: float) -> None:
    ours, theirs = pair(name)
    close(outcome(ours, x), outcome(theirs, x))


@given(FLOATS.filter(real.isfinite))
def test_cube_root(x: float) -> None:
    """The C library's is up to two units wrong, so the cube is compared, in exact ratios."""
    root = math.cbrt(x)
    slope = 3 * Fraction(root) ** 2 * Fraction(real.ulp(root))
    assert abs(Fraction(root) ** 3 - Fraction(x)) <= slope * Fraction(6, 10)


@settings(max_examples=60)
@given(ARGUMENTS, ARGUMENTS)
@example(0.0, -0.0)
@example(-0.0, -1.0)
@example(1e200, 1e-200)
def test_two_arguments(x: float, y: float) -> None:
    for name in ("pow", "atan2", "hypot", "log"):
        ours, theirs = pair(name)
        close(outcome(ours, x, y), outcome(theirs, x, y))
    for name in ("copysign", "fmod", "nextafter"):
        ours, theirs = pair(name)
        assert repr(outcome(ours, x, y)) == repr(outcome(theirs, x, y))
    assert math.isclose(x, y, rel_tol=0.1, abs_tol=1.0) == real.isclose(x, y, rel_tol=0.1, abs_tol=1.0)


@given(FLOATS, st.integers(-2200, 2200))
def test_ldexp(x: float, power: int) -> None:
    assert repr(outcome(math.ldexp, x, power)) == repr(outcome(real.ldexp, x, power))


@given(st.lists(FLOATS, max_size=6))
def test_sums(values: list[float]) -> None:
    assert repr(outcome(math.fsum, values)) == repr(outcome(real.fsum, values))
    assert repr(math.prod(values)) == repr(real.prod(values))
    close(outcome(math.dist, values, values[::-1]), outcome(real.dist, values, values[::-1]))


@given(st.lists(INTS, max_size=3), st.integers(-2, 60), st.integers(-2, 60))
def test_ints(values: list[int], n: int, k: int) -> None:
    assert math.gcd(*values) == real.gcd(*values)
    assert math.lcm(*[each % 1000 for each in values]) == real.lcm(*[each % 1000 for each in values])
    for name in ("comb", "perm"):
        ours, theirs = pair(name)
        assert outcome(ours, n, k) == outcome(theirs, n, k)
    assert outcome(math.factorial, n) == outcome(real.factorial, n)
    for each in values:
        assert outcome(math.isqrt, each) == outcome(real.isqrt, each)
        close(outcome(math.log, each), outcome(real.log, each))


def test_constants() -> None:
    assert (math.pi, math.e, math.tau, math.inf) == (real.pi, real.e, real.tau, real.inf)
    assert real.isnan(math.nan)
