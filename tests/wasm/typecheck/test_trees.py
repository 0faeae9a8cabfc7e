"""What the checker makes of expressions, as text; a change of it is to be seen and meant."""

from __future__ import annotations

from collections.abc import Callable

from meshext_wasm.build.pipeline import check_own
from meshext_wasm.source.loading import Texts
from meshext_wasm.tree.printing import print_unit
from tests.wasm.compiled import library

SOURCE = """
def arithmetic(a: int, b: int, x: float) -> float:
    return (a + b) * 2 + x * 0.5


def chain(a: int, b: int) -> bool:
    return 0 < a <= b + 1 != 7


def either(text: str, other: str | None) -> str:
    return text or other or "none"


def order(a: int = 1, *, b: int = 2, c: int = 3) -> int:
    return a + b + c


def call(items: list[int]) -> int:
    return order(c=items.pop(), b=items.pop())


def loops(words: list[str], count: int) -> list[str]:
    found = [f"{word}-{number}" for number in range(count) for word in words if word]
    for key, value in {"a": 1}.items():
        found[value] += key
    return found


def searching(words: list[str]) -> bool:
    return any(len(word) > 3 for word in words)


def closures(limit: int) -> list[int]:
    return sorted([3, 1, 2], key=lambda each: abs(each - limit))


def unpacked(pair: tuple[int, str]) -> str:
    number, text = pair
    first, *rest = text
    return first * number + "".join(rest)
"""


def test_trees(golden: Callable[[str, str], None]) -> None:
    unit = check_own("program", Texts({"program": SOURCE}), library(), Texts({}))
    golden(print_unit(unit) + "\n", "trees.txt")
