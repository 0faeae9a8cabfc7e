"""Variables of a function: registers, cells of captured ones, reads before the first write."""

from __future__ import annotations

from meshext_wasm.ir import instructions as ir
from meshext_wasm.ir.build.body import Body
from meshext_wasm.tree import known
from meshext_wasm.tree.program import Loc, Variable
from meshext_wasm.tree.types import Rep


def build_parameters(body: Body) -> list[ir.Register]:
    """Registers of the parameters, the function value itself first where there are captures."""
    captures = [ir.Register(body.fresh("self"), Rep.VALUE)] if body.function.captures else []
    parameters = [body.several(each.name, each.rep) for each in body.function.parameters]
    body.registers.update(zip(body.function.parameters, parameters, strict=True))
    return [*captures, *parameters]


def build_locals(body: Body, parameters: list[ir.Register]) -> None:
    """At the entry: cells are taken from the function value or made, checked variables begin unset."""
    function, loc = body.function, body.function.loc
    for index, variable in enumerate(function.captures, start=1):
        place = body.constant(loc, index, Rep.WORD)
        cell = ir.Register(body.fresh(f"{variable.name}.cell"), Rep.VALUE)
        body.emit(ir.Intrinsic, loc, parameters[0], place, result=cell, name="array.get")
        body.cells[variable] = cell
    own = dict.fromkeys([*function.parameters, *function.locals])
    for variable in own:
        if variable.cell:
            first = body.registers.get(variable) or body.constant(loc, ir.Mark.UNSET, Rep.VALUE)
            name = body.fresh(f"{variable.name}.cell")
            cell = ir.Register(name, Rep.VALUE, variable=variable.renewed)
            body.emit(ir.MakeArray, loc, first, result=cell, cls=known.CELL)
            body.cells[variable] = cell
        elif variable not in body.registers:
            body.registers[variable] = body.several(variable.name, variable.rep)
            if variable.checked:
                body.constant(loc, ir.Mark.UNSET, Rep.VALUE, body.registers[variable])


def renew_variable(body: Body, loc: Loc, variable: Variable) -> None:
    """Another cell for a variable of this function."""
    unset = body.constant(loc, ir.Mark.UNSET, Rep.VALUE)
    body.emit(ir.MakeArray, loc, unset, result=body.cell(variable), cls=known.CELL)


def build_set_test(body: Body, loc: Loc, value: ir.Register, refuse: str, *told: ir.Register | str) -> None:
    """Call `refuse`, which never returns, with `told` if a value is the unset mark."""
    unset = body.constant(loc, ir.Mark.UNSET, Rep.VALUE)
    test = body.temporary(Rep.BOOL)
    body.emit(ir.Intrinsic, loc, value, unset, result=test, name="value.is")
    missing, there = body.label("unset"), body.label("set")
    body.branch(loc, test, missing, there, likely=False)
    body.start(missing, cold=True)
    arguments = [
        each if isinstance(each, ir.Register) else body.constant(loc, each, Rep.VALUE) for each in told
    ]
    body.emit(ir.Call, loc, *arguments, function=refuse)
    body.end(ir.Unreachable(loc=loc))
    body.start(there)


def read_variable(body: Body, loc: Loc, variable: Variable, into: ir.Register | None = None) -> ir.Register:
    """The value of a variable; with `into`, copied there. A checked one that is unset raises."""
    if not variable.cell:
        register = body.register(variable)
        if variable.checked:
            build_set_test(body, loc, register, known.UNBOUND_LOCAL, variable.name)
        if into is not None:
            body.emit(ir.Copy, loc, register, result=into)
        return into or register
    result = into if into is not None and not variable.checked else body.temporary(Rep.VALUE)
    place = body.constant(loc, 0, Rep.WORD)
    body.emit(ir.Intrinsic, loc, body.cell(variable), place, result=result, name="array.get")
    if variable.checked:
        captured = variable in body.function.captures
        refuse = known.UNBOUND_FREE if captured else known.UNBOUND_LOCAL
        build_set_test(body, loc, result, refuse, variable.name)
        if into is not None:
            body.emit(ir.Copy, loc, result, result=into)
            return into
    return result


def write_variable(body: Body, loc: Loc, variable: Variable, value: ir.Register) -> None:
    """Write a variable, in its cell if it has one."""
    if variable.cell:
        place = body.constant(loc, 0, Rep.WORD)
        body.emit(ir.Intrinsic, loc, body.cell(variable), place, value, name="array.set")
    else:
        body.emit(ir.Copy, loc, value, result=body.register(variable))
