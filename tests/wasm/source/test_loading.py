"""Modules of a program: what is read, in which order, and what is refused."""

from __future__ import annotations

from meshext_wasm.diagnostics.diagnostic import Collector
from meshext_wasm.source.loading import Texts, load_program

LIBRARY = Texts({"builtins": "", "json": "", "json.decoder": ""})


def load(**texts: str) -> tuple[list[str], list[str]]:
    """The modules in their order, and what was reported."""
    collector = Collector()
    own = Texts({name.replace("__", "."): text for name, text in texts.items()})
    loaded = load_program("main", own, LIBRARY, collector)
    return [each.name for each in loaded.modules], [each.reason for each in collector.ordered()]


def test_imports_run_before_their_importer() -> None:
    assert load(main="import a\nimport json", a="from b import c", b="c = 1") == (
        ["builtins", "b", "a", "json", "main"],
        [],
    )


def test_relative_imports_and_packages() -> None:
    names, found = load(main="from pkg import one", pkg="", pkg__one="from . import two", pkg__two="")
    assert (names, found) == (["builtins", "pkg", "pkg.two", "pkg.one", "main"], [])


def test_a_cycle_is_refused_by_its_names() -> None:
    _, found = load(main="import a", a="import b", b="import a")
    assert found == ["modules import each other: a -> b -> a"]


def test_imports_for_types_and_in_functions_make_no_cycle() -> None:
    text = (
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import a\ndef f() -> None:\n    import a\n"
    )
    names, found = load(main="import a", a="import b", b=text)
    assert (names, found) == (["builtins", "b", "a", "main"], [])


def test_unknown_modules_are_named() -> None:
    _, found = load(main="import nowhere")
    assert found == [
        "there is no module 'nowhere' beside the program, and the compiler has none of that name"
    ]


def test_what_to_write_instead_of_the_standard_library_is_told() -> None:
    _, found = load(main="import zoneinfo\nimport os.path\nfrom opentelemetry import trace")
    assert found == [
        "zoneinfo of the standard library is not compiled",
        "os.path of the standard library is not compiled",
        "opentelemetry is not compiled: a filter has no spans inside of Envoy",
    ]


def test_what_is_no_python_says_so() -> None:
    _, found = load(main="import a", a="def f(:\n")
    assert found == ["not Python: invalid syntax"]


def test_known_library_modules_are_not_read_again() -> None:
    loaded = load_program("main", Texts({"main": "import json"}), LIBRARY, Collector(), {"builtins", "json"})
    assert [each.name for each in loaded.modules] == ["main"]
