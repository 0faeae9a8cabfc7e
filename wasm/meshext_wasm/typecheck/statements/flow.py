"""Statements that branch and loop, and what is known on each of their ways."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import TYPE_CHECKING

from meshext_wasm.scope.names import assigned, assigned_in, attributes_in
from meshext_wasm.source.imports import is_type_checking
from meshext_wasm.tree.expressions import Expression
from meshext_wasm.tree.statements import Break, Continue, If, Loop, Statement
from meshext_wasm.typecheck.meanings.dispatch import check_condition
from meshext_wasm.typecheck.meanings.facts import Facts, attributes, join_facts, root
from meshext_wasm.typecheck.meanings.narrowing import facts_of

if TYPE_CHECKING:
    from meshext_wasm.typecheck.meanings.body import Body


def check_nodes(body: Body, nodes: list[ast.stmt]) -> None:
    """A block, from modules that the table of statements names."""
    from meshext_wasm.typecheck.statements.kinds import check_block

    check_block(body, nodes)


def check_augmented(body: Body, node: ast.AugAssign) -> None:
    """`target += value`."""
    from meshext_wasm.typecheck.statements.targets import assign_augmented

    assign_augmented(body, node)


def check_if(body: Body, node: ast.If) -> None:
    """`if`, with the facts of the test in each branch."""
    if is_type_checking(node.test):
        check_nodes(body, node.orelse)
        return
    test = check_condition(body, node.test)
    holds, fails = facts_of(body, node.test, True), facts_of(body, node.test, False)
    then, after_then = branch(body, holds, node.body)
    otherwise, after_else = branch(body, fails, node.orelse)
    body.facts = join_facts(body.program, after_then, after_else)
    body.emit(If(loc=body.loc(node), test=test, then=tuple(then), otherwise=tuple(otherwise)))


def branch(body: Body, facts: Facts, nodes: list[ast.stmt]) -> tuple[list[Statement], Facts]:
    """Statements that start with these facts, and what is known at their end."""
    body.facts = facts
    with body.collect() as statements:
        check_nodes(body, nodes)
    return statements, body.facts


def forget_written(body: Body, nodes: list[ast.stmt]) -> None:
    """Before statements that run any number of times, or may stop anywhere: what they write is unknown."""
    names, written = assigned_in(nodes), attributes_in(nodes)
    body.effect()
    body.facts = body.facts.without(
        lambda path: root(path) in names or any(each in written for each in attributes(path))
    )


def check_while(body: Body, node: ast.While) -> None:
    """`while`, `else`."""
    forget_written(body, [node])
    head = body.facts
    test = check_condition(body, node.test)
    holds, fails = facts_of(body, node.test, True), facts_of(body, node.test, False)
    inner, breaks = loop_body(body, holds, lambda: check_nodes(body, node.body))
    otherwise, after = branch(body, fails, node.orelse)
    body.facts = join_facts(body.program, after, *breaks)
    body.facts = Facts(body.facts.types, body.facts.assigned | head.assigned, body.facts.live)
    loc = body.loc(node)
    body.emit(Loop(loc=loc, test=test, body=tuple(inner), otherwise=tuple(otherwise)))


def loop_body(body: Body, facts: Facts, check: Callable[[], None]) -> tuple[list[Statement], list[Facts]]:
    """The statements of a loop, and what is known at each break."""
    from meshext_wasm.typecheck.meanings.body import LoopWays

    ways = LoopWays(len(body.handler_names))
    body.loops.append(ways)
    body.facts = facts
    with body.collect() as statements:
        check()
    body.loops.pop()
    return statements, ways.breaks


def check_for(body: Body, node: ast.For) -> None:
    """`for`, `else`; how the items are reached is `iteration`'s."""
    from meshext_wasm.typecheck.statements.iteration import check_loop

    ends: list[Facts] = []

    def check_inside() -> None:
        _, breaks = inside_loop(body, lambda: check_nodes(body, node.body))
        ends.extend(breaks)

    def check_else() -> None:
        check_nodes(body, node.orelse)

    check_loop(body, node.target, node.iter, check_inside, check_else if node.orelse else None, nodes=[node])
    body.facts = join_facts(body.program, body.facts, *ends)


def inside_loop(body: Body, check: Callable[[], None]) -> tuple[None, list[Facts]]:
    """The body of a `for`, written where the loop writes now."""
    from meshext_wasm.typecheck.meanings.body import LoopWays

    ways = LoopWays(len(body.handler_names))
    body.loops.append(ways)
    check()
    body.loops.pop()
    return None, ways.breaks


def check_break(body: Body, node: ast.Break) -> None:
    """`break`."""
    if not body.loops:
        body.report(node, "break outside of a loop", "return, or a loop around it")
        return
    leave_handlers(body, node)
    body.loops[-1].breaks.append(body.facts)
    body.emit(Break(loc=body.loc(node)))
    body.facts = body.facts.dead()


def check_continue(body: Body, node: ast.Continue) -> None:
    """`continue`."""
    if not body.loops:
        body.report(node, "continue outside of a loop", "return, or a loop around it")
        return
    leave_handlers(body, node)
    body.emit(Continue(loc=body.loc(node)))
    body.facts = body.facts.dead()


def leave_handlers(body: Body, node: ast.stmt) -> None:
    """Python deletes the names of the handlers that a jump leaves."""
    from meshext_wasm.typecheck.statements.failures import unset

    for name in reversed(body.handler_names[body.loops[-1].handlers :]):
        body.emit(unset(body, node, name))
        body.facts = body.facts.unassign(name)


def check_assert(body: Body, node: ast.Assert) -> None:
    """`assert test, message`: raises AssertionError where the test fails."""
    name = ast.Name("builtins:AssertionError", ast.Load())
    made = ast.Call(name, [node.msg] if node.msg else [], [])
    failure = ast.Raise(made, None)
    for each in (name, made, failure):
        ast.copy_location(each, node.test)
    test: Expression = check_condition(body, node.test)
    holds, fails = facts_of(body, node.test, True), facts_of(body, node.test, False)
    otherwise, _ = branch(body, fails, [failure])
    body.facts = holds
    body.emit(If(loc=body.loc(node), test=test, then=(), otherwise=tuple(otherwise)))


def targets_of(node: ast.expr) -> frozenset[str]:
    """The names that a loop's target binds."""
    return frozenset(assigned(node))
