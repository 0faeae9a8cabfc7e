"""Objects of LLVM's, linked and run."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
import wasmtime

from meshext_wasm.link.calls import CALL_INDIRECT, I32_CONST, LARGE
from meshext_wasm.link.encoding import sections
from meshext_wasm.link.errors import LinkError
from meshext_wasm.link.kept import keep
from meshext_wasm.link.linker import link
from meshext_wasm.link.objects import parse_object
from meshext_wasm.link.starting import START, Body
from meshext_wasm.llvm.machine import emit_object

TRIPLE = 'target triple = "wasm32-unknown-unknown"\n'
MAIN = """
@"class:a" = external global i8
declare i64 @"fn:twice"(i64)
define i64 @"fn:main"(i64 %a) {
  %f = load i32, ptr getelementptr (i8, ptr @"class:a", i32 4)
  %p = inttoptr i32 %f to ptr
  %b = call i64 %p(i64 %a)
  %c = call i64 @"fn:twice"(i64 %b)
  ret i64 %c
}
"""
OTHER = """
@"class:a" = constant { i32, ptr } { i32 7, ptr @"fn:next" }
@"class:unused" = constant { i32, ptr } { i32 7, ptr @"fn:unused" }
define i64 @"fn:next"(i64 %a) {
  %b = add i64 %a, 1
  ret i64 %b
}
define i64 @"fn:unused"(i64 %a) {
  %b = mul i64 %a, 77
  ret i64 %b
}
define i64 @"fn:twice"(i64 %a) {
  %b = shl i64 %a, 1
  ret i64 %b
}
"""


def linked(*texts: str, exports: Mapping[str, str], bodies: Sequence[Body] = ()) -> bytes:
    objects = [
        parse_object(emit_object(TRIPLE + text), source=f"object {number}")
        for number, text in enumerate(texts)
    ]
    return link(objects, exports=exports, bodies=bodies)


CALLED = bytes([CALL_INDIRECT])


def body_of(module: bytes, number: int) -> bytes:
    """The code of a function that the module defines."""
    (reader,) = (reader for kind, _, reader in sections(module, source="module") if kind == 10)
    bodies = [reader.take(reader.unsigned()) for _ in range(reader.unsigned())]
    return bodies[number]


def run(module: bytes, name: str, *arguments: int) -> int:
    store = wasmtime.Store()
    instance = wasmtime.Instance(store, wasmtime.Module(store.engine, module), [])
    function = instance.exports(store)[name]
    assert isinstance(function, wasmtime.Func)
    result = function(store, *arguments)
    assert isinstance(result, int)
    return result


def test_calls_go_to_other_objects_directly_and_through_the_table() -> None:
    assert run(linked(MAIN, OTHER, exports={"main": "fn:main"}), "main", 20) == 42


COLD = """
declare i64 @"far:fn:next"(i64)
declare i64 @"fn:twice"(i64)
define i64 @"fn:main"(i64 %a) {
  %b = call i64 @"far:fn:next"(i64 %a)
  %c = call i64 @"fn:twice"(i64 %b)
  ret i64 %c
}
"""
LONG = "".join(
    f"  %m{n} = mul i64 %v{n - 1}, %a\n  %v{n} = xor i64 %m{n}, {n}\n" for n in range(1, LARGE // 4)
)
LAST = f"%v{LARGE // 4 - 1}"


def test_calls_that_seldom_run_go_through_the_table() -> None:
    module = linked(COLD, OTHER, exports={"main": "fn:main"})
    assert run(module, "main", 20) == 42
    assert body_of(module, 0).count(CALLED) == 1


def test_calls_of_large_functions_go_through_the_table() -> None:
    large = f'define i64 @"fn:twice"(i64 %a) {{\n  %v0 = xor i64 %a, 7\n{LONG}  ret i64 {LAST}\n}}\n'
    small = OTHER.partition('define i64 @"fn:twice"')[0]
    module = linked(MAIN, large, small, exports={"main": "fn:main"})
    assert body_of(module, 0).count(CALLED) == 2


def test_what_is_named_most_often_comes_first_in_the_table() -> None:
    names = ["next", "twice", "twice", "twice"]
    calls = "".join(f'  %v{n + 1} = call i64 @"far:fn:{each}"(i64 %v{n})\n' for n, each in enumerate(names))
    text = "".join(f'declare i64 @"far:fn:{each}"(i64)\n' for each in ("next", "twice"))
    text += f'define i64 @"fn:main"(i64 %v0) {{\n{calls}  ret i64 %v4\n}}\n'
    module = linked(text, OTHER, exports={"main": "fn:main"})
    assert run(module, "main", 2) == 24
    called = [body_of(module, 0).count(bytes([I32_CONST, place, CALL_INDIRECT])) for place in (1, 2)]
    assert called == [3, 1]


def test_what_nothing_needs_is_left_out() -> None:
    module = linked(MAIN, OTHER, exports={"main": "fn:main"})
    assert b"unused" not in module
    assert b"unused" in linked(MAIN, OTHER, exports={"main": "fn:main", "unused": "fn:unused"})


def test_a_kept_object_is_read_when_something_of_it_is_needed() -> None:
    main, other = (parse_object(emit_object(TRIPLE + each), source="an object") for each in (MAIN, OTHER))
    unused = parse_object(emit_object(f"{TRIPLE}define i64 @x() {{\n  ret i64 1\n}}"), source="another")
    kept = [keep(other), keep(unused)]
    module = link([main, *kept], exports={"main": "fn:main"}, nameless=kept)
    assert run(module, "main", 20) == 42
    assert [len(each.made) for each in kept] == [1, 0]
    assert b"twice" not in module
    assert module == link([main, *kept], exports={"main": "fn:main"}, nameless=kept)
    assert module == link([main, other, unused], exports={"main": "fn:main"}, nameless=[other, unused])


def test_an_undefined_symbol_is_refused_with_where_it_is_used() -> None:
    with pytest.raises(LinkError, match="'class:a' is used in object 0, and nothing defines it") as caught:
        linked(MAIN, exports={"main": "fn:main"})
    assert len(caught.value.problems) == 2


def test_an_undefined_symbol_of_what_nothing_needs_is_no_matter() -> None:
    assert run(linked(MAIN, OTHER, exports={"twice": "fn:twice"}), "twice", 4) == 8


def test_two_definitions_are_refused() -> None:
    with pytest.raises(LinkError, match=r"'fn:twice' is defined in object 0 and in object 1"):
        linked(OTHER, OTHER, exports={"main": "fn:twice"})


def test_weak_definitions_become_one() -> None:
    weak = 'define linkonce_odr i64 @"fn:w"() {\n ret i64 9\n}\n'
    uses = weak + 'define i64 @"fn:%s"() {\n %%a = call i64 @"fn:w"() noinline\n ret i64 %%a\n}\n'
    module = linked(uses % "a", uses % "b", exports={"a": "fn:a", "b": "fn:b"})
    assert run(module, "a") == run(module, "b") == 9


def test_a_call_of_another_type_than_the_definition_is_refused() -> None:
    bad = MAIN.replace('@"fn:twice"(i64)', '@"fn:twice"(i64, i32)').replace("(i64 %b)", "(i64 %b, i32 1)")
    with pytest.raises(
        LinkError, match=r"'fn:twice': object 0 calls it as \(i64, i32\) -> \(i64\), object 1"
    ):
        linked(bad, OTHER, exports={"main": "fn:main"})


@pytest.mark.parametrize(
    ("declared", "problem"),
    [
        ('@"host:proxy_lag"(i32)', "'proxy_lag', used in object 0, is no function of Envoy"),
        ('@"host:proxy_log"(i32)', "calls it as .i32. -> .i32., Envoy has .i32, i32, i32. -> .i32."),
    ],
)
def test_an_import_that_envoy_does_not_have_is_refused(declared: str, problem: str) -> None:
    call = declared.replace("(i32)", "(i32 1)")
    text = f'declare i32 {declared}\ndefine i32 @"fn:main"() {{\n %a = call i32 {call}\n ret i32 %a\n}}\n'
    with pytest.raises(LinkError, match=problem):
        linked(text, exports={"main": "fn:main"})


def test_roots_stand_together_before_the_heap() -> None:
    text = """
@"global:a" = global i64 1, section "roots.a"
@between = global i64 2
@"global:b" = global i64 3, section "roots.b"
@"global:unused" = global i64 3, section "roots.unused"
@__roots_start = external global i8
@__roots_end = external global i8
@__heap_base = external global i8
define i64 @"fn:sum"() {
  %a = load i64, ptr @"global:a"
  %b = load i64, ptr @"global:b"
  %c = load i64, ptr @between
  %d = add i64 %a, %b
  %e = add i64 %d, %c
  store i64 %e, ptr @"global:a"
  store i64 %e, ptr @"global:b"
  store i64 %e, ptr @between
  ret i64 %e
}
define i32 @"fn:slots"() {
  %a = sub i32 ptrtoint (ptr @__roots_end to i32), ptrtoint (ptr @__roots_start to i32)
  ret i32 %a
}
define i32 @"fn:behind"() {
  %a = sub i32 ptrtoint (ptr @__heap_base to i32), ptrtoint (ptr @__roots_end to i32)
  ret i32 %a
}
"""
    module = linked(text, exports={"sum": "fn:sum", "slots": "fn:slots", "behind": "fn:behind"})
    assert run(module, "sum") == 6
    assert run(module, "slots") == 16
    assert 0 <= run(module, "behind") < 16


START_TEXT = """
@"global:a.x" = global i64 0, section "roots.a.x"
@"global:b.x" = global i64 0, section "roots.b.x"
@"global:c.x" = global i64 0, section "roots.c.x"
define i64 @"fn:a"() {
  store i64 5, ptr @"global:a.x"
  ret i64 0
}
define void @"fn:b"() {
  %a = load i64, ptr @"global:a.x"
  %b = add i64 %a, 1
  store i64 %b, ptr @"global:b.x"
  ret void
}
define void @"fn:c"() {
  store i64 1, ptr @"global:c.x"
  ret void
}
define i32 @"rt:after_body"() {
  %b = load i64, ptr @"global:b.x"
  %c = icmp eq i64 %b, AT
  %d = zext i1 %c to i32
  ret i32 %d
}
define i64 @"fn:read"() {
  %a = load i64, ptr @"global:b.x"
  ret i64 %a
}
"""
BODIES = [Body(f"fn:{each}", frozenset({f"{each}.x"})) for each in "abc"]


def started(after: str) -> tuple[bytes, int]:
    text = START_TEXT.replace("AT", after)
    module = linked(text, exports={"start": START, "read": "fn:read"}, bodies=BODIES)
    store = wasmtime.Store()
    exports = wasmtime.Instance(store, wasmtime.Module(store.engine, module), []).exports(store)
    start, read = exports["start"], exports["read"]
    assert isinstance(start, wasmtime.Func)
    assert isinstance(read, wasmtime.Func)
    start(store)
    result = read(store)
    assert isinstance(result, int)
    return module, result


def test_bodies_run_in_order_and_only_those_whose_globals_are_read() -> None:
    module, result = started("1000")
    assert result == 6
    assert b"c.x" not in module
    assert ["c" in name for name in function_names(module)].count(True) == 0


def test_a_body_that_fails_ends_the_start() -> None:
    assert started("0")[1] == 0


def function_names(module: bytes) -> list[str]:
    for kind, name, reader in sections(module, source="module"):
        if kind == 0 and name == "name":
            reader.byte()
            part = reader.part(reader.unsigned())
            return [(part.unsigned(), part.name())[1] for _ in range(part.unsigned())]
    return []


def test_functions_have_their_names() -> None:
    module = linked(MAIN, OTHER, exports={"main": "fn:main"})
    assert sorted(function_names(module)) == ["main", "next", "twice"]


@pytest.mark.parametrize("raw", [b"", b"\0asm", b"\0asm\x01\0\0\0", b"\0asm\x01\0\0\0\x01\x7f", b"ELF....."])
def test_what_is_no_object_is_refused(raw: bytes) -> None:
    with pytest.raises(LinkError, match="a file: "):
        parse_object(raw, source="a file")


@pytest.mark.skipif(importlib.util.find_spec("ziglang") is None, reason="python3 -m pip install ziglang")
def test_another_linker_makes_a_module_that_answers_the_same(tmp_path: Path) -> None:
    paths = []
    for number, text in enumerate([MAIN, OTHER]):
        paths.append(tmp_path / f"{number}.o")
        paths[-1].write_bytes(emit_object(TRIPLE + text))
    made = tmp_path / "other.wasm"
    command = [sys.executable, "-m", "ziglang", "wasm-ld", "--no-entry", "--export=fn:main", "-o", str(made)]
    subprocess.run([*command, *map(str, paths)], check=True, timeout=60)
    ours = linked(MAIN, OTHER, exports={"main": "fn:main"})
    for number in (0, 20, 1 << 40):
        assert run(ours, "main", number) == run(made.read_bytes(), "fn:main", number)


def test_equal_functions_in_the_table_have_a_place_each() -> None:
    one = 'define i64 @"fn:%s"() {\n ret i64 9\n}\n@"class:%s" = constant ptr @"fn:%s"\n'
    reads = 'define i64 @"fn:read%s"() {\n %%f = load i32, ptr @"class:%s"\n %%p = inttoptr i32 %%f to ptr\n'
    reads += " %%r = call i64 %%p()\n ret i64 %%r\n}\n"
    text = "".join(one % (each, each, each) for each in "ab")
    text += "".join(reads % (each, each) for each in "ab")
    module = linked(text.replace("constant ptr", "global ptr"), exports={"a": "fn:reada", "b": "fn:readb"})
    assert run(module, "a") == run(module, "b") == 9


CLASS = """
@"display:o" = internal constant [1 x ptr] [ptr @"class:o"]
@"class:o" = constant { i32, ptr, i64, i64, i64, ptr } { i32 0, ptr @"display:o", i64 0, i64 0, i64 0,
    ptr @"fn:root" }
@"display:a" = internal constant [2 x ptr] [ptr @"class:o", ptr @"class:a"]
@"class:a" = constant { i32, ptr, i64, i64, i64, ptr, ptr, ptr } { i32 1, ptr @"display:a", i64 0, i64 0,
    i64 0, ptr @"fn:zero", ptr @"fn:first", ptr @"fn:second" }
@"tested:o" = external unnamed_addr global i8
@"method:0:o" = external global i8
@"method:1:a" = external global i8
@"method:2:b" = external global i8
define i64 @"fn:root"() {
  ret i64 99
}
define i64 @"fn:zero"() {
  ret i64 100
}
define i64 @"fn:first"() {
  ret i64 101
}
define i64 @"fn:second"() {
  ret i64 102
}
define i64 @"fn:call"() {
  %o = add i32 ptrtoint (ptr @"class:a" to i32), ptrtoint (ptr @"METHOD" to i32)
  %p = inttoptr i32 %o to ptr
  %f = load i32, ptr %p
  %g = inttoptr i32 %f to ptr
  %r = call i64 %g()
  ret i64 %r
}
define i32 @"fn:elsewhere"() {
  ret i32 ptrtoint (ptr @"method:2:b" to i32)
}
define i32 @"fn:test"() {
  %t = sub i32 ptrtoint (ptr @"tested:o" to i32), ptrtoint (ptr @"class:o" to i32)
  ret i32 %t
}
define i32 @"fn:only_test"() {
  ret i32 ptrtoint (ptr @"tested:o" to i32)
}
"""


def test_a_method_that_nothing_calls_is_left_out_of_all_tables() -> None:
    module = linked(CLASS.replace("METHOD", "method:1:a"), exports={"call": "fn:call"})
    assert run(module, "call") == 101
    assert sorted(function_names(module)) == ["call", "first"]


def test_a_place_is_filled_only_for_the_class_that_the_call_means() -> None:
    text = CLASS.replace("METHOD", "method:1:a")
    module = linked(text, exports={"call": "fn:call", "elsewhere": "fn:elsewhere"})
    assert run(module, "elsewhere") == 40
    assert "second" not in function_names(module)


def test_a_class_without_instances_needs_no_methods() -> None:
    text = CLASS.replace("METHOD", "method:0:o")
    module = linked(text, exports={"call": "fn:call", "only_test": "fn:only_test"})
    assert run(module, "call") == 100
    assert "root" not in function_names(module)
    assert "root" in function_names(linked(text, exports={"call": "fn:call", "test": "fn:test"}))


def test_the_symbol_for_tests_is_that_of_the_class() -> None:
    assert run(linked(CLASS.replace("METHOD", "method:0:o"), exports={"test": "fn:test"}), "test") == 0
