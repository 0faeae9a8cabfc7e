"""Source to a module that runs, with nothing in it that nothing needs."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meshext_wasm.build.cache import user_cache
from meshext_wasm.build.pipeline import compile_program, link_program
from meshext_wasm.diagnostics.diagnostic import CompileError
from meshext_wasm.link.encoding import sections
from meshext_wasm.source.loading import Texts
from tests.wasm.compiled import EXHAUSTED, Raised, compiled, library, outcome_of, shown

SOURCE = """
CALLS: list[int] = []

def add(a: int, b: int) -> int:
    return a + b

def same(value: object) -> object:
    return value

def count(number: int) -> int:
    CALLS.append(number)
    return len(CALLS)

def endless() -> int:
    while True:
        pass

def fail(text: str) -> int:
    raise ValueError(text)
"""


def add(a: int, b: int) -> int:
    return a + b


@given(st.integers(), st.integers())
@settings(max_examples=200, deadline=None)
def test_a_sum_is_that_of_cpython(a: int, b: int) -> None:
    assert compiled(SOURCE).outcome("add", a, b) == outcome_of(add, a, b)


LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary()
HASHABLE = st.recursive(LEAVES, lambda inner: st.tuples(inner, inner), max_leaves=4)
VALUES = st.recursive(
    HASHABLE,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text() | st.integers(), inner, max_size=4)
        | st.sets(st.text(max_size=3), max_size=4)
    ),
    max_leaves=8,
)


@given(VALUES)
@settings(max_examples=100, deadline=None)
def test_every_value_comes_back_as_it_went_in(value: object) -> None:
    result = compiled(SOURCE).call("same", value)
    assert shown(result) == shown(value)


def test_bodies_of_modules_run_once() -> None:
    program = compiled(SOURCE)
    first = program.call("count", 5)
    assert isinstance(first, int)
    assert program.call("count", 5) == first + 1


def test_a_call_can_fail_and_the_next_one_works() -> None:
    program = compiled(SOURCE)
    assert program.call("fail", "häßlich") == Raised("ValueError", "häßlich")
    assert program.call("endless", budget=10000) == EXHAUSTED
    assert program.call("add", 1, 2) == 3


def test_mistakes_are_told_with_their_place() -> None:
    with pytest.raises(CompileError, match=r"program\.py:2:12: ") as caught:
        compiled("def f(a: int) -> int:\n    return a.nothing\n")
    assert len(caught.value.diagnostics) == 1


def code_size(module: bytes) -> int:
    return sum(reader.end - reader.at for kind, _, reader in sections(module, source="module") if kind == 10)


def test_a_function_that_needs_nothing_brings_nothing() -> None:
    text = "def same(a: int) -> int:\n    return a\n"
    program = compile_program("program", Texts({"program": text}), library(), user_cache())
    module = link_program(program, library(), {"same": "fn:program.same"})
    assert code_size(module) < 100


def test_the_same_source_makes_the_same_module() -> None:
    program = compile_program("program", Texts({"program": SOURCE}), library(), user_cache())
    modules = {link_program(program, library(), {"add": "fn:program.add"}) for _ in range(2)}
    assert len(modules) == 1
