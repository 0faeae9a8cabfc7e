"""What expressions are refused, and what the refusal says to write instead."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshext_wasm.diagnostics.diagnostic import CompileError
from tests.wasm.compiled import compiled

BODIES = [
    "return missing",
    "return getattr(text, 'x')",
    "return text + 1",
    "return 1 + maybe",
    "return maybe.upper()",
    "return text.nothing()",
    "return text is 'a'",
    "return number[0]",
    "return other(1)",
    "return other(text, wrong=1)",
    "return other()",
    "return number()",
    "return sorted(words, key=lambda: 1)",
    "items: list[int] = ['a']\n    return items",
    "items: list[object] = words\n    return items",
    "a, b = (1, 2, 3)\n    return a",
    "return (1, 2)[5]",
    "return '%s %s' % (text,)",
    "return '%q' % text",
    "return '{} {}'.format(text)",
    "return 3 + 1j",
    "return [*number]",
    "yield number",
    "return super().x()",
    "text.title = number",
    "return text.__class__",
    "return isinstance(text, maybe)",
]
HEAD = """def other(text: str) -> str:
    return text


def function(text: str, number: int, maybe: str | None, words: list[str]) -> object:
    """


def refusal(body: str) -> str:
    """What the compiler says to a function with this body."""
    with pytest.raises(CompileError) as refused:
        compiled(f"{HEAD}{body}\n")
    return str(refused.value)


def test_every_refusal_says_what_to_write(golden: Callable[[str, str], None]) -> None:
    golden("\n\n".join(map(refusal, BODIES)) + "\n", "refusals.txt")
