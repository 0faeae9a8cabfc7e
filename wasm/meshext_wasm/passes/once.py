"""Registers that are written once: what they hold then is what they hold wherever they are read."""

from __future__ import annotations

from collections import Counter

from meshext_wasm.ir.definite import results
from meshext_wasm.ir.instructions import Register
from meshext_wasm.ir.program import Function


def written_once(function: Function) -> set[Register]:
    """Those of temporaries, variables and parameters; a parameter is written by the call."""
    writes = Counter([*function.parameters, *results(function)])
    return {register for register, count in writes.items() if count == 1}
