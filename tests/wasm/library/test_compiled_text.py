"""str and bytes, compiled, against CPython: the same source runs in both."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.wasm.compiled import compiled, outcome_of

SOURCE = """
def concat(a: str, b: str) -> str:
    return a + b

def times(a: str, n: int) -> str:
    return a * n

def compare(a: str, b: str) -> tuple[bool, bool, bool, bool, bool, bool]:
    return (a == b, a != b, a < b, a <= b, a > b, a >= b)

def within(a: str, b: str) -> bool:
    return b in a

def item(a: str, i: int) -> str:
    return a[i]

def cut(a: str, i: int | None, j: int | None, k: int | None) -> str:
    return a[i:j:k]

def look(a: str, b: str, i: int | None, j: int | None) -> tuple[object, ...]:
    return (a.find(b, i, j), a.rfind(b, i, j), a.count(b, i, j), a.startswith(b, i, j),
            a.endswith(b, i, j))

def index(a: str, b: str) -> int:
    return a.index(b)

def change(a: str, b: str, c: str, n: int) -> tuple[str, ...]:
    return (a.replace(b, c, n), a.removeprefix(b), a.removesuffix(b), a.strip(b), a.lstrip(), a.rstrip(c))

def parts(a: str, b: str, n: int) -> tuple[object, ...]:
    return (a.split(b, n), a.rsplit(b, n), a.split(maxsplit=n), a.rsplit(None, n), a.partition(b),
            a.rpartition(b))

def lines(a: str, keep: bool) -> list[str]:
    return a.splitlines(keep)

def cases(a: str) -> tuple[str, ...]:
    return (a.upper(), a.lower(), a.title(), a.casefold(), a.swapcase(), a.capitalize())

def kinds(a: str) -> list[bool]:
    return [a.isalpha(), a.isalnum(), a.isdecimal(), a.isdigit(), a.isnumeric(), a.isspace(), a.isascii(),
            a.isprintable(), a.islower(), a.isupper(), a.istitle(), a.isidentifier()]

def form(a: str, n: int, fill: str) -> tuple[str, ...]:
    return (a.ljust(n, fill), a.rjust(n, fill), a.center(n, fill), a.zfill(n), a.expandtabs(n))

def shown(a: str) -> tuple[str, str]:
    return (repr(a), ascii(a))

def swap(a: str) -> str:
    return a.translate(str.maketrans("ab", "xy", "c"))

def joined(a: str, b: list[str]) -> str:
    return a.join(b) + a.join(tuple(b)) + a.join(each for each in b)

def characters(a: str) -> list[int]:
    return [ord(each) for each in a]

def encoded(a: str, name: str, errors: str) -> bytes:
    return a.encode(name, errors)

def decoded(a: bytes, name: str, errors: str) -> str:
    return a.decode(name, errors)

def words(a: str) -> dict[str, int]:
    found: dict[str, int] = {}
    for word in a.split():
        found[word] = found.get(word, 0) + 1
    return found

def told(a: str, n: int) -> str:
    return f"{a!r:>8}|{n:04d}|{a}|{len(a)}"

def bytes_look(a: bytes, b: bytes, i: int | None, j: int | None) -> tuple[object, ...]:
    return (a.find(b, i, j), a.rfind(b, i, j), a.count(b, i, j), a.startswith(b), a.endswith(b), b in a,
            a + b, a == b, a < b)

def bytes_parts(a: bytes, b: bytes, n: int) -> tuple[object, ...]:
    return (a.split(b, n), a.rsplit(b, n), a.split(), a.partition(b), a.strip(b), a.replace(b, b"--", n),
            a.splitlines())

def bytes_items(a: bytes, i: int) -> tuple[object, ...]:
    return (a[i], a[i:], a[::-1], [each for each in a], a.hex(), a.upper(), repr(a), bytes(list(a)))

def from_hex(a: str) -> bytes:
    return bytes.fromhex(a)
"""
TEXT = st.text(st.sampled_from("aAbB \t\n,éßΣπ𝄞\udc80"), max_size=8)
PART = st.sampled_from([",", "a", "", "b", "é", "aa"])
BOUND = st.none() | st.integers(-9, 9)
DATA = st.binary(max_size=6) | st.lists(st.sampled_from(b"ab ,\xc3\xa9\xff"), max_size=8).map(bytes)
ERRORS = st.sampled_from("strict ignore replace surrogateescape backslashreplace odd".split())
NAMES = st.sampled_from(["utf-8", "ascii", "Latin_1", "none"])
SMALL = st.integers(-1, 9)

CALLS: dict[str, tuple[st.SearchStrategy[Any], ...]] = {
    "concat": (TEXT, TEXT),
    "times": (TEXT, SMALL),
    "compare": (TEXT, TEXT),
    "within": (TEXT, PART),
    "item": (TEXT, SMALL),
    "cut": (TEXT, BOUND, BOUND, BOUND),
    "look": (TEXT, PART, BOUND, BOUND),
    "index": (TEXT, PART),
    "change": (TEXT, PART, PART, SMALL),
    "parts": (TEXT, PART, SMALL),
    "lines": (TEXT, st.booleans()),
    "cases": (TEXT,),
    "kinds": (TEXT,),
    "form": (TEXT, SMALL, st.sampled_from(["*", "é", ""])),
    "shown": (TEXT,),
    "swap": (st.text("abcd", max_size=6),),
    "joined": (PART, st.lists(TEXT, max_size=3)),
    "characters": (TEXT,),
    "encoded": (TEXT, NAMES, ERRORS),
    "decoded": (DATA, NAMES, ERRORS),
    "words": (TEXT,),
    "told": (TEXT, SMALL),
    "bytes_look": (DATA, DATA, BOUND, BOUND),
    "bytes_parts": (DATA, DATA, SMALL),
    "bytes_items": (DATA, SMALL),
    "from_hex": (st.text("0aF g", max_size=5),),
}
REAL: dict[str, Any] = {}
exec(SOURCE, REAL)


@pytest.mark.parametrize("name", sorted(CALLS))
@settings(deadline=None, max_examples=30, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_compiled_as_in_cpython(name: str, data: st.DataObject) -> None:
    arguments = [data.draw(each) for each in CALLS[name]]
    assert compiled(SOURCE).outcome(name, *arguments) == outcome_of(REAL[name], *arguments)
