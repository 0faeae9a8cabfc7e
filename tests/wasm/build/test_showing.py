"""Each stage of a program as text."""

from __future__ import annotations

import pytest

from meshext_wasm.build.showing import STAGES
from meshext_wasm.llvm.copies import NONE
from tests.wasm.ir.checked import checked

SOURCE = "def double(n: int) -> int:\n    return n + n\n"
SAYS = {
    "tree": "return int.add(n, n)",
    "built-ir": "%1 = int.add n, n !leave\n",
    "ir": "%1 = int.add n, n !leave.line2\n",
    "llvm": 'define i64 @"fn:m.double"(',
    "optimised-llvm": 'define i64 @"fn:m.double"(i64 %p.n)',
    "assembly": "fn:m.double",
}


@pytest.mark.parametrize("stage", STAGES)
def test_a_program_can_be_looked_at(stage: str) -> None:
    assert SAYS[stage] in STAGES[stage](checked(SOURCE), NONE)
