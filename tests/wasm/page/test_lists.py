"""The lists of `wasm/LANGUAGE.md` beside the tables: what they say is compiled, refused, or different."""

from __future__ import annotations

import re
import sys
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.wasm.compiled import Program, Raised, compile_anew, compiled, outcome_of
from tests.wasm.refusals.test_refusals import check

FOLDER = Path(__file__).parent
ROOT = FOLDER.parents[2]
PAGE = (ROOT / "wasm" / "LANGUAGE.md").read_text(encoding="utf-8")
ELSEWHERE = ("Modules", "Configuration", "Hooks", "In a filter")
"""Lists whose items need more than a module: other tests compile filters."""
SINCE = {"`Flag`": (3, 11, 4)}
"""Releases of CPython before which a case has another outcome."""


def section(title: str) -> str:
    """The text below a heading."""
    return PAGE.partition(f"\n## {title}")[2].partition("\n## ")[0].partition("\n")[2]


def bullets(title: str) -> list[str]:
    """The bullets of a section, each on one line."""
    return [" ".join(each.split()) for each in re.split(r"^- ", section(title), flags=re.MULTILINE)[1:]]


def items(title: str) -> list[str]:
    """What the bullets of a section list, separated by semicolons."""
    found: list[str] = []
    for each in bullets(title):
        head, _, text = each.removeprefix("**").partition("**: ")
        if head not in ELSEWHERE:
            found += re.sub(r"\. Not .*$|\.$", "", text).split("; ")
    return found


def cases(name: str) -> dict[str, str]:
    """The programs of a file by what they show."""
    parts = (FOLDER / f"{name}.txt").read_text(encoding="utf-8").split("=== ")[1:]
    return {title: text for title, _, text in (each.partition("\n") for each in parts)}


@cache
def together(name: str) -> str:
    """All programs of a file as one; `case` of each has a number."""
    texts = [
        re.sub(r"^def case\(", f"def case_{number}(", text, flags=re.MULTILINE)
        for number, text in enumerate(cases(name).values())
    ]
    return "".join(texts)


@cache
def module_of(name: str) -> Program:
    """The programs of a file, compiled."""
    return compile_anew(together(name))


@cache
def python_of(name: str) -> dict[str, Any]:
    """The same in CPython; dataclasses look their module up."""
    module = ModuleType("program")
    sys.modules["program"] = module
    try:
        exec(compile(together(name), f"{name}.txt", "exec", dont_inherit=True), module.__dict__)
    finally:
        del sys.modules["program"]
    return module.__dict__


def number_of(name: str, title: str) -> str:
    """The function of a case."""
    return f"case_{list(cases(name)).index(title)}"


def test_every_item_has_its_case() -> None:
    assert items("The language") == list(cases("language"))
    assert [*items("Not compiled yet"), *items("What is never compiled")] == list(cases("refused"))


def test_every_difference_has_its_case() -> None:
    titles = list(cases("differs"))
    assert [
        each
        for each, title in zip(bullets("What differs"), titles, strict=True)
        if not each.startswith(title)
    ] == []


@pytest.mark.parametrize("title", cases("language"))
def test_what_is_in_the_language_compiles(title: str) -> None:
    if sys.version_info < SINCE.get(title, ()):
        pytest.skip(f"this CPython is before {SINCE[title]}")
    name = number_of("language", title)
    assert module_of("language").outcome(name) == outcome_of(python_of("language")[name])


@pytest.mark.parametrize("title", cases("refused"))
def test_what_is_not_is_refused(title: str) -> None:
    found, _ = check(cases("refused")[title])
    assert found
    assert all(each.reason for each in found)


@pytest.mark.parametrize("title", cases("differs"))
def test_what_differs_differs_so(title: str) -> None:
    text, name = cases("differs")[title], number_of("differs", title)
    said = dict(re.findall(r"^# (\w+): (.*)$", text, flags=re.MULTILINE))
    if "see" in said:
        path, _, word = said["see"].partition("::")
        assert word in (ROOT / path).read_text(encoding="utf-8")
        return
    module = module_of("differs").call(name)
    assert (module.name if isinstance(module, Raised) else repr(module)) == said["module"]
    if "python" in said:
        kind, python = outcome_of(python_of("differs")[name])
        assert (python.name if isinstance(python, Raised) else kind) in (said["python"], "value")
        if kind == "value":
            assert repr(python_of("differs")[name]()) == said["python"]


def test_an_import_inside_of_a_function_runs_at_the_start() -> None:
    lines = ["def case() -> object:", "    before = list(LOG)", "    import beside", "    return before"]
    text = "\n".join(["LOG: list[str] = []", *lines, ""])
    beside = "from program import LOG\nLOG.append('ran')\n"
    assert compiled(text, beside=beside).call("case") == ["ran"]
