"""Which mistakes are told."""

from __future__ import annotations

from meshext_wasm.diagnostics.diagnostic import Collector, Diagnostic
from meshext_wasm.tree.program import Loc


def mistake(file: str) -> Diagnostic:
    return Diagnostic(Loc(file, 1, 0, 1, 1), "a reason")


def test_what_follows_from_other_mistakes_is_left_out() -> None:
    collector = Collector()
    for file in ("written.py", "own.py"):
        collector.add(mistake(file))
    collector.leave_out("written.py")
    assert collector.ordered() == [mistake("own.py")]


def test_where_there_is_nothing_else_it_stays() -> None:
    collector = Collector()
    collector.add(mistake("written.py"))
    collector.leave_out("written.py")
    assert collector.ordered() == [mistake("written.py")]
