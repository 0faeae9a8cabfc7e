"""How functions of the core language are called in the IR."""

from __future__ import annotations

from meshext_wasm.ir.program import Signature
from meshext_wasm.tree.program import Function
from meshext_wasm.tree.types import Rep


def signature_of(function: Function) -> Signature:
    """Parameters in their reps; what captures takes the function value itself first."""
    takes = tuple(each.rep for each in function.parameters)
    if function.captures:
        takes = (Rep.VALUE, *takes)
    raises = function.raises and not function.host
    return Signature(function.symbol, takes, function.result, raises=raises, host=function.host)


def shown_name(function: Function) -> str:
    """What a traceback calls a function: the last part of its symbol, without the line that tells apart inner
    functions of one name."""
    return function.symbol.rpartition(".")[2].partition(":")[0]
