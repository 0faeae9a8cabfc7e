"""json against CPython's."""

import json as real_json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from meshext_wasm.library import json
from tests.wasm.library.comparing import outcome

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4),
    max_leaves=12,
)
KEYS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=3)
MARKS = r'{ } [ ] , : " \ \u \ud83d \ude00 \u00e9 \n \x "a" "b": 1 -1 0 01 -0 1.5 1. .5 1e5 1e 1E+2 -'
NAMES = "true null nul NaN -Infinity Infinity"
PIECES = st.sampled_from([*MARKS.split(), *NAMES.split(), " ", "\n", "\x01", "\xe9", "\U0001f600", "\t"])
TEXTS = st.lists(PIECES, max_size=8).map("".join)


def same_outcome(ours: tuple[type, object], real: tuple[type, object]) -> None:
    assert (ours[0].__name__, repr(ours[1])) == (real[0].__name__, repr(real[1]))


@settings(max_examples=150)
@given(TEXTS | VALUES.map(real_json.dumps) | st.text(max_size=6).map(lambda text: f'"{text}'))
@example("[")
@example("[1,]")
@example('{"a":1,}')
@example('{"a"')
@example('"\\ud83d\\u12')
@example('"\\ud83d\\ude00"')
@example('"\\ud83d\\u0041"')
@example("\ufeff1")
@example("1" * 4301)
def test_loads(text: str) -> None:
    same_outcome(outcome(json.loads, text), outcome(real_json.loads, text))


def test_errors_say_where() -> None:
    with pytest.raises(json.JSONDecodeError) as ours:
        json.loads('{\n "a": ]')
    with pytest.raises(real_json.JSONDecodeError) as real:
        real_json.loads('{\n "a": ]')
    for name in ("msg", "doc", "pos", "lineno", "colno"):
        assert getattr(ours.value, name) == getattr(real.value, name)


@given(VALUES)
def test_bytes_and_hooks(value: object) -> None:
    data = real_json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")
    assert json.loads(data) == value
    assert json.loads(b"\xef\xbb\xbf" + data) == value
    assert json.loads(data, object_pairs_hook=list) == real_json.loads(data, object_pairs_hook=list)
    assert json.loads(data, object_hook=len) == real_json.loads(data, object_hook=len)


@settings(max_examples=80)
@given(VALUES | st.dictionaries(KEYS, VALUES, max_size=4) | st.tuples(VALUES, VALUES), st.data())
def test_dumps(value: object, data: st.DataObject) -> None:
    options: dict[str, Any] = {
        "ensure_ascii": data.draw(st.booleans()),
        "indent": data.draw(st.sampled_from([None, 0, 2, "\t"])),
        "separators": data.draw(st.sampled_from([None, (",", ":")])),
        "sort_keys": data.draw(st.booleans()),
    }
    ours = outcome(lambda: json.dumps(value, **options))
    same_outcome(ours, outcome(lambda: real_json.dumps(value, **options)))


def test_what_is_refused() -> None:
    circle: list[object] = []
    circle.append({"a": circle})
    for value in (circle, [object], {(1, 2): 1}, [float("nan")], {"a": {1}}):
        ours = outcome(lambda value=value: json.dumps(value, allow_nan=False))
        same_outcome(ours, outcome(lambda value=value: real_json.dumps(value, allow_nan=False)))
    assert json.dumps({(1,): 1, "b": {1}}, skipkeys=True, default=lambda value: [1]) == '{"b": [1]}'
    assert json.dumps([float("nan"), float("-inf")]) == "[NaN, -Infinity]"
