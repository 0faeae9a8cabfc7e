"""Functions of math on ints."""

from __future__ import annotations

from meshext_wasm.library.builtins.fixed import root


def gcd(*integers: int) -> int:
    """The greatest common divisor."""
    result = 0
    for each in integers:
        result = gcd_of(result, each)
    return result


def gcd_of(left: int, right: int) -> int:
    """Euclid's algorithm."""
    while right != 0:
        rest = left % right
        left = right
        right = rest
    return -left if left < 0 else left + 0


def lcm(*integers: int) -> int:
    """The least common multiple."""
    result = 1
    for each in integers:
        if each == 0:
            return 0
        result = result // gcd_of(result, each) * each
    return -result if result < 0 else result


def isqrt(n: int, /) -> int:
    """The largest int whose square is not above `n`."""
    if n < 0:
        raise ValueError("isqrt() argument must be nonnegative")
    return root(n)


def factorial(x: int, /) -> int:
    """The product of all ints from 1 to `x`."""
    if x < 0:
        raise ValueError("factorial() not defined for negative values")
    result = 1
    for each in range(2, x + 1):
        result *= each
    return result


def comb(n: int, k: int, /) -> int:
    """How many ways there are to choose `k` of `n`."""
    if n < 0:
        raise ValueError("n must be a non-negative integer")
    if k < 0:
        raise ValueError("k must be a non-negative integer")
    if k > n:
        return 0
    count = k if k < n - k else n - k
    result = 1
    for each in range(count):
        result = result * (n - each) // (each + 1)
    return result


def perm(n: int, k: int | None = None, /) -> int:
    """How many ways there are to choose `k` of `n` in order."""
    if k is None:
        return factorial(n)
    if n < 0:
        raise ValueError("n must be a non-negative integer")
    if k < 0:
        raise ValueError("k must be a non-negative integer")
    result = 1
    if k > n:
        return 0
    for each in range(k):
        result *= n - each
    return result
