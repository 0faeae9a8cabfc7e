"""What is outside of the language is refused, at the right place, with a reason and a way out.

A case is a program in which «this» marks what must be underlined; without a mark the parser refuses it and
its place is Python's.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from meshext_wasm.build.library import ROOT
from meshext_wasm.diagnostics.diagnostic import Collector, Diagnostic, draw_diagnostic
from meshext_wasm.diagnostics.drawing import underlined
from meshext_wasm.source.loading import Folder, Loaded, Texts, load_program
from meshext_wasm.typecheck.unit import check_program
from tests.wasm.compiled import library

CASES = Path(__file__).parent / "cases"
THEMES = sorted(path.stem for path in CASES.glob("*.txt"))


def cases(theme: str) -> dict[str, str]:
    """The programs of a theme by name."""
    parts = (CASES / f"{theme}.txt").read_text(encoding="utf-8").split("=== ")[1:]
    return {name: text for name, _, text in (part.partition("\n") for part in parts)}


def check(text: str) -> tuple[list[Diagnostic], Loaded]:
    """What the compiler has against a program, never anything but diagnostics."""
    collector = Collector()
    known = library().program.modules
    loaded = load_program("program", Texts({"program": text}), Folder(ROOT), collector, known)
    check_program(library().program, loaded, collector)
    return collector.ordered(), loaded


def marked(text: str) -> list[str]:
    """What the marks enclose."""
    return [part.partition("»")[0] for part in text.split("«")[1:]]


@pytest.mark.parametrize(
    ("theme", "name"), [(theme, name) for theme in THEMES for name in cases(theme)], ids=str
)
def test_the_right_place_is_underlined(theme: str, name: str) -> None:
    text = cases(theme)[name]
    plain = text.replace("«", "").replace("»", "")
    found, _ = check(plain)
    assert found
    if marked(text):
        assert [underlined(each.loc, plain) for each in found] == marked(text)
    else:
        assert all(each.reason for each in found)


@pytest.mark.parametrize("theme", THEMES)
def test_reasons_and_hints(theme: str, golden: Callable[[str, str], None]) -> None:
    shown = []
    for name, text in cases(theme).items():
        plain = text.replace("«", "").replace("»", "")
        found, loaded = check(plain)
        sources = {"program.py": plain, **loaded.sources}
        shown.append(f"=== {name}\n" + "\n".join(draw_diagnostic(each, sources) for each in found) + "\n")
    golden("".join(shown), f"{theme}.txt")


def test_there_are_enough() -> None:
    assert sum(len(cases(theme)) for theme in THEMES) >= 150
