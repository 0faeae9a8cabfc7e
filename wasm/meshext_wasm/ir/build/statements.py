"""Statements of the core language to IR, all but `Try`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from meshext_wasm.ir import instructions as ir
from meshext_wasm.ir.build import expressions, resuming, trying
from meshext_wasm.ir.build.body import Body, FinalAround, LoopAround
from meshext_wasm.ir.build.variables import renew_variable, write_variable
from meshext_wasm.ir.errors import BrokenIR
from meshext_wasm.tree import statements as tree
from meshext_wasm.tree.program import Loc
from meshext_wasm.tree.types import Rep


def build_statements(body: Body, nodes: Sequence[tree.Statement]) -> None:
    """Statements in order."""
    for node in nodes:
        BUILDERS[type(node)](body, node)


def build_assign(body: Body, node: tree.Assign) -> None:
    """Write a variable; its register is written last of all."""
    variable = node.variable
    if variable.cell:
        write_variable(body, node.loc, variable, expressions.build_expression(body, node.value))
    else:
        expressions.build_expression(body, node.value, body.register(variable))


def build_renew(body: Body, node: tree.Renew) -> None:
    """Another cell, without a value."""
    if node.variable.cell:
        renew_variable(body, node.loc, node.variable)


def build_write_global(body: Body, node: tree.WriteGlobal) -> None:
    """Write a variable of a module."""
    value = expressions.build_expression(body, node.value)
    body.emit(ir.WriteGlobal, node.loc, value, symbol=node.variable.symbol)


def build_write_field(body: Body, node: tree.WriteField) -> None:
    """Write a slot: the value first, then the subject, as Python does."""
    value, subject = expressions.build_operands(body, [node.value, node.subject])
    name, index = node.field.name, node.field.index
    body.emit(ir.WriteSlot, node.loc, subject, value, name=name, index=index)


def build_evaluate(body: Body, node: tree.Evaluate) -> None:
    """An expression for its effect."""
    expressions.build_effect(body, node.value)


def build_if(body: Body, node: tree.If) -> None:
    """One way or the other."""
    then, after = body.label("then"), body.label("after")
    otherwise = body.label("else") if node.otherwise else after
    expressions.build_test(body, node.test, then, otherwise)
    body.start(then)
    build_statements(body, node.then)
    body.jump(node.loc, after)
    if node.otherwise:
        body.start(otherwise)
        build_statements(body, node.otherwise)
        body.jump(node.loc, after)
    body.start(after)


def build_loop(body: Body, node: tree.Loop) -> None:
    """Test, body, step; `else` after the test only."""
    head, inside, done = body.label("head"), body.label("body"), body.label("done")
    again = body.label("step") if node.step else head
    otherwise = body.label("else") if node.otherwise else done
    body.jump(node.loc, head)
    body.start(head)
    expressions.build_test(body, node.test, inside, otherwise)
    body.start(inside)
    body.around.append(LoopAround(leave=done, again=again))
    build_statements(body, node.body)
    body.around.pop()
    body.jump(node.loc, again)
    if node.step:
        body.start(again)
        build_statements(body, node.step)
        body.jump(node.loc, head)
    if node.otherwise:
        body.start(otherwise)
        build_statements(body, node.otherwise)
        body.jump(node.loc, done)
    body.start(done)


def leave_loop(body: Body, loc: Loc, way: str) -> None:
    """`break` or `continue`, through every `finally` inside the loop."""
    for around in reversed(body.around):
        if isinstance(around, FinalAround):
            body.jump(loc, trying.exit_of(body, around, way))
            return
        if isinstance(around, LoopAround):
            body.jump(loc, around.leave if way == "break" else around.again)
            return
    raise BrokenIR(f"{body.function.symbol}: {way} at {loc} is in no loop")


def build_return(body: Body, node: tree.Return) -> None:
    """Leave the function."""
    value = None if node.value is None else expressions.build_effect(body, node.value)
    if body.function.result is not Rep.NOTHING and value is None:
        value = body.constant(node.loc, None, Rep.VALUE)
    give_back(body, node.loc, value if body.function.result is not Rep.NOTHING else None)


def give_back(body: Body, loc: Loc, value: ir.Register | None) -> None:
    """Return a value, through every `finally` around."""
    around = next((each for each in reversed(body.around) if isinstance(each, FinalAround)), None)
    if around is None:
        body.end(ir.Return(loc=loc, operands=() if value is None else (value,)))
        return
    if value is not None:
        around.kept = around.kept or body.several("result", value.rep)
        body.emit(ir.Copy, loc, value, result=around.kept)
    body.jump(loc, trying.exit_of(body, around, "return"))


def build_raise(body: Body, node: tree.Raise) -> None:
    """Go to the handler with an exception, or leave the function."""
    value = expressions.build_expression(body, node.value)
    body.end(ir.Raise(loc=node.loc, operands=(value,), error=body.error, again=node.again))


BUILDERS: dict[type[tree.Statement], Callable[[Body, Any], None]] = {
    tree.Assign: build_assign,
    tree.Renew: build_renew,
    tree.WriteGlobal: build_write_global,
    tree.WriteField: build_write_field,
    tree.Evaluate: build_evaluate,
    tree.If: build_if,
    tree.Loop: build_loop,
    tree.Break: lambda body, node: leave_loop(body, node.loc, "break"),
    tree.Continue: lambda body, node: leave_loop(body, node.loc, "continue"),
    tree.Return: build_return,
    tree.Raise: build_raise,
    tree.Yield: lambda body, node: resuming.build_yield(body, node),
    tree.Try: lambda body, node: trying.build_try(body, node),
}
