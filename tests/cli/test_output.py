"""Lines and tables."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshext.cli.output import format_table, to_line


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("plain", "plain"),
        ("two\n  lines\n", "two lines"),
        ("\x1b[2Jgone", "\\x1b[2Jgone"),
        ("ünï \u202e", "ünï \\u202e"),
    ],
)
def test_a_line(text: str, line: str) -> None:
    assert to_line(text) == line


@given(st.text())
def test_a_line_is_one_line_that_can_be_shown(text: str) -> None:
    assert to_line(text).isprintable()


@given(st.lists(st.tuples(*[st.text("abc ", max_size=8).map(str.strip)] * 3), min_size=1))
def test_columns_begin_where_they_begin(rows: list[tuple[str, str, str]]) -> None:
    lines = format_table(rows, indent="  ")
    assert len(lines) == len(rows)
    second = 2 + max(len(row[0]) for row in rows) + 3
    for row, line in zip(rows, lines, strict=True):
        assert line[2:second].rstrip() == row[0]
        assert line[second : second + len(row[1])] == row[1]
