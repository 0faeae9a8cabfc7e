"""The built-in exceptions of the run-time library against the real ones: bases, texts, reprs."""

from __future__ import annotations

import builtins

import pytest

from meshext_wasm.library.builtins import errors, exceptions
from tests.wasm.library.same import outcome

PLAIN = sorted(
    name
    for name in vars(exceptions)
    if name in dir(builtins) and name[0].isupper() and not name.startswith(("Unicode", "_"))
)
UNICODE: dict[str, list[tuple[object, ...]]] = {
    "UnicodeDecodeError": [("utf-8", b"a\xffb", 1, 2, "why"), ("ascii", b"\xff\xfe", 0, 2, "why")],
    "UnicodeEncodeError": [
        ("ascii", "é", 0, 1, "why"),
        ("ascii", "π😀", 1, 2, "why"),
        ("ascii", "aπ", 1, 2, "why"),
        ("ascii", "éé", 0, 2, "why"),
    ],
}


def bases(cls: type) -> list[str]:
    """The names of the classes above."""
    return [each.__name__ for each in cls.__mro__]


@pytest.mark.parametrize("name", PLAIN)
def test_plain_exceptions(name: str) -> None:
    ours, real = getattr(exceptions, name), getattr(builtins, name)
    assert bases(ours) == bases(real)
    every: list[tuple[object, ...]] = [(), ("text",), (None,), ("a", 1), (100000, 2, "x"), (1, 2, 3, 4, 5, 6)]
    for args in every:
        one, two = ours(*args), real(*args)
        assert (str(one), repr(one), one.args) == (str(two), repr(two), two.args)


@pytest.mark.parametrize(("name", "args"), [(name, args) for name in UNICODE for args in UNICODE[name]])
def test_unicode_exceptions(name: str, args: tuple[object, ...]) -> None:
    one, two = getattr(exceptions, name)(*args), getattr(builtins, name)(*args)
    assert (str(one), repr(one), one.args) == (str(two), repr(two), two.args)
    assert bases(type(one)) == bases(type(two))


def unpack(values: list[int]) -> None:
    """Three names."""
    _a, _b, _c = values


def unpack_rest(values: list[int]) -> None:
    """Two names and the rest."""
    _a, _b, *_c = values


def test_texts() -> None:
    assert outcome(errors.too_few_values, 3, 1, False) == outcome(unpack, [1])
    assert outcome(errors.too_many_values, 3) == outcome(unpack, [1, 2, 3, 4])
    assert outcome(errors.too_few_values, 2, 1, True) == outcome(unpack_rest, [1])
    assert outcome(errors.unhashable, []) == outcome(hash, [])
    assert outcome(errors.not_iterable, 1) == outcome(iter, 1)
    assert outcome(errors.no_length, 1) == outcome(len, 1)
    assert outcome(errors.not_comparable, "<", 1, "a") == outcome(sorted, ["a", 1])
    assert outcome(errors.unset_attribute, 1, "x") == outcome(lambda: getattr(1, "x"))  # noqa: B009
