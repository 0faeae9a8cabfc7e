"""Loops over items: by index where the class is known, else by the iterator that the class gives.

Statements and comprehensions share it: the caller writes the body of the loop.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from meshext_wasm.tree.expressions import Constant, Expression
from meshext_wasm.tree.program import Variable
from meshext_wasm.tree.statements import Assign, Loop, Statement
from meshext_wasm.tree.types import ClassType, NeverType, ObjectType, RawType, Rep, TupleType, Type
from meshext_wasm.typecheck.expressions.operators import find_operator
from meshext_wasm.typecheck.meanings.conversions import to_type, to_value
from meshext_wasm.typecheck.meanings.dispatch import check_expression
from meshext_wasm.typecheck.meanings.facts import join_facts
from meshext_wasm.typecheck.meanings.making import (
    WORD,
    call_known,
    class_type,
    constant,
    convert,
    failed,
    intrinsic,
    is_failed,
    narrow,
    raw_constant,
    read,
    refuse,
    truth,
)
from meshext_wasm.typecheck.meanings.members_of_enums import as_collection
from meshext_wasm.typecheck.meanings.plain_values import as_iterator
from meshext_wasm.typecheck.meanings.symbols import ClassSymbol, FunctionSymbol, find_field
from meshext_wasm.typecheck.meanings.unions import class_view, display, has_none, is_dynamic, join, members_of
from meshext_wasm.typecheck.statements.targets import assign_target, hold

if TYPE_CHECKING:
    from meshext_wasm.typecheck.meanings.body import Body

Write = Callable[[], None]


def check_loop(
    body: Body,
    target: ast.expr,
    iterable: ast.expr,
    check_inside: Write,
    check_else: Write | None = None,
    *,
    nodes: Sequence[ast.stmt] = (),
) -> None:
    """A `for`: writes the loop. `nodes` are what runs again and again, for what it makes unknown."""
    from meshext_wasm.typecheck.statements.flow import forget_written

    limits = range_of(body, iterable)
    source = None if limits else hold_source(body, iterable)
    forget_written(body, [*nodes])
    inner = Inner(body, target, check_inside, check_else)
    if limits is not None:
        loop_range(inner, iterable, limits)
    elif source is not None:
        loop_over(inner, iterable, source)


def hold_source(body: Body, node: ast.expr) -> Expression:
    """What is iterated, evaluated once."""
    source = check_expression(body, node)
    if isinstance(source.type, RawType):
        return refuse(body, node, "a raw number can not be iterated", "range(...)")
    return hold(body, as_collection(body, node, to_value(body, source, node)))


class Inner:
    """The parts of a loop that its caller writes."""

    def __init__(self, body: Body, target: ast.expr, check_inside: Write, check_else: Write | None) -> None:
        self.body = body
        self.target = target
        self.check_inside = check_inside
        self.check_else = check_else

    def write(
        self, node: ast.AST, test: Expression, item: Callable[[], Expression], step: list[Statement]
    ) -> None:
        """The loop: the target gets its item, then the caller's statements."""
        body, before = self.body, self.body.facts
        with body.collect() as statements:
            assign_target(body, self.target, item())
            self.check_inside()
        body.facts = join_facts(body.program, before, body.facts)
        with body.collect() as otherwise:
            if self.check_else is not None:
                self.check_else()
        body.emit(
            Loop(
                loc=body.loc(node),
                test=test,
                body=tuple(statements),
                step=tuple(step),
                otherwise=tuple(otherwise),
            )
        )


def range_of(body: Body, node: ast.expr) -> list[Expression] | None:
    """Start, stop and step of a `range(...)` whose step is a literal: evaluated now, in their order."""
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "range"):
        return None
    symbol = body.lookup("range")
    if not isinstance(symbol, ClassSymbol) or body.program.builtins.get("range") is not symbol:
        return None
    if node.keywords or not 1 <= len(node.args) <= 3 or not is_literal_step(node.args):
        return None
    integer = class_type(body.program, "int")
    given = [to_type(body, check_expression(body, each), integer, each) for each in node.args]
    if any(map(is_failed, given)):
        return given
    held = [hold(body, each) for each in given]
    zero, one = (constant(body.program, body.loc(node), each) for each in (0, 1))
    if len(held) == 1:
        return [zero, held[0], one]
    return [*held, one] if len(held) == 2 else held


def is_literal_step(arguments: list[ast.expr]) -> bool:
    """Whether the direction is known, and not 0."""
    if any(isinstance(each, ast.Starred) for each in arguments):
        return False
    if len(arguments) < 3:
        return True
    step = arguments[2]
    if isinstance(step, ast.UnaryOp) and isinstance(step.op, ast.USub):
        step = step.operand
    return isinstance(step, ast.Constant) and type(step.value) is int and step.value != 0


def loop_range(inner: Inner, node: ast.AST, limits: list[Expression]) -> None:
    """Count: a hidden number that only the loop changes."""
    body = inner.body
    if any(map(is_failed, limits)):
        inner.write(node, truth(body.program, body.loc(node), False), lambda: failed(body.loc(node)), [])
        return
    start, stop, step = limits
    program, loc = body.program, body.loc(node)
    integer = class_type(program, "int")
    counter = body.temporary(".counter", integer)
    if not isinstance(start, Constant):  # it may be True or False
        start = intrinsic(program, loc, "int.add", start, constant(program, loc, 0))
    body.emit(Assign(loc=loc, variable=counter, value=narrow(start, integer)))
    downwards = isinstance(step, Constant) and isinstance(step.value, int) and step.value < 0
    name = "int.gt" if downwards else "int.lt"
    test = intrinsic(program, loc, name, read(loc, counter), stop)
    more = intrinsic(program, loc, "int.add", read(loc, counter), step)
    advance: list[Statement] = [Assign(loc=loc, variable=counter, value=more)]
    inner.write(node, test, lambda: read(loc, counter), advance)


def loop_over(inner: Inner, node: ast.AST, source: Expression) -> None:
    """The items of a value."""
    body = inner.body
    loc = body.loc(node)
    if is_failed(source) or isinstance(source.type, NeverType):
        inner.write(node, truth(body.program, loc, False), lambda: failed(loc), [])
        return
    types = members_of(source.type)
    only = types[0] if len(types) == 1 else None
    if isinstance(only, TupleType) or (isinstance(only, ClassType) and only.cls.name == "tuple"):
        loop_tuple(inner, node, source, only)
    elif isinstance(only, ClassType) and only.cls is body.program.builtin_class("list"):
        loop_list(inner, node, source, only)
    else:
        loop_iterator(inner, node, source)


def new_index(body: Body, node: ast.AST) -> tuple[Variable, list[Statement]]:
    """A hidden index from 0, and the statement that moves it."""
    program, loc = body.program, body.loc(node)
    index = body.temporary(".index", WORD)
    body.emit(Assign(loc=loc, variable=index, value=raw_constant(loc, 0)))
    more = intrinsic(program, loc, "word.add", read(loc, index), raw_constant(loc, 1))
    return index, [Assign(loc=loc, variable=index, value=more)]


def loop_tuple(inner: Inner, node: ast.AST, source: Expression, type_: Type) -> None:
    """A tuple by index."""
    body, loc = inner.body, inner.body.loc(node)
    program = body.program
    view = class_view(program, type_)
    item = view.arguments[0] if view and view.arguments else join(program)
    index, step = new_index(body, node)
    length = intrinsic(program, loc, "array.length", source)
    test = intrinsic(program, loc, "word.lt", read(loc, index), length)
    inner.write(
        node, test, lambda: intrinsic(program, loc, "array.get", source, read(loc, index), type_=item), step
    )


def loop_list(inner: Inner, node: ast.AST, source: Expression, type_: ClassType) -> None:
    """A list by index; its length is asked each time, as it may change."""
    from meshext_wasm.typecheck.expressions.attributes import read_field

    body, loc = inner.body, inner.body.loc(node)
    program = body.program
    symbol = program.class_symbol(type_.cls)
    slots = find_field(program, symbol, "items"), find_field(program, symbol, "length")
    assert slots[0] is not None
    assert slots[1] is not None
    integer = class_type(program, "int")
    item = type_.arguments[0]
    array = ClassType(program.builtin_class("array"), (item,))
    index, step = new_index(body, node)
    size = read_field(body, node, source, slots[1][0], slots[1][1], integer)
    length = intrinsic(program, loc, "word.from_wide", intrinsic(program, loc, "int.small", size))
    test = intrinsic(program, loc, "word.lt", read(loc, index), length)
    items = read_field(body, node, source, slots[0][0], slots[0][1], array)
    inner.write(
        node, test, lambda: intrinsic(program, loc, "array.get", items, read(loc, index), type_=item), step
    )


def loop_iterator(inner: Inner, node: ast.AST, source: Expression) -> None:
    """Any iterable: its iterator, moved until it says that there is no more."""
    body, loc = inner.body, inner.body.loc(node)
    iterator = iterator_of(body, node, source)
    if is_failed(iterator):
        inner.write(node, truth(body.program, loc, False), lambda: failed(loc), [])
        return
    held = hold(body, iterator)
    with body.collect() as before:
        moved = advance(body, node, held)
    for each in before:
        body.emit(each)
    inner.write(node, moved, lambda: current(body, node, held), [])


def iterator_of(body: Body, node: ast.AST, source: Expression) -> Expression:
    """`iter(source)`."""
    from meshext_wasm.typecheck.calling import methods
    from meshext_wasm.typecheck.meanings.dispatching import over_union

    if is_dynamic(source.type):
        found = call_known(body, body.loc(node), "builtins.dynamic.iterator_of", source)
        item = ObjectType(unknown=True)
        return narrow(found, ClassType(body.program.known_class("Iterator"), (item,)))

    def one(subject: Expression) -> Expression:
        method = find_operator(body.program, subject.type, "__iter__")
        own = isinstance(method, FunctionSymbol) and method.owner and method.owner.base is not None
        if method is None or not own:
            words = f"{display(subject.type)} can not be iterated"
            hint = "test it for None first" if has_none(subject.type) else "iterate a list, dict or str"
            return refuse(body, node, words, hint)
        return as_iterator(body, node, methods.call_found(body, node, method, subject, []))

    return over_union(body, node, source, one)


def advance(body: Body, node: ast.AST, iterator: Expression) -> Expression:
    """Move an iterator: whether there is an item, as BOOL."""
    from meshext_wasm.typecheck.calling import methods

    return convert(methods.call_method(body, node, iterator, "advance", []), Rep.BOOL)


def current(body: Body, node: ast.AST, iterator: Expression) -> Expression:
    """The item that an iterator stands at."""
    from meshext_wasm.typecheck.expressions.attributes import read_attribute

    return read_attribute(body, node, iterator, "current")
