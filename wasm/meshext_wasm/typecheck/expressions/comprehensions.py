"""Comprehensions: loops that fill a container where the expression stands."""

from __future__ import annotations

import ast
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING

from meshext_wasm.tree.expressions import CallValue, Expression
from meshext_wasm.tree.program import Variable
from meshext_wasm.tree.statements import Assign, Evaluate, If, Renew
from meshext_wasm.tree.types import CallableType, NeverType, Type, TypeVariable
from meshext_wasm.typecheck.expressions import displays
from meshext_wasm.typecheck.meanings.conversions import to_type
from meshext_wasm.typecheck.meanings.dispatch import check_condition, check_value
from meshext_wasm.typecheck.meanings.making import (
    call_known,
    class_type,
    is_failed,
    narrow,
    read,
    refuse,
    sequence,
)
from meshext_wasm.typecheck.meanings.marking import as_open
from meshext_wasm.typecheck.meanings.members_of_enums import as_collection
from meshext_wasm.typecheck.meanings.narrowing import facts_of
from meshext_wasm.typecheck.meanings.unions import is_any, join, loosen
from meshext_wasm.typecheck.statements.iteration import check_loop, iterator_of

if TYPE_CHECKING:
    from meshext_wasm.typecheck.meanings.body import Body


def run_generators(
    body: Body,
    node: ast.AST,
    generators: list[ast.comprehension],
    innermost: Callable[[], None],
    after_loop: Callable[[], None] | None = None,
) -> None:
    """The loops of a comprehension, one in the other; `after_loop` is written behind each inner one."""
    if any(each.is_async for each in generators):
        body.report(node, "async for needs an event loop", "iterate a list")
        return
    names = [own_variables(body, node, each.target) for each in generators]

    def loop(number: int) -> None:
        head = generators[number]

        def inside() -> None:
            if number + 1 == len(generators):
                innermost()
                return
            loop(number + 1)
            if after_loop is not None:
                after_loop()

        scoped(body, names[number], head, lambda: filter_items(body, node, head.ifs, inside), node)

    loop(0)


def own_variables(body: Body, node: ast.AST, target: ast.expr) -> dict[str, Variable]:
    """The variables of one generator: new ones each time that the comprehension runs."""
    names: dict[str, Variable] = {}
    for each in ast.walk(target):
        if isinstance(each, ast.Name):
            names[each.id] = body.temporary(each.id, NeverType())
            names[each.id].renewed = True
            body.emit(Renew(loc=body.loc(node), variable=names[each.id]))
    return names


def scoped(
    body: Body,
    names: dict[str, Variable],
    head: ast.comprehension,
    inside: Callable[[], None],
    node: ast.AST,
) -> None:
    """One loop with its own variables; what it iterates does not see them."""
    from meshext_wasm.typecheck.statements.targets import Ready, hold

    limits = range_like(head.iter)
    iterable: ast.expr = head.iter
    if not limits:
        source = as_collection(body, head.iter, check_value(body, head.iter))
        iterable = ast.copy_location(Ready(hold(body, source)), head.iter)
    with body.scope(names):
        check_loop(body, head.target, iterable, inside, nodes=[statement_of(node)])


def statement_of(node: ast.AST) -> ast.stmt:
    """The comprehension as a statement, for what looks through statements."""
    assert isinstance(node, ast.expr)
    return ast.copy_location(ast.Expr(node), node)


def range_like(node: ast.expr) -> bool:
    """Whether the loop counts; then its limits are evaluated by the loop itself."""
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "range"
        and not any(isinstance(each, ast.Lambda) for each in ast.walk(node))
    )


def filter_items(body: Body, node: ast.AST, tests: list[ast.expr], inside: Callable[[], None]) -> None:
    """The `if`s of a generator."""
    if not tests:
        inside()
        return
    test = check_condition(body, tests[0])
    with body.collect() as statements, body.assume(facts_of(body, tests[0], True)):
        filter_items(body, node, tests[1:], inside)
    body.emit(If(loc=body.loc(tests[0]), test=test, then=tuple(statements)))


def build_list_comp(body: Body, node: ast.expr, expected: Type | None) -> Expression:
    """`[item for ...]`."""
    assert isinstance(node, ast.ListComp)
    return collect_items(body, node, "list", node.elt, node.generators, expected)


def build_set_comp(body: Body, node: ast.expr, expected: Type | None) -> Expression:
    """`{item for ...}`."""
    assert isinstance(node, ast.SetComp)
    return collect_items(body, node, "set", node.elt, node.generators, expected)


def build_at_once(body: Body, node: ast.expr, expected: Type | None) -> Expression:
    """A generator expression whose items are all wanted at once: a list."""
    assert isinstance(node, ast.GeneratorExp)
    return collect_items(body, node, "list", node.elt, node.generators, expected)


def build_generator(body: Body, node: ast.expr, _expected: Type | None) -> Expression:
    """A generator expression: what the first `for` goes over now, its items when they are asked for."""
    assert isinstance(node, ast.GeneratorExp)
    if any(each.is_async for each in node.generators):
        return refuse(body, node, "async for needs an event loop", "iterate a list")
    written = next((each for each in ast.walk(node) if isinstance(each, ast.NamedExpr)), None)
    if written is not None:
        return refuse(body, written, "a := in a generator that runs later", "a list: [... for ...]")
    first = node.generators[0].iter
    source = as_collection(body, first, check_value(body, first))
    iterator = source if is_failed(source) else iterator_of(body, first, source)
    if is_failed(iterator) or isinstance(iterator.type, NeverType):
        return iterator
    callee = body.check_function(as_function(node), CallableType((iterator.type,), TypeVariable("generator")))
    if not isinstance(callee.type, CallableType):
        return callee
    return CallValue(loc=body.loc(node), type=callee.type.result, callee=callee, arguments=(iterator,))


@lru_cache(maxsize=1 << 16)
def as_function(node: ast.GeneratorExp) -> ast.FunctionDef:
    """The function that a generator expression stands for; `.0` is what its first `for` goes over."""
    inner: ast.stmt = ast.Expr(ast.Yield(node.elt))
    for number, each in reversed(list(enumerate(node.generators))):
        for test in reversed(each.ifs):
            inner = ast.If(test, [inner], [])
        source = each.iter if number else ast.Name(".0", ast.Load())
        inner = ast.For(each.target, source, [inner], [])
    parameters = ast.arguments([], [ast.arg(".0")], None, [], [], None, [])
    made = ast.copy_location(ast.FunctionDef("<genexpr>", parameters, [inner], [], None), node)
    return ast.fix_missing_locations(made)


def collect_items(
    body: Body,
    node: ast.AST,
    name: str,
    element: ast.expr,
    generators: list[ast.comprehension],
    expected: Type | None,
) -> Expression:
    """A list or set that is filled by a loop."""
    wanted = displays.wanted_items(name, expected)
    loc = body.loc(node)
    types: list[Type] = []
    target = body.temporary(".made", class_type(body.program, name, NeverType()))

    def put() -> None:
        value = check_value(body, element, wanted[0] if wanted else None)
        if wanted is not None:
            value = to_type(body, value, wanted[0], element)
        types.append(loosen(body.program, value.type) if not wanted else wanted[0])
        if is_failed(value):
            return
        subject = narrow(read(loc, target), class_type(body.program, name, types[-1]))
        add = {"list": "append", "set": "add"}[name]
        call = displays.call_direct(body, node, subject, add, value)
        if not is_failed(call):
            body.emit(Evaluate(loc=loc, value=call))

    with body.collect() as statements:
        made = displays.make_container(body, node, name, [], NeverType())
        body.emit(Assign(loc=loc, variable=target, value=made))
        run_generators(body, node, generators, put)
    item = wanted[0] if wanted else join(body.program, *types)
    target.type = class_type(body.program, name, item)
    return as_open(body, sequence(statements, read(loc, target, target.type)))


def build_dict_comp(body: Body, node: ast.expr, expected: Type | None) -> Expression:
    """`{key: value for ...}`."""
    assert isinstance(node, ast.DictComp)
    loc, program = body.loc(node), body.program
    wanted = displays.wanted_items("dict", expected)
    anything = expected if expected is not None and is_any(expected) else None
    never = NeverType()
    target = body.temporary(".made", class_type(program, "dict", never, never))
    found: list[tuple[Type, Type]] = []

    def put() -> None:
        key = check_value(body, node.key, wanted[0] if wanted else None)
        value = check_value(body, node.value, wanted[1] if wanted else anything)
        if wanted is not None:
            key = to_type(body, key, wanted[0], node.key)
            value = to_type(body, value, wanted[1], node.value)
        if is_failed(key) or is_failed(value):
            return
        found.append((loosen(program, key.type), anything or loosen(program, value.type)))
        subject = narrow(read(loc, target), class_type(program, "dict", *(wanted or found[-1])))
        call = call_known(body, loc, "builtins.dicts.put", subject, key, value)
        body.emit(Evaluate(loc=loc, value=call))

    with body.collect() as statements:
        made = displays.make_container(body, node, "dict", [], never)
        body.emit(Assign(loc=loc, variable=target, value=made))
        run_generators(body, node, node.generators, put)
    types = wanted or tuple(join(program, *each) for each in zip(*found, strict=True)) or (never, never)
    target.type = class_type(program, "dict", *types)
    return as_open(body, sequence(statements, read(loc, target, target.type)))
