"""Promises in LLVM's text are found, and the text that we write makes none."""

from __future__ import annotations

import pytest

from meshext_wasm.llvm.lint import LintError, check_text
from meshext_wasm.llvm.support import support_text


@pytest.mark.parametrize(
    "line",
    [
        "%a = add nsw i64 %b, %c",
        "%a = shl nuw i64 %b, 1",
        "%a = getelementptr inbounds i8, ptr %b, i32 8",
        "%a = sdiv exact i64 %b, 2",
        "store i64 undef, ptr %a",
        "%a = fadd fast double %b, %c",
        "call void @llvm.assume(i1 %a)",
        "%a = or disjoint i64 %b, 1",
        "define i64 @f(i64 noundef %a) {",
        "  unreachable",
        "call void @f()\n  unreachable",
    ],
)
def test_a_promise_is_refused_with_its_line(line: str) -> None:
    with pytest.raises(LintError, match=r"^line \d: "):
        check_text(line)


@pytest.mark.parametrize(
    "line",
    [
        "%a = add i64 %b, %c",
        '%"r.exact" = add i64 %"r.nsw", 1',
        'call void @"fn:undef"()',
        "br label %fast12",
        "call void @llvm.trap()\n  unreachable",
    ],
)
def test_what_promises_nothing_passes(line: str) -> None:
    check_text(line)


def test_the_run_time_makes_no_promise() -> None:
    check_text(support_text())
