"""Calls of functions that are known: arguments checked against the signature, type parameters found."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from meshext_wasm.tree.expressions import CallValue, Expression
from meshext_wasm.tree.statements import Statement
from meshext_wasm.tree.types import (
    CallableType,
    ClassObjectType,
    ClassType,
    NeverType,
    NoneType,
    RawType,
    Rep,
    Type,
)
from meshext_wasm.typecheck.calling import awaiting
from meshext_wasm.typecheck.calling.arguments import Argument, Filled, Given, NoMatch, bind
from meshext_wasm.typecheck.calling.methods import (
    WRITING,
    direct,
    fits,
    lent,
    own_variables,
    receiver_bindings,
    refuse_borrowed,
)
from meshext_wasm.typecheck.calling.named import named_one_by_one, spread_of
from meshext_wasm.typecheck.expressions.comprehensions import build_at_once
from meshext_wasm.typecheck.meanings import growth
from meshext_wasm.typecheck.meanings.conversions import to_type, to_value
from meshext_wasm.typecheck.meanings.dispatch import check_expression
from meshext_wasm.typecheck.meanings.generics import Bindings, solve, substitute, unify, variables_of
from meshext_wasm.typecheck.meanings.making import failed, is_failed, is_simple, keep, read, refuse, sequence
from meshext_wasm.typecheck.meanings.marking import guarded
from meshext_wasm.typecheck.meanings.symbols import Binding, FunctionSymbol, Kind, Overloads
from meshext_wasm.typecheck.meanings.unions import is_any, members_of

if TYPE_CHECKING:
    from meshext_wasm.typecheck.meanings.body import Body

EAGER = frozenset(
    "sorted list tuple set frozenset dict min max sum join extend update fromkeys bytes any all Counter "
    "fsum prod union".split()
)
"""Functions that take every item of what they get, so that a list may stand for a generator expression."""
PURE = frozenset("str bytes int float bool range tuple".split())


@dataclass(slots=True)
class Calling:
    """One call while it is checked: `own` are the type parameters to find, `learned` those found."""

    body: Body
    node: ast.AST
    symbol: FunctionSymbol
    filled: list[Filled]
    learned: Bindings
    own: frozenset[str] = frozenset()
    checked: dict[Argument, Expression] = field(default_factory=dict)


def call_symbol(
    body: Body,
    node: ast.AST,
    found: FunctionSymbol | Overloads,
    given: Given,
    *,
    receiver: Expression | None = None,
    expected: Type | None = None,
    exact: bool = False,
) -> Expression:
    """Call a function by what its name means. `exact` is for super(): no subclass's method."""
    name = found.name
    refused = refuse_borrowed(body, node, name, receiver) if receiver is not None else None
    if refused is not None:
        return refused
    if isinstance(found, Overloads):
        chosen, given = choose_overload(body, node, found, given, receiver)
        if chosen is None:
            return refuse_overload(body, node, found, given)
        found = chosen
    named = spread_by_name(body, found, given)
    if named is not None:
        made = call_symbol(body, node, found, named[1], receiver=receiver, expected=expected, exact=exact)
        return sequence(named[0], made)
    try:
        filled = bind(node, found.name, found.signature, given)
    except NoMatch as mismatch:
        return refuse(body, mismatch.node, mismatch.reason, mismatch.hint)
    bindings = receiver_bindings(body, found, receiver) if receiver is not None else {}
    grown = growth.origins(body, receiver) if receiver is not None else []
    if not grown and name not in WRITING:
        bindings = {key: each for key, each in bindings.items() if not isinstance(each, NeverType)}
    own = own_variables(found) - (frozenset() if grown else frozenset(bindings))
    calling = Calling(body, node, found, filled, dict(bindings), own)
    learn_from_expected(calling, expected)
    check_arguments(calling)
    if grown and bindings:
        growth.grow_all(body, grown, tuple(calling.learned.get(each, NeverType()) for each in bindings))
    return finish(calling, receiver, exact=exact)


def spread_by_name(body: Body, found: FunctionSymbol, given: Given) -> tuple[list[Statement], Given] | None:
    """The arguments with those of a `**` one by one, and what is done before; None where there is none."""
    spread = spread_of(found, given)
    if spread is None:
        return None
    with body.collect() as statements:
        ready = named_one_by_one(body, statements, found, given, spread)
    return None if ready is None else (statements, ready)


def learn_from_expected(calling: Calling, expected: Type | None) -> None:
    """A result that is wanted tells type parameters which no argument tells."""
    result = calling.symbol.signature.result
    if expected is None or not calling.own or isinstance(expected, RawType):
        return
    hints: Bindings = {}
    unify(calling.body.program, result, expected, hints)
    told: frozenset[str] = frozenset()
    for each in calling.filled:
        type_ = calling.symbol.signature.parameters[each.index].type
        made_here = isinstance(each.argument.node, ast.GeneratorExp) and each.argument.expression is None
        if not made_here and not any(isinstance(one, CallableType) for one in members_of(type_)):
            told |= variables_of(type_)
    calling.learned.update(
        {name: type_ for name, type_ in hints.items() if name in calling.own and name not in told}
    )


def check_arguments(calling: Calling) -> None:
    """Plain arguments first, functions after them: their parameters follow from the others."""
    later = [each for each in calling.filled if is_function_node(each.argument)]
    for each in [*(each for each in calling.filled if each not in later), *later]:
        wanted = wanted_type(calling, each)
        made = check_argument(calling, each, wanted)
        made = lent(calling.body, each.argument.node, calling.symbol, each.index, made)
        calling.checked[each.argument] = made
        if not is_failed(made) and not isinstance(made.type, RawType):
            parameter = substitute_known(calling, each)
            if not isinstance(made.type, ClassObjectType):
                unify(calling.body.program, parameter, made.type, calling.learned)
    for each in calling.filled:
        adapt_class(calling, each)


def adapt_class(calling: Calling, filled: Filled) -> None:
    """A class that stands where a function is wanted becomes one; what it gives tells type parameters."""
    from meshext_wasm.typecheck.calling.adapters import adapted

    made = calling.checked[filled.argument]
    if not isinstance(made.type, ClassObjectType) or is_failed(made):
        return
    parameter = substitute_known(calling, filled)
    wanted = substitute(parameter, calling.learned)
    made = adapted(calling.body, filled.argument.node, made, wanted)
    calling.checked[filled.argument] = made
    if not is_failed(made):
        unify(calling.body.program, parameter, made.type, calling.learned)


def substitute_known(calling: Calling, filled: Filled) -> Type:
    """The parameter's type, where only the parameters that arguments tell are open."""
    parameter = calling.symbol.signature.parameters[filled.index]
    known = {name: each for name, each in calling.learned.items() if name not in calling.own}
    type_ = substitute(parameter.type, known)
    return _spread_type(calling, type_, filled) if filled.argument.spread else type_


def _spread_type(calling: Calling, type_: Type, filled: Filled) -> Type:
    from meshext_wasm.typecheck.meanings.making import class_type

    program = calling.body.program
    if calling.symbol.signature.parameters[filled.index].kind is Kind.STARSTAR:
        return class_type(program, "dict", class_type(program, "str"), type_)
    return ClassType(program.known_class("Iterable"), (type_,))


def is_function_node(argument: Argument) -> bool:
    """Whether an argument's type follows from what is wanted."""
    return argument.expression is None and isinstance(argument.node, ast.Lambda)


def wanted_type(calling: Calling, filled: Filled) -> Type | None:
    """What an argument's node may know of where it stands; None while it holds open type parameters."""
    parameter = calling.symbol.signature.parameters[filled.index]
    open_names = calling.own - set(calling.learned)
    type_ = substitute(parameter.type, calling.learned)
    if filled.argument.spread:
        type_ = _spread_type(calling, type_, filled)
    if is_function_node(filled.argument):
        return type_
    return None if variables_of(type_) & open_names else type_


def check_argument(calling: Calling, filled: Filled, wanted: Type | None) -> Expression:
    """The expression of an argument."""
    argument = filled.argument
    if argument.expression is not None:
        return argument.expression
    assert isinstance(argument.node, ast.expr)
    if takes_all(calling.node, calling.symbol.name, argument):
        return build_at_once(calling.body, argument.node, wanted)
    return check_expression(calling.body, argument.node, wanted)


def takes_all(node: ast.AST, name: str, argument: Argument) -> bool:
    """Whether it is a generator expression whose items are all wanted at once, so that a list does."""
    called = node.func if isinstance(node, ast.Call) else node
    written = getattr(called, "attr", getattr(called, "id", ""))
    return isinstance(argument.node, ast.GeneratorExp) and bool(EAGER & {name, written})


def finish(calling: Calling, receiver: Expression | None, *, exact: bool) -> Expression:
    """The call, its arguments converted and in the order of the parameters."""
    body, symbol = calling.body, calling.symbol
    if not awaiting.check_call(body, calling.node, symbol):
        return failed(body.loc(calling.node))
    made: list[tuple[Filled, Expression]] = []
    for each in calling.filled:
        wanted = solve(symbol.signature.parameters[each.index].type, calling.learned, calling.own)
        if each.argument.spread:
            wanted = _spread_type(calling, wanted, each)
        made.append((each, to_type(body, calling.checked[each.argument], wanted, each.argument.node)))
    if any(is_failed(each) for _, each in made):
        return failed(body.loc(calling.node))
    with body.collect() as statements:
        first, ordered = in_order(calling, statements, receiver, made)
        arguments = guarded(body, symbol, [*first, *fill(calling, ordered)], statements)
    result = solve(symbol.signature.result, calling.learned, calling.own)
    call = emit(body, calling.node, symbol, arguments, result, exact=exact)
    note_effect(body, symbol)
    return sequence(statements, call)


def in_order(
    calling: Calling,
    statements: list[Statement],
    receiver: Expression | None,
    made: list[tuple[Filled, Expression]],
) -> tuple[list[Expression], list[tuple[Filled, Expression]]]:
    """Keep the order of evaluation where parameters stand in another order than their arguments."""
    first = [] if receiver is None else [to_value(calling.body, receiver, calling.node)]
    indices = [each.index for each, _ in made]
    if indices == sorted(indices) or sum(not is_simple(each) for _, each in made) < 2:
        return first, made
    kept_first = [keep(calling.body, statements, each) for each in first]
    return kept_first, [(each, keep(calling.body, statements, value)) for each, value in made]


def fill(calling: Calling, made: list[tuple[Filled, Expression]]) -> Iterable[Expression]:
    """One expression a parameter."""
    from meshext_wasm.typecheck.expressions import displays

    body, loc = calling.body, calling.body.loc(calling.node)
    for index, parameter in enumerate(calling.symbol.signature.parameters):
        mine = [(each, value) for each, value in made if each.index == index]
        if parameter.kind is Kind.STAR:
            parts = [(value, each.argument.spread) for each, value in mine]
            item = solve(parameter.type, calling.learned, calling.own)
            yield displays.make_tuple_of(body, calling.node, parts, item)
        elif parameter.kind is Kind.STARSTAR:
            item = solve(parameter.type, calling.learned, calling.own)
            pairs = [(each.key, value) for each, value in mine]
            yield displays.make_keywords(body, calling.node, pairs, item)
        elif mine:
            yield mine[0][1]
        else:
            assert parameter.default is not None
            yield replace(parameter.default, loc=loc)


def emit(
    body: Body,
    node: ast.AST,
    symbol: FunctionSymbol,
    arguments: list[Expression],
    result: Type,
    *,
    exact: bool,
) -> Expression:
    """The call of a function value, by the table, or of the function itself."""
    loc = body.loc(node)
    if symbol.value is not None:
        callee = read(loc, symbol.value)
        return CallValue(loc=loc, type=result, callee=callee, arguments=tuple(arguments))
    if exact:
        symbol = replace(symbol, method=None)
    call = direct(body, node, symbol, arguments, result)
    if call.rep is Rep.NOTHING and not isinstance(result, NeverType):
        return replace(call, type=NoneType())
    return call


def note_effect(body: Body, symbol: FunctionSymbol) -> None:
    """A call may change what is known, unless it is of a method that changes nothing."""
    if symbol.owner is not None and symbol.owner.cls.name in PURE:
        return
    body.effect()


def choose_overload(
    body: Body, node: ast.AST, found: Overloads, given: Given, receiver: Expression | None
) -> tuple[FunctionSymbol | None, Given]:
    """The first alternative that takes the arguments, and the arguments, checked now."""

    def check(argument: Argument) -> Argument:
        if argument.expression is not None or is_function_node(argument):
            return argument
        assert isinstance(argument.node, ast.expr)
        if takes_all(node, found.name, argument):
            return replace(argument, expression=build_at_once(body, argument.node, None))
        display = isinstance(argument.node, ast.Dict | ast.List)
        return replace(argument, expression=check_expression(body, argument.node, item if display else None))

    item = item_of_any(receiver)
    ready = Given(
        tuple(check(each) for each in given.positional),
        tuple((name, check(each)) for name, each in given.keywords),
    )
    for each in found.alternatives:
        try:
            filled = bind(node, found.name, each.signature, ready)
        except NoMatch:
            continue
        bindings = receiver_bindings(body, each, receiver) if receiver is not None else {}
        if fits(body, each, bindings, [(one.index, one.argument.expression) for one in filled]):
            return each, ready
    return None, ready


def item_of_any(receiver: Expression | None) -> Type | None:
    """Any, where the receiver is a container of that: what is written out beside its items is one of them."""
    arguments = receiver.type.arguments if receiver and isinstance(receiver.type, ClassType) else ()
    return arguments[-1] if arguments and is_any(arguments[-1]) else None


def refuse_overload(body: Body, node: ast.AST, found: Overloads, given: Given) -> Expression:
    """No alternative takes these arguments."""
    from meshext_wasm.typecheck.meanings.unions import display

    known = [each.expression for each in given.all() if each.expression is not None]
    if any(map(is_failed, known)):
        return failed(body.loc(node))
    types = ", ".join(display(each.type) for each in known) or "nothing"
    ways = " or ".join(
        f"{found.name}({', '.join(display(each.type) for each in one.signature.parameters)})"
        for one in found.alternatives
    )
    return refuse(body, node, f"{found.name}() does not take ({types})", f"it takes {ways}")


def is_plain(symbol: FunctionSymbol) -> bool:
    """Whether it is called without an instance or class before its arguments."""
    return symbol.binding in (Binding.FUNCTION, Binding.STATIC)
