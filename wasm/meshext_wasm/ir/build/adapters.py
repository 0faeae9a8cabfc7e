"""Plain functions as function values: an adapter takes the value itself first, and VALUEs only."""

from __future__ import annotations

from meshext_wasm.ir import instructions as ir
from meshext_wasm.ir.build.body import Body
from meshext_wasm.ir.build.signatures import shown_name, signature_of
from meshext_wasm.ir.errors import BrokenIR
from meshext_wasm.ir.program import Function, Signature
from meshext_wasm.ir.trimming import remove_unreachable
from meshext_wasm.tree import program as tree
from meshext_wasm.tree.types import Rep

ALLOWED = (Rep.VALUE, Rep.BOOL, Rep.FLOAT)


def value_symbol(symbol: str) -> str:
    """The symbol of the adapter; each unit has its own."""
    return f"{symbol}.<value>"


def build_adapter(function: tree.Function, signatures: dict[str, Signature]) -> Function:
    """A function that calls `function` with what a function value is called with."""
    called = signature_of(function)
    signatures.setdefault(called.symbol, called)
    if any(rep not in ALLOWED for rep in called.takes) or called.gives not in (*ALLOWED, Rep.NOTHING):
        raise BrokenIR(f"{function.symbol} takes or gives raw numbers: it can not be a function value")
    body, loc = Body(function, signatures), function.loc
    body.start("entry")
    own = ir.Register(body.fresh("self"), Rep.VALUE)
    parameters = [ir.Register(body.fresh(each.name), Rep.VALUE) for each in function.parameters]
    arguments = [convert(body, loc, each, rep) for each, rep in zip(parameters, called.takes, strict=True)]
    result = None if called.gives is Rep.NOTHING else body.temporary(called.gives)
    body.emit(ir.Call, loc, *arguments, result=result, function=called.symbol)
    given = body.constant(loc, None, Rep.VALUE) if result is None else convert(body, loc, result, Rep.VALUE)
    body.end(ir.Return(loc=loc, operands=(given,)))
    made = Function(
        symbol=value_symbol(function.symbol),
        name=shown_name(function),
        loc=loc,
        parameters=[own, *parameters],
        result=Rep.VALUE,
        blocks=body.blocks,
        outside=True,
    )
    remove_unreachable(made)
    return made


def convert(body: Body, loc: tree.Loc, register: ir.Register, rep: Rep) -> ir.Register:
    """A register in another rep."""
    if register.rep is rep:
        return register
    result = body.temporary(rep)
    body.emit(ir.Convert, loc, register, result=result)
    return result
