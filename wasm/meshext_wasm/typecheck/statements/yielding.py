"""Generators: functions with a `yield`.

The function becomes two: one that takes the arguments and makes the generator, and one that runs from one
`yield` to the next, which the generator calls.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from meshext_wasm.scope.names import Function as Definition
from meshext_wasm.scope.names import inside
from meshext_wasm.scope.scopes import statements
from meshext_wasm.tree.expressions import Expression, MakeArray, MakeFunction
from meshext_wasm.tree.program import Function, Resuming, Variable
from meshext_wasm.tree.statements import Return, Yield
from meshext_wasm.tree.types import CallableType, ClassType, NeverType, NoneType, Type
from meshext_wasm.typecheck.meanings.conversions import to_type, to_value
from meshext_wasm.typecheck.meanings.dispatch import check_expression, check_value
from meshext_wasm.typecheck.meanings.making import call_known, class_type, constant, is_failed, narrow, read
from meshext_wasm.typecheck.meanings.symbols import ClassSymbol, Program, find_field
from meshext_wasm.typecheck.meanings.unions import OBJECT, base_as, join, loosen, members_of
from meshext_wasm.typecheck.statements.iteration import check_loop
from meshext_wasm.typecheck.statements.targets import Ready, hold

if TYPE_CHECKING:
    from meshext_wasm.typecheck.meanings.body import Body

EVERYTHING = frozenset({"BaseException", "GeneratorExit"})
ANNOTATE = "-> Iterator[X], where X is what it yields"


def is_generator(node: Definition) -> bool:
    """Whether a function has a `yield` of its own."""
    return any(isinstance(each, ast.Yield | ast.YieldFrom) for each in yields(node))


def yields(node: Definition) -> Iterator[ast.expr]:
    """Every `yield` of a function, those of inner functions left out."""
    for top in statements(node):
        for each in inside(top):
            if isinstance(each, ast.Yield | ast.YieldFrom):
                yield each


def begin(body: Body, node: Definition, result: Type | None) -> None:
    """Say of a body that it is a generator's. `result` is what the function is annotated with."""
    body.yields = True
    body.result = NoneType()
    body.item = item_of(body, node, result) if result is not None else None
    if body.waits:
        body.report(node, "yield in an async function", "build a list and return it")
    for place, reason, hint in misplaced(node):
        body.report(place, reason, hint)


def item_of(body: Body, node: ast.AST, result: Type) -> Type:
    """What a generator yields, by the annotation of its result."""
    program = body.program
    made = generator_type(program, NeverType())
    for each in members_of(result):
        if isinstance(each, ClassType) and base_as(program, made, each.cls) is not None and each.arguments:
            return each.arguments[0]
    if not isinstance(result, NeverType):
        body.report(
            getattr(node, "returns", None) or node, "a function with a yield gives an iterator", ANNOTATE
        )
    return NeverType()


def misplaced(node: Definition) -> Iterator[tuple[ast.AST, str, str]]:
    """Places where what is left of a generator would have to run when nobody asks for the next item."""
    for top in statements(node):
        for each in inside(top):
            blocks: list[ast.stmt] = []
            if isinstance(each, ast.With):
                blocks = each.body
            elif isinstance(each, ast.Try) and each.finalbody:
                handled = [one for handler in each.handlers for one in handler.body]
                blocks = [*each.body, *handled, *each.orelse]
            elif isinstance(each, ast.Try) and any(map(takes_everything, each.handlers)):
                blocks = each.body
            for place in (one for block in blocks for one in inside(block)):
                if isinstance(place, ast.Yield | ast.YieldFrom):
                    reason = "a yield where something has to run although nobody asks for the next item"
                    yield place, reason, "the items in a list, which is returned after it"


def takes_everything(node: ast.ExceptHandler) -> bool:
    """Whether a handler would see the end of an abandoned generator."""
    if node.type is None:
        return True
    names = {getattr(each, "id", getattr(each, "attr", "")) for each in ast.walk(node.type)}
    return bool(names & EVERYTHING)


def check_yield(body: Body, node: ast.Yield) -> None:
    """`yield value`: a statement, as nothing is sent to it."""
    loc = body.loc(node)
    if not body.yields:
        body.report(node, "yield outside of a function", "a function around it")
        return
    if node.value is None:
        value: Expression = constant(body.program, loc, None)
    else:
        value = check_value(body, node.value, body.item)
    if is_failed(value):
        return
    if body.item is not None:
        value = to_type(body, value, body.item, node.value or node)
    else:
        value = to_value(body, value, node)
        body.given = join(body.program, body.given, loosen(body.program, value.type))
    body.emit(Yield(loc=loc, value=value))
    body.effect()


def check_yield_from(body: Body, node: ast.YieldFrom) -> None:
    """`yield from items`: each of them."""
    if not body.yields:
        body.report(node, "yield outside of a function", "a function around it")
        return
    source = check_expression(body, node.value)
    if is_failed(source):
        return
    held = ast.copy_location(Ready(hold(body, to_value(body, source, node.value))), node.value)
    names = {"ITEM": body.temporary(".item", NeverType())}
    target = ast.copy_location(ast.Name("ITEM", ast.Store()), node.value)
    item = ast.copy_location(ast.Name("ITEM", ast.Load()), node.value)
    inner = ast.copy_location(ast.Yield(item), node.value)
    again = ast.copy_location(ast.Expr(inner), node.value)
    with body.scope(names):
        check_loop(body, target, held, lambda: check_yield(body, inner), nodes=[again])


def generator_symbol(program: Program) -> ClassSymbol:
    """The library's class of generators."""
    found = program.modules["builtins.generators"].names["Generator"]
    assert isinstance(found, ClassSymbol)
    return found


def generator_type(program: Program, item: Type) -> ClassType:
    """A generator of such items; nothing is sent to it, and it gives nothing at its end."""
    return ClassType(generator_symbol(program).cls, (item, NoneType(), NoneType()))


def split(body: Body, node: ast.AST, item: Type) -> None:
    """Make the function of the body the one that makes the generator; its statements go to the other."""
    function, loc = body.function, body.loc(node)
    made = generator_type(body.program, item)
    owner = Variable(".generator", made)
    steps = Function(
        symbol=f"{function.symbol}:steps",
        loc=function.loc,
        parameters=[owner],
        result_type=class_type(body.program, "bool"),
        locals=[*function.parameters, *function.locals],
        captures=list(function.captures),
        body=function.body,
        outside=function.outside,
        resuming=resuming(body.program, owner, function.parameters),
    )
    function.parameters = [Variable(each.name, each.type, each.rep) for each in function.parameters]
    function.locals = []
    array = body.program.builtin_class("array")
    kept = MakeArray(
        loc=loc,
        type=ClassType(array, (OBJECT,)),
        cls=array,
        items=tuple(read(loc, each) for each in function.parameters),
    )
    kind = CallableType((OBJECT,), class_type(body.program, "bool"))
    value = MakeFunction(loc=loc, type=kind, function=steps)
    called = call_known(body, loc, "builtins.generators.start", value, kept)
    function.body = [Return(loc=loc, value=narrow(called, made))]


def resuming(program: Program, owner: Variable, parameters: list[Variable]) -> Resuming:
    """What the function that runs knows of its generator."""
    symbol = generator_symbol(program)
    slots = {}
    for name in ("place", "kept", "current"):
        found = find_field(program, symbol, name)
        assert found is not None, name
        slots[name] = found[1]
    return Resuming(owner, tuple(parameters), **slots)


def check_return(body: Body, node: ast.Return) -> None:
    """`return`: the end of the generator."""
    if node.value is not None and not (isinstance(node.value, ast.Constant) and node.value.value is None):
        body.report(node.value, "nobody gets what a generator returns", "a yield, or a plain return")
    give_end(body, node)
    body.facts = body.facts.dead()


def give_end(body: Body, node: ast.AST) -> None:
    """The end of a generator: there is no other item."""
    loc = body.loc(node)
    body.emit(Return(loc=loc, value=constant(body.program, loc, False)))
