"""`meshext.config.redaction`, which compiles as it is, in a compiled program beside itself."""

from __future__ import annotations

import inspect
from functools import cache

from hypothesis import example, given
from hypothesis import strategies as st

from meshext.config import redaction
from tests.wasm.compiled import Program, compiled, outcome_of

SOURCE = """
from meshext.config.redaction import is_secret_name, redact


def judged(names: list[str]) -> list[bool]:
    return [is_secret_name(name) for name in names]


def hidden(text: str, secrets: list[str]) -> str:
    return redact(text, secrets)
"""
WORDS = st.sampled_from("api Key TOKEN pem client Secret sort x user pass".split())
NAMES = st.tuples(WORDS, st.sampled_from(["", "-", "_", "."]), WORDS).map("".join)
TEXTS = st.text("ab\xe9_ .", max_size=12)


@cache
def program() -> Program:
    return compiled(SOURCE, **{"meshext.config.redaction": inspect.getsource(redaction)})


@given(st.lists(NAMES | TEXTS, max_size=4))
@example(["clientSecret", "sortKey", "x-api-key", "keys", "tokens", "monkey"])
def test_names(names: list[str]) -> None:
    expected = outcome_of(lambda: [redaction.is_secret_name(name) for name in names])
    assert program().outcome("judged", names) == expected


@given(TEXTS, st.lists(st.text("ab\xe9.", max_size=5), max_size=3))
@example("a token abc, abc. abcd a", ["abc", "abcd", "a"])
def test_texts(text: str, secrets: list[str]) -> None:
    assert program().outcome("hidden", text, secrets) == outcome_of(redaction.redact, text, secrets)
