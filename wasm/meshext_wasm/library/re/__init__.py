"""re: patterns in linear time.

As CPython's but for what can not be matched in linear time (backreferences, lookaround of any length,
conditionals, atomic groups, possessive repeats, repeats of what can be empty), LOCALE, and patterns of more
than 1,000 states; these are an `error` with the reason. `Match.group` gives one group, and its type holds
None unless it is the whole match.
"""

# ruff: noqa: A001, E741 - names of re

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar, cast

from meshext_wasm.library.re.match import Match
from meshext_wasm.library.re.nodes import error
from meshext_wasm.library.re.pattern import Pattern, make_pattern

__all__ = ["Match", "Pattern", "error"]

T = TypeVar("T", str, bytes)

NOFLAG = 0
I = 2
IGNORECASE = 2
L = 4
LOCALE = 4
M = 8
MULTILINE = 8
S = 16
DOTALL = 16
U = 32
UNICODE = 32
X = 64
VERBOSE = 64
A = 256
ASCII = 256
SPECIAL = "()[]{}?*+-|^$\\.&~# \t\n\r\v\f"


CACHE: dict[tuple[object, int], object] = {}
CACHED_MOST = 64


def cached(pattern: T, flags: int) -> Pattern[T]:
    """A pattern that was used before, or a new one."""
    key: tuple[object, int] = (pattern, flags)
    found = CACHE.get(key)
    if found is None:
        if len(CACHE) >= CACHED_MOST:
            CACHE.clear()
        found = make_pattern(pattern, flags)
        CACHE[key] = found
    return cast("Pattern[T]", found)


def compile(pattern: T, flags: int = 0) -> Pattern[T]:
    """A pattern, ready to be matched."""
    return make_pattern(pattern, flags)


def match(pattern: T, string: T, flags: int = 0) -> Match[T] | None:
    """A match that begins at the start."""
    return cached(pattern, flags).match(string)


def fullmatch(pattern: T, string: T, flags: int = 0) -> Match[T] | None:
    """A match of the whole text."""
    return cached(pattern, flags).fullmatch(string)


def search(pattern: T, string: T, flags: int = 0) -> Match[T] | None:
    """The first match anywhere."""
    return cached(pattern, flags).search(string)


def finditer(pattern: T, string: T, flags: int = 0) -> Iterator[Match[T]]:
    """The matches one after the other."""
    return cached(pattern, flags).finditer(string)


def findall(pattern: T, string: T, flags: int = 0) -> list[object]:
    """The texts of the matches."""
    return cached(pattern, flags).findall(string)


def split(pattern: T, string: T, maxsplit: int = 0, flags: int = 0) -> list[T | None]:
    """The texts between the matches."""
    return cached(pattern, flags).split(string, maxsplit)


def sub(pattern: T, repl: T | Callable[[Match[T]], T], string: T, count: int = 0, flags: int = 0) -> T:
    """The text with the matches replaced."""
    return cached(pattern, flags).sub(repl, string, count)


def subn(
    pattern: T, repl: T | Callable[[Match[T]], T], string: T, count: int = 0, flags: int = 0
) -> tuple[T, int]:
    """The text with the matches replaced, and how many there were."""
    return cached(pattern, flags).subn(repl, string, count)


def escape(pattern: T) -> T:
    """A text as a pattern that matches just it."""
    return cast(T, escaped(cast("str | bytes", pattern)))


def escaped(text: str | bytes) -> str | bytes:
    """For `escape`."""
    if isinstance(text, bytes):
        return escaped_text(text.decode("latin-1")).encode("latin-1")
    return escaped_text(text)


def escaped_text(text: str) -> str:
    """For `escape`."""
    return "".join(["\\" + each if each in SPECIAL else each for each in text])
