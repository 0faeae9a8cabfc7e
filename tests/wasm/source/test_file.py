"""Places in a source file."""

from __future__ import annotations

import ast

from hypothesis import given
from hypothesis import strategies as st

from meshext_wasm.diagnostics.drawing import underlined
from meshext_wasm.source.file import SourceFile, parse_source

TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\\'\u2028\u2029\x85"))


@given(TEXT, TEXT)
def test_columns_count_characters(before: str, inside: str) -> None:
    text = f"x = ['{before}', '{inside}']"
    source = parse_source("m", "m.py", text)
    assert isinstance(source, SourceFile)
    literals = [each for each in ast.walk(source.tree) if isinstance(each, ast.Constant)]
    shown = [underlined(source.loc(each), text) for each in literals]
    assert shown == [f"'{before}'", f"'{inside}'"]
