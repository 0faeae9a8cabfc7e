"""A checked unit to IR: every function with a body, nested ones and adapters included."""

from __future__ import annotations

from collections.abc import Iterator

from meshext_wasm.ir import instructions as ir
from meshext_wasm.ir.build.adapters import build_adapter, value_symbol
from meshext_wasm.ir.build.body import Body
from meshext_wasm.ir.build.resuming import add_resuming, build_arrival
from meshext_wasm.ir.build.signatures import shown_name, signature_of
from meshext_wasm.ir.build.statements import build_statements
from meshext_wasm.ir.build.variables import build_locals, build_parameters
from meshext_wasm.ir.definite import unwritten_reads
from meshext_wasm.ir.program import Function, Signature, Unit
from meshext_wasm.ir.trimming import remove_unreachable
from meshext_wasm.tree import known
from meshext_wasm.tree import program as tree
from meshext_wasm.tree.types import Rep

REFUSERS = {known.UNBOUND_LOCAL: 1, known.UNBOUND_FREE: 1, known.UNSET_ATTRIBUTE: 2, known.RECURSION: 0}
"""Library functions that are called without standing in the tree, with the number of their parameters."""


def build_unit(unit: tree.Unit) -> Unit:
    """The IR of a unit, not yet verified."""
    made = Unit(unit.name, signatures=known_signatures())
    for module in unit.modules:
        made.classes += module.classes
        made.globals += module.globals
        if module.body is not None:
            made.bodies.append(module.body.symbol)
    adapted: dict[str, tree.Function] = {}
    build_all(made, [each for module in unit.modules for each in declared(module)], adapted)
    for function in adapted.values():
        adapter = build_adapter(function, made.signatures)
        made.functions.append(adapter)
        made.signatures[adapter.symbol] = adapter.signature
    return made


def known_signatures() -> dict[str, Signature]:
    """Those of the library functions that are called without being named in the tree."""
    return {symbol: Signature(symbol, (Rep.VALUE,) * count, Rep.VALUE) for symbol, count in REFUSERS.items()}


def declared(module: tree.Module) -> Iterator[tree.Function]:
    """The functions of a module, those of its classes included."""
    yield from module.functions
    for cls in module.classes:
        yield from cls.functions.values()
    if module.body is not None:
        yield module.body


def build_all(made: Unit, functions: list[tree.Function], adapted: dict[str, tree.Function]) -> None:
    """Build functions and those nested in them, each once; note which need an adapter."""
    waiting, seen = list(reversed(functions)), set[tree.Function]()
    while waiting:
        function = waiting.pop()
        if function in seen:
            continue
        seen.add(function)
        made.signatures[function.symbol] = signature_of(function)
        if function.body is None:
            continue
        built, body = build_function(function, made.signatures)
        made.functions.append(built)
        waiting += [each for each in reversed(body.nested) if each.loc.file == function.loc.file]
        adapted |= {value_symbol(each.symbol): each for each in body.adapted}


def build_function(function: tree.Function, signatures: dict[str, Signature]) -> tuple[Function, Body]:
    """The IR of one function, and what was met on the way. Where the graph shows a read that may come before
    the first write, and the frontend did not say so, it is built again with that variable checked."""
    built, body = build_once(function, signatures)
    read = {register for _, _, register in unwritten_reads(built)}
    missed = [each for each, register in body.registers.items() if register in read and can_check(each)]
    if not missed:
        return built, body
    for each in missed:
        each.checked = True
    return build_once(function, signatures)


def can_check(variable: tree.Variable) -> bool:
    """Whether a variable can hold the unset mark and is not tested for it yet."""
    return variable.rep is Rep.VALUE and not variable.checked


def build_once(function: tree.Function, signatures: dict[str, Signature]) -> tuple[Function, Body]:
    """The IR as the tree says."""
    body = Body(function, signatures)
    body.start(body.label("entry"))
    parameters = build_parameters(body)
    build_locals(body, parameters)
    arrival = build_arrival(body) if function.resuming is not None else ""
    build_statements(body, function.body or ())
    build_end(body)
    built = Function(
        symbol=function.symbol,
        name=shown_name(function),
        loc=function.loc,
        parameters=parameters,
        result=function.result,
        blocks=body.blocks,
        raises=function.raises,
        outside=function.outside,
        export=function.export,
    )
    if arrival:
        add_resuming(built, body, arrival)
    remove_unreachable(built)
    return built, body


def build_end(body: Body) -> None:
    """The end of a body without `return`: None, or nothing. With a raw result control can not come there."""
    loc, gives = body.function.loc, body.function.result
    if gives is Rep.NOTHING:
        body.end(ir.Return(loc=loc))
    elif gives is Rep.VALUE:
        body.end(ir.Return(loc=loc, operands=(body.constant(loc, None, Rep.VALUE),)))
    else:
        body.end(ir.Unreachable(loc=loc))
