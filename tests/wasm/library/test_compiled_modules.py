"""The library's modules in compiled programs against CPython's: the same source runs in both."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.wasm.compiled import Program, compiled, outcome_of
from tests.wasm.library.numbers import FLOATS, INTS

SOURCE = """
import base64
import binascii
import hashlib
import hmac
import json
import math


def digest(name: str, data: bytes) -> str:
    return hashlib.new(name, data).hexdigest()


def pieces(data: list[bytes]) -> str:
    made = hashlib.sha256()
    for piece in data:
        made.update(piece)
    return made.hexdigest() + hashlib.md5(b"".join(data)).hexdigest()


def bucket(text: str) -> int:
    return int(hashlib.sha256(text.encode()).hexdigest(), 16) % 100


def keyed(key: bytes, data: bytes) -> bool:
    made = hmac.new(key, data, hashlib.sha256).hexdigest()
    return hmac.compare_digest(made, hmac.new(key, data, "sha256").hexdigest())


def keyed_text(key: bytes, data: bytes) -> str:
    return hmac.new(key, data, hashlib.sha512).hexdigest()


def encoded(data: bytes) -> tuple[bytes, bytes, bytes, int]:
    plain, safe = base64.b64encode(data), base64.urlsafe_b64encode(data)
    return plain, safe, binascii.hexlify(data), binascii.crc32(data)


def decoded(text: str) -> bytes:
    return base64.b64decode(text)


def decoded_strictly(text: str) -> str:
    try:
        return base64.b64decode(text, validate=True).hex()
    except binascii.Error as error:
        return f"no: {error}"


def loaded(text: str) -> object:
    return json.loads(text)


def loaded_pairs(text: str) -> object:
    return json.loads(text, object_pairs_hook=lambda pairs: pairs)


def place(text: str) -> tuple[str, int, int, int]:
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        return error.msg, error.pos, error.lineno, error.colno
    return "", 0, 0, 0


def dumped(text: str) -> tuple[str, str, str]:
    value = json.loads(text)
    compact = json.dumps(value, separators=(",", ":"), sort_keys=True, ensure_ascii=False)
    return json.dumps(value), compact, json.dumps(value, indent=2)


def role(text: str) -> str:
    data = json.loads(text)
    if isinstance(data, dict):
        found = data.get("role")
        if isinstance(found, str):
            return found
    return "none"


def whole(x: float) -> tuple[int, int, int]:
    return math.floor(x), math.ceil(x), math.trunc(x)


def exact(x: float) -> tuple[float, float, bool, bool]:
    return math.fabs(x), math.sqrt(x), math.isnan(x), math.isinf(x)


def numbers(a: int, b: int) -> tuple[int, int, int]:
    return math.gcd(a, b), math.isqrt(abs(a)), math.comb(abs(a) % 50, abs(b) % 50)


def curved(x: float) -> float:
    return math.exp(x) if x < 0 else math.log(x)


def waves(x: float) -> float:
    return math.sin(x) + math.atan2(x, 2.0)
"""
DATA = st.binary(max_size=300)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
BROKEN = st.lists(st.sampled_from(r'{ } [ ] , : "a" " 1 -1.5e3 true nul \u00e9 \x NaN'.split()), max_size=7)


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


@given(DATA, st.lists(DATA, max_size=4), st.text())
def test_hashes(data: bytes, pieces: list[bytes], text: str) -> None:
    for name in ("md5", "sha1", "sha224", "sha256", "sha384", "sha512", "sha3"):
        check("digest", name, data)
    check("pieces", pieces)
    check("bucket", text)
    check("keyed", data, text.encode("utf-8", "surrogatepass"))
    check("keyed_text", text.encode("utf-8", "surrogatepass"), data)


@given(DATA, st.text("AQgz09+/-_= \n", max_size=12))
def test_base64(data: bytes, text: str) -> None:
    check("encoded", data)
    check("decoded", text)
    check("decoded_strictly", text)


@given(JSON.map(json.dumps) | BROKEN.map("".join) | BROKEN.map(" ".join))
def test_json(text: str) -> None:
    for name in ("loaded", "loaded_pairs", "place", "dumped", "role"):
        check(name, text)


@given(FLOATS, INTS, INTS)
def test_math(x: float, a: int, b: int) -> None:
    check("whole", x)
    check("exact", x)
    check("numbers", a, b)


@given(st.floats(-600, 1e9))
def test_transcendental(x: float) -> None:
    for name in ("curved", "waves"):
        ours, theirs = program().call(name, x), outcome_of(real()[name], x)
        if isinstance(ours, float):
            assert abs(ours - float(theirs[1])) <= 2.0**-50 * max(1.0, abs(ours))  # type: ignore[arg-type]
        else:
            assert program().outcome(name, x) == theirs
