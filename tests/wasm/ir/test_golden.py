"""Source to IR, before and after the passes, as text: read the diff when it changes."""

from __future__ import annotations

import textwrap
from collections.abc import Callable

import pytest

from meshext_wasm.ir.build.unit import build_unit
from meshext_wasm.ir.printing import print_unit
from meshext_wasm.ir.verify import verify_unit
from meshext_wasm.passes.pipeline import run_passes
from tests.wasm.ir.checked import checked

CASES = {
    "arithmetic": """
        def area(width: int, height: int) -> int:
            return width * height - 1
    """,
    "loop": """
        def total(n: int) -> int:
            found = 0
            for i in range(n):
                if i % 3 == 0 and i != 9:
                    continue
                found += i
            return found
    """,
    "floats": """
        def grow(rounds: int) -> float:
            value = 1.0
            while rounds > 0:
                value = value * 1.5
                rounds -= 1
            return value
    """,
    "exceptions": """
        def read(table: dict[str, int], key: str) -> int:
            try:
                return table[key]
            except KeyError:
                return -1
            finally:
                table[key] = 0
    """,
    "closures": """
        def counter() -> int:
            count = 0
            def more() -> None:
                nonlocal count
                count += 1
            more()
            more()
            return count
    """,
    "classes": """
        class Point:
            def __init__(self, x: int) -> None:
                self.x = x

            def moved(self, by: int) -> "Point":
                return Point(self.x + by)

        ORIGIN = Point(0)

        def far(by: int) -> bool:
            return ORIGIN.moved(by).x > 10
    """,
    "unset": """
        def last(items: list[str]) -> str:
            for item in items:
                pass
            return item
    """,
}


@pytest.mark.parametrize("name", CASES)
def test_source_to_ir(name: str, golden: Callable[[str, str], None]) -> None:
    unit = build_unit(checked(textwrap.dedent(CASES[name])))
    verify_unit(unit, after="build")
    golden(print_unit(unit), f"{name}.built.txt")
    run_passes(unit)
    golden(print_unit(unit), f"{name}.passed.txt")
