"""Finding a filter: by file, by module, by name; every mistake is one line."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from meshext import MeshextError, SpecError, plugins, siblings
from meshext.plugins import load_filter
from meshext.testing import Harness

HELLO = """
from meshext import Filter
class Hello(Filter):
    def on_request(self, request):
        request.headers["x-hello"] = "1"
"""


@pytest.fixture(autouse=True)
def clean_imports(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(sys, "path", list(sys.path))
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        if name.partition(".")[0] in ("tables", "helpers") or name.startswith(siblings.PREFIX):
            del sys.modules[name]


def write(folder: Path, **files: str) -> Path:
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / f"{name}.py").write_text(text, encoding="utf-8")
    return folder


def test_a_file_and_its_class(tmp_path: Path) -> None:
    write(tmp_path, filter=HELLO)
    for spec in (f"{tmp_path}/filter.py:Hello", f"{tmp_path}/filter.py"):
        outcome = Harness(load_filter(spec)).request()
        assert outcome.upstream is not None
        assert outcome.upstream.headers["x-hello"] == "1"


def test_what_is_awaited_later_is_no_mistake(tmp_path: Path) -> None:
    gathered = "import asyncio\n" + HELLO.replace("def on", "async def on").replace(
        'request.headers["x-hello"] = "1"', 'await asyncio.gather(self.store.add("a"), self.store.add("b"))'
    )
    write(tmp_path, filter=gathered)
    assert load_filter(f"{tmp_path}/filter.py").__name__ == "Hello"


def test_a_relative_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, filter=HELLO)
    monkeypatch.chdir(tmp_path)
    assert load_filter("filter.py:Hello").__name__ == "Hello"
    assert load_filter("./filter.py:Hello").__name__ == "Hello"


def test_a_nested_class(tmp_path: Path) -> None:
    write(tmp_path, filter=HELLO + "class Group:\n    Inner = Hello\n")
    assert load_filter(f"{tmp_path}/filter.py:Group.Inner").__name__ == "Hello"


def test_a_file_is_read_anew(tmp_path: Path) -> None:
    write(tmp_path, filter=HELLO)
    first = load_filter(f"{tmp_path}/filter.py")
    write(tmp_path, filter=HELLO.replace("Hello", "Other"))
    second = load_filter(f"{tmp_path}/filter.py")
    assert (first.__name__, second.__name__) == ("Hello", "Other")


def using(sibling: str) -> str:
    return f"from {sibling} import WORD\n" + HELLO.replace('"1"', "WORD")


def said(spec: Path) -> str:
    upstream = Harness(load_filter(f"{spec}/filter.py")).request().upstream
    assert upstream is not None
    return upstream.headers["x-hello"]


def test_siblings_of_the_same_name_are_kept_apart(tmp_path: Path) -> None:
    one = write(tmp_path / "one", filter=using("tables"), tables="WORD = 'one'")
    two = write(tmp_path / "two", filter=using("tables"), tables="WORD = 'two'")
    first = load_filter(f"{one}/filter.py")
    assert said(two) == "two"
    upstream = Harness(first).request().upstream
    assert upstream is not None
    assert upstream.headers["x-hello"] == "one"
    assert said(one) == "one"


@pytest.mark.parametrize("package", [{"__init__": ""}, {}])
def test_a_sibling_package(tmp_path: Path, package: dict[str, str]) -> None:
    folder = write(tmp_path / "one", filter="from helpers.words import WORD\n" + HELLO.replace('"1"', "WORD"))
    write(folder / "helpers", **package, words="WORD = 'package'")
    assert said(folder) == "package"
    other = write(tmp_path / "two", filter="from helpers.words import WORD\n" + HELLO.replace('"1"', "WORD"))
    write(other / "helpers", **package, words="WORD = 'other'")
    assert said(other) == "other"


def test_siblings_never_replace_what_others_imported(tmp_path: Path) -> None:
    import json

    folder = write(tmp_path, filter=HELLO, json="raise RuntimeError")
    load_filter(f"{folder}/filter.py")
    assert sys.modules["json"] is json


def test_a_sibling_imported_in_a_hook_is_the_filters_own(tmp_path: Path) -> None:
    late = HELLO.replace("        request", "        import tables, helpers.words\n        request").replace(
        '"1"', "tables.WORD + helpers.words.WORD"
    )
    loaded = []
    for name in ("one", "two"):
        folder = write(tmp_path / name, filter=late, tables=f"WORD = '{name}'")
        write(folder / "helpers", __init__="", words="import tables\nWORD = '-' + tables.WORD")
        loaded.append(load_filter(f"{folder}/filter.py"))
    upstreams = [Harness(cls).request().upstream for cls in loaded]
    assert [upstream and upstream.headers["x-hello"] for upstream in upstreams] == ["one-one", "two-two"]


def test_a_sibling_may_import_the_filters_own_file(tmp_path: Path) -> None:
    folder = write(
        tmp_path,
        filter=HELLO + "import tables\n",
        tables="def cls():\n    import filter\n    return filter.Hello",
    )
    cls = load_filter(f"{folder}/filter.py")
    assert sys.modules[cls.__module__].tables.cls() is cls


def test_a_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, tables=HELLO)
    monkeypatch.chdir(tmp_path)
    assert load_filter("tables:Hello").__name__ == "Hello"


def test_an_entry_point(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    write(tmp_path, tables=HELLO)
    monkeypatch.syspath_prepend(str(tmp_path))
    points = [EntryPoint("hello", "tables:Hello", plugins.GROUP), EntryPoint("bad", "none:No", plugins.GROUP)]
    monkeypatch.setattr(plugins, "entry_points", lambda group: points)
    assert load_filter("hello").__name__ == "Hello"
    with pytest.raises(SpecError, match="the installed ones are bad, hello"):
        load_filter("helo")
    with pytest.raises(SpecError, match="'bad' does not import: ModuleNotFoundError"):
        load_filter("bad")


MISTAKES = {
    "not-awaited": (
        HELLO.replace('request.headers["x-hello"] = "1"', 'if self.store.add("a"): pass'),
        "filter.py",
        r"Hello.on_request, line 5: self.store.add\(...\) is not awaited",
    ),
    "not-awaited-in-async": (
        HELLO.replace("def on", "async def on").replace(
            'request.headers["x-hello"] = "1"', 'self.store.add("a")'
        ),
        "filter.py",
        r"await self.store.add\(...\)",
    ),
    "no-file": ("", "none.py:X", "is not a file"),
    "no-class": (HELLO, "filter.py:Nope", r"there is no 'Nope' \(filters there: Hello\)"),
    "no-filter": ("x = 1", "filter.py", r"say which class.*filters there: none"),
    "two": (HELLO + HELLO.replace("Hello", "B"), "filter.py", r"say which class.*Hello, B"),
    "no-subclass": ("class A: pass", "filter.py:A", "not a subclass of meshext.Filter"),
    "no-value": ("x = 1", "filter.py:x", "is of type int, not a subclass"),
    "filter-itself": ("from meshext import Filter", "filter.py:Filter", "not a subclass"),
    "syntax": ("def (:", "filter.py", r"does not import: SyntaxError: .* \(.*filter.py:1\)"),
    "raises": ("x = 1\nraise KeyError('a')", "filter.py", r"KeyError: 'a' \(.*filter.py:2\)"),
    "exits": ("raise SystemExit(3)", "filter.py", r"SystemExit: 3"),
    "import": ("import nowhere_to_be_found", "filter.py", "ModuleNotFoundError: No module named"),
    "no-hooks": ("from meshext import Filter\nclass A(Filter): pass", "filter.py", "A has no hooks"),
    "misspelt": (HELLO.replace("on_request", "on_requests"), "filter.py", "did you mean 'on_request'"),
    "arguments": (HELLO.replace("self, request", "self"), "filter.py", "a hook takes self and request"),
    "generator": (HELLO + "        yield 1", "filter.py", "yields"),
    "config": (HELLO + "    Config = int", "filter.py", "put @dataclass above it"),
    "attribute": (HELLO + "    attributes = ('source.prot',)", "filter.py", r"did you mean 'source\.port'"),
    "attributes": (HELLO + "    attributes = 'source.port'", "filter.py", "write a tuple of str"),
    "name": (HELLO + "    name = 'A b'", "filter.py", "lower case words with dashes"),
    "max-body": (HELLO + "    max_body = 0", "filter.py", "write bytes from 1"),
    "time-limit": (HELLO + "    time_limit = 0", "filter.py", "write seconds above 0"),
    "failure": (HELLO + "    failure = 'opn'", "filter.py", "write 'closed' or 'open'"),
}


@pytest.mark.parametrize(("text", "spec", "message"), MISTAKES.values(), ids=MISTAKES)
def test_every_mistake_is_one_line(tmp_path: Path, text: str, spec: str, message: str) -> None:
    write(tmp_path, filter=text)
    with pytest.raises(SpecError, match=message) as caught:
        load_filter(f"{tmp_path}/{spec}")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "spec", ["", ":", "nowhere:X", "meshext.nowhere:X", "meshext:Nope", "a.py:", "meshext:"]
)
def test_odd_specs_are_one_line(spec: str) -> None:
    with pytest.raises(MeshextError) as caught:
        load_filter(spec)
    assert "\n" not in str(caught.value)
