"""Functions inside of functions, and lambdas."""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import TYPE_CHECKING

from meshext_wasm.scope.scopes import build_scopes
from meshext_wasm.tree.expressions import Expression, MakeFunction
from meshext_wasm.tree.program import Function
from meshext_wasm.tree.types import CallableType, NeverType, ObjectType, Type, TypeVariable
from meshext_wasm.typecheck.declarations.annotations import to_type as annotated_type
from meshext_wasm.typecheck.meanings.facts import Facts, root
from meshext_wasm.typecheck.meanings.generics import variables_of
from meshext_wasm.typecheck.meanings.making import refuse

if TYPE_CHECKING:
    from meshext_wasm.typecheck.meanings.body import Body

PLAIN = "an inner function takes positional parameters without defaults"


def check_inner(outer: Body, node: ast.Lambda | ast.FunctionDef, expected: CallableType | None) -> Expression:
    """The function value, checked with the names and facts of where it stands."""
    from meshext_wasm.typecheck.statements import yielding

    args = node.args
    if args.vararg or args.kwarg or args.kwonlyargs or args.defaults:
        place = args.vararg or args.kwarg or (args.kwonlyargs + args.defaults)[0]
        return refuse(outer, place, PLAIN, "a parameter more, or a method of a class that keeps the value")
    types = parameter_types(outer, node, expected)
    if types is None:
        return refuse(outer, node, "nothing tells the types of this function's parameters", ANNOTATE)
    body = inner_body(outer, node)
    for argument, type_ in zip([*args.posonlyargs, *args.args], types, strict=True):
        variable = body.variable(argument.arg)
        body.function.parameters.append(variable)
        body.rounds.declared[variable] = variable.type = type_
    body.function.locals.clear()
    names = frozenset(each.name for each in body.function.parameters)
    body.facts = inherited_facts(outer, names)
    body.result = declared_result(outer, node, expected)
    if yielding.is_generator(node):
        result = write_generator(body, node)
    else:
        write_body(body, node)
        result = body.result if body.result is not None else outer.rounds.results.get(node, NeverType())
    body.function.result_type = result
    for each in body.function.captures:
        own = outer.own is not None and each.name in outer.own.bound
        if not own and each not in outer.function.captures and each not in outer.function.locals:
            outer.function.captures.append(each)
    return MakeFunction(loc=outer.loc(node), type=CallableType(tuple(types), result), function=body.function)


ANNOTATE = "a function with annotated parameters, or pass it where a Callable[[...], ...] is wanted"


def inner_body(outer: Body, node: ast.Lambda | ast.FunctionDef) -> Body:
    """The body of an inner function, before it is checked."""
    from meshext_wasm.typecheck.meanings.body import Body

    if node not in outer.unit.scopes:
        outer.unit.scopes |= build_scopes(node, outer.own)
    name = "<lambda>" if isinstance(node, ast.Lambda) else node.name
    symbol = f"{outer.function.symbol}.<locals>.{name}"
    if isinstance(node, ast.Lambda) or name == "<genexpr>":
        symbol += f":{node.lineno}:{node.col_offset}"
    elif node.lineno:
        symbol += f":{node.lineno}"
    function = Function(symbol, outer.loc(node), body=[], outside=outer.function.outside)
    return Body(
        unit=outer.unit,
        module=outer.module,
        function=function,
        rounds=outer.rounds,
        own=outer.unit.scopes[node],
        owner=outer.owner,
        parent=outer,
    )


def parameter_types(
    outer: Body, node: ast.Lambda | ast.FunctionDef, expected: CallableType | None
) -> list[Type] | None:
    """From annotations, else from where the function stands."""
    given = [*node.args.posonlyargs, *node.args.args]
    found: list[Type] = []
    for index, argument in enumerate(given):
        if argument.annotation is not None:
            found.append(annotated_type(outer, argument.annotation))
        elif expected is not None and index < len(expected.parameters):
            type_ = expected.parameters[index]
            found.append(NeverType() if isinstance(type_, TypeVariable) else type_)
        else:
            return None
    return found


def declared_result(
    outer: Body, node: ast.Lambda | ast.FunctionDef, expected: CallableType | None
) -> Type | None:
    """The annotated result, or the one that is wanted; None where it follows from the body."""
    if isinstance(node, ast.FunctionDef) and node.returns is not None:
        return annotated_type(outer, node.returns)
    if expected is None or variables_of(expected.result) or isinstance(expected.result, ObjectType):
        return None
    return expected.result


def inherited_facts(outer: Body, names: frozenset[str]) -> Facts:
    """What stays true until the function is called: of variables that are bound just once."""
    own = outer.own

    def lasting(path: str) -> bool:
        name = root(path)
        once = own is not None and name in own.once
        return once and name not in names and not outer.is_shaky_in(path)

    types = {path: type_ for path, type_ in outer.facts.types.items() if lasting(path)}
    assigned = {each for each in outer.facts.assigned if own is None or each not in names}
    return replace(Facts(types), assigned=frozenset(assigned) | names)


def write_generator(body: Body, node: ast.Lambda | ast.FunctionDef) -> Type:
    """The statements of an inner generator; the type of what a call gives."""
    from meshext_wasm.typecheck.statements import yielding

    declared = body.result
    yielding.begin(body, node, declared)
    write_body(body, node)
    item = body.item if body.item is not None else body.rounds.results.get(node, NeverType())
    yielding.split(body, node, item)
    return declared if declared is not None else yielding.generator_type(body.program, item)


def write_body(body: Body, node: ast.Lambda | ast.FunctionDef) -> None:
    """The statements of the inner function."""
    from meshext_wasm.typecheck.meanings.dispatch import check_expression
    from meshext_wasm.typecheck.statements.kinds import check_block, check_end, give

    with body.collect() as statements:
        if isinstance(node, ast.Lambda):
            give(body, check_expression(body, node.body, body.result), node.body)
        else:
            check_block(body, node.body)
            check_end(body, node)
    body.function.body = statements
    if body.result is None or (body.yields and body.item is None):
        body.rounds.give(node, body.given)
