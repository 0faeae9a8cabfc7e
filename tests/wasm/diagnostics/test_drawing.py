"""How a mistake is shown."""

from __future__ import annotations

import pytest

from meshext.errors import MeshextError
from meshext_wasm.diagnostics.diagnostic import Collector, CompileError, Diagnostic, Note, draw_diagnostic
from meshext_wasm.diagnostics.drawing import underlined
from meshext_wasm.tree.program import Loc

TEXT = "x = 1\n\ty = größe + '漢字'\nz = (\n  1)\n"


@pytest.mark.parametrize(
    ("loc", "line", "under"),
    [
        (Loc("a.py", 1, 0, 1, 1), "x = 1", "^"),
        (Loc("a.py", 2, 5, 2, 10), "    y = größe + '漢字'", "        ^^^^^"),
        (Loc("a.py", 2, 13, 2, 17), "    y = größe + '漢字'", "                ^^^^^^"),
        (Loc("a.py", 3, 4, 4, 4), "z = (", "    ^"),
        (Loc("a.py", 1, 5, 1, 5), "x = 1", "     ^"),
    ],
)
def test_line_and_underline(loc: Loc, line: str, under: str) -> None:
    drawn = draw_diagnostic(Diagnostic(loc, "no", "yes"), {"a.py": TEXT}).splitlines()
    assert drawn[1:] == [f"    {line}", f"    {under}", "    write instead: yes"]


def test_text_of_a_place_over_lines() -> None:
    assert underlined(Loc("a.py", 3, 4, 4, 4), TEXT) == "(\n  1)"


def test_all_mistakes_come_in_order_and_once() -> None:
    collector = Collector()
    for line in (3, 1, 3):
        collector.add(Diagnostic(Loc("a.py", line, 0, line, 1), f"line {line}"))
    with pytest.raises(CompileError) as caught:
        collector.raise_any({})
    assert isinstance(caught.value, MeshextError)
    assert str(caught.value) == "a.py:1:1: line 1\n\na.py:3:1: line 3"


def test_notes_show_their_own_places() -> None:
    note = Note(Loc("a.py", 1, 0, 1, 1), "here")
    drawn = draw_diagnostic(Diagnostic(Loc("b.py", 9, 0, 9, 1), "no", notes=(note,)), {"a.py": TEXT})
    assert drawn == "b.py:9:1: no\na.py:1:1: here\n    x = 1\n    ^"
