"""re in compiled programs against CPython's: the same source runs in both."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import pytest
from hypothesis import given, settings

from tests.wasm.compiled import Program, compiled, outcome_of
from tests.wasm.library.test_re import DATA, FLAGS, PATTERNS, TEXTS

SOURCE = r"""
import re

CARD = re.compile(r"\b\d(?:[ -]?\d){12,18}\b")
PAIR = re.compile(r"(?P<name>[a-z]+)=(?P<value>[^;]*)")


def tell(match: re.Match[str] | None) -> object:
    if match is None:
        return None
    spans = [match.span(number) for number in range(match.re.groups + 1)]
    return match.group(), match.groups(), match.groupdict(), spans, match.lastindex, match.lastgroup


def supported(pattern: str, flags: int) -> bool:
    try:
        re.compile(pattern, flags)
    except re.error:
        return False
    return True


def ways(pattern: str, flags: int, text: str) -> object:
    made = re.compile(pattern, flags)
    first = [tell(made.match(text)), tell(made.fullmatch(text)), tell(made.search(text))]
    found = [tell(each) for each in made.finditer(text)]
    pieces = made.split(text)
    return first, tell(made.search(text, 1)), found, made.findall(text), pieces, made.sub(r"<\g<0>>", text)


def swapped(pattern: str, text: str) -> str:
    return re.sub(pattern, lambda match: match.group().swapcase(), text)


def in_bytes(pattern: bytes, text: bytes) -> object:
    made = re.compile(pattern)
    found = made.search(text)
    return None if found is None else (found.group(), found.span()), made.split(text), made.subn(b"-", text)


def cards(text: str) -> list[str]:
    return [match.group() for match in CARD.finditer(text)]


def pairs(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for match in PAIR.finditer(text):
        name, value = match.group("name"), match["value"]
        if name is not None and value is not None:
            found[name] = value
    return found


def is_digest(text: str) -> bool:
    return re.fullmatch("[0-9a-f]{64}", text) is not None


def escaped(text: str) -> str:
    return re.escape(text)
"""


@cache
def program() -> Program:
    return compiled(SOURCE)


@cache
def real() -> dict[str, Callable[..., object]]:
    made: dict[str, Callable[..., object]] = {}
    exec(SOURCE, made)  # the program itself, in CPython
    return made


@pytest.fixture(scope="module", autouse=True)
def ready() -> None:
    program()


def check(name: str, *arguments: object) -> None:
    assert program().outcome(name, *arguments) == outcome_of(real()[name], *arguments)


@settings(max_examples=200)
@given(PATTERNS, FLAGS, TEXTS)
def test_patterns(pattern: str, flags: int, text: str) -> None:
    if program().call("supported", pattern, flags):
        check("ways", pattern, flags, text)
        check("swapped", pattern, text)


@given(PATTERNS.filter(str.isascii), DATA)
def test_bytes(pattern: str, data: bytes) -> None:
    if program().call("supported", pattern, 0):
        check("in_bytes", pattern.encode(), data)


def test_ordinary_use() -> None:
    check("cards", "x 4111 1111-1111 1111, 12345, 5500000000000004!")
    check("pairs", "a=1; b=; c=x=y;D=4")
    check("is_digest", "0f" * 32)
    check("is_digest", "0f" * 32 + "\n")
    check("escaped", "a.b*c \n\xe9")


def test_time_is_linear() -> None:
    """A pattern for which a matcher that tries one way after the other needs 2**40 steps."""
    text = "a" * 40 + "b"
    assert program().call("ways", "(?:a|a|aa)+$", 0, text, budget=2_000_000) is not None
